"""`gatehouse up` in a data folder of the test's own, and what is left of it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.parts import Process, environment
from tests.ports import own_port
from tests.waiting import until_now

READY = "Gatehouse is ready: "
Start = Callable[..., Process]


@dataclass
class Up:
    """One run of `gatehouse up`."""

    process: Process
    data_dir: Path
    port: int

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mailbox_url(self) -> str:
        """Where its mailbox is."""
        return self._found(r"mailbox\s+http://localhost:(\d+)", "http://127.0.0.1:{}")

    @property
    def demo_password(self) -> str:
        """What the people of the demo account sign in with."""
        return self._found(r"with the password (\S+)")

    def _found(self, pattern: str, form: str = "{}") -> str:
        match = re.search(pattern, self.process.output)
        assert match, self.process.output
        return form.format(match[1])

    def processes(self) -> list[psutil.Process]:
        """Every process under it, itself not counted."""
        return psutil.Process(self.process.child.pid).children(recursive=True)


def begin(gatehouse: Start, data_dir: Path, *options: str, port: int = 0, **settings: str) -> Up:
    """Start `up` and do not wait for it."""
    port = port or own_port()
    arguments = ["up", f"--data-dir={data_dir}", f"--port={port}", *options]
    return Up(gatehouse(*arguments, env=environment(**settings)), data_dir, port)


async def ready(gatehouse: Start, data_dir: Path, *options: str, **settings: str) -> Up:
    """Start `up` and wait until it is ready."""
    up = begin(gatehouse, data_dir, *options, port=0, **settings)
    await up.process.wait_for_output(READY)
    return up


def until_gone(processes: list[psutil.Process]) -> None:
    """Return once all of these have ended; whether whoever has inherited them asks how is not theirs to say."""

    def run() -> list[psutil.Process]:
        return [process for process in processes if process.is_running() and not is_zombie(process)]

    until_now(lambda: not run(), lambda: f"the end of {run()}")


def is_zombie(process: psutil.Process) -> bool:
    """Whether it has ended, and nobody has asked how."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
