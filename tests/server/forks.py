"""What a process that does nothing else does with children that it forks."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import TimeoutExpired
from typing import NoReturn

from server.local import forking
from tests.waiting import LIMIT_S, until_now


def end_of(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> tuple[int, int]:
    """The process id of `gatehouse …` and its status; whoever goes back to what we do here writes it to the log."""

    def come_back() -> None:
        with log.open("a") as file:
            file.write(f"{os.getpid()} came back\n")

    atexit.register(come_back)
    os.environ["GATEHOUSE_OF_THE_PARENT"] = "1"
    try:
        child = forking.start(arguments, environment, log=log)
        return child.pid, child.wait(LIMIT_S)
    finally:
        come_back()


def are_forked_after_threads(environment: Mapping[str, str], log: Path) -> list[bool]:
    """Whether children are forked, each when a thread has just ended."""
    found = []
    for _ in range(20):
        other = threading.Thread(target=sum, args=((1, 2),))
        other.start()
        other.join()
        child = forking.start(["--version"], environment, log=log)
        found.append(isinstance(child, forking.Forked))
        assert child.wait(LIMIT_S) == 0
    return found


def ends_by(sent: int, environment: Mapping[str, str], folder: Path) -> tuple[bool, int]:
    """Whether a mailbox is waited for in vain, and how it ends by a signal that we handle ourselves."""

    def fail(*_: object) -> NoReturn:
        raise AssertionError

    for number in forking.HANDLED:
        signal.signal(number, fail)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    smtp, http = (listener.fileno() for listener in sockets)
    arguments = ["mailbox", f"--folder={folder / 'mails'}", f"--smtp-listener={smtp}", f"--http-listener={http}"]
    log = folder / "log"
    child = forking.start(arguments, environment, inherit=[smtp, http], log=log)
    until_now(lambda: "mailbox ready" in log.read_text(), log.read_text)
    is_awaited_in_vain = False
    try:
        child.wait(0)
    except TimeoutExpired:
        is_awaited_in_vain = True
    child.send_signal(sent)
    return is_awaited_in_vain, child.wait(LIMIT_S)
