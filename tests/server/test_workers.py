"""`gatehouse serve --workers N`: several processes answer on one port, the dead are replaced, all end when asked."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from server.local import processes
from tests.client import SECRET_KEYS, http_client
from tests.operations import VIEWER_ID
from tests.parts import PATIENCE_S, Process, environment
from tests.ports import own_port
from tests.server.running import until_gone
from tests.waiting import soon


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    return environment(database_url=database_url, secret_keys=SECRET_KEYS, drain_seconds=0)


async def until_healthy(url: str) -> None:
    async with http_client() as http:
        while True:
            try:
                if (await http.get(f"{url}/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def children(process: Process, *, but: set[int] | None = None) -> set[int]:
    """The process ids of its two workers; of the fresh ones, once there are two again."""
    while True:
        found = {child.pid for child in psutil.Process(process.child.pid).children()}
        if len(found) == 2 and not found & (but or set()):
            return found
        await asyncio.sleep(0.05)


async def test_a_worker_that_dies_is_replaced_and_all_end_when_asked(
    gatehouse: Callable[..., Process], settings: dict[str, str]
) -> None:
    port = own_port()
    url = f"http://127.0.0.1:{port}"
    serve = gatehouse("serve", "--workers=2", f"--port={port}", env=settings)
    await until_healthy(url)
    first = await children(serve)
    (killed, kept) = sorted(first)
    psutil.Process(killed).kill()
    assert kept in await children(serve, but={killed})
    await serve.wait_for_output("has ended with status -9; it is started again.")
    await until_healthy(url)
    last = [psutil.Process(pid) for pid in await children(serve, but={killed})]
    assert {tuple(process.cmdline()[:2]) for process in last} == {("gatehouse", "serve")}
    async with http_client(url) as http:
        answer = await http.post("/graphql", json={"query": VIEWER_ID})
        assert answer.json() == {"data": {"viewer": None}}
    serve.child.send_signal(signal.SIGTERM)
    assert await serve.wait() == 0
    until_gone(last)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/healthz")


async def test_what_is_wrong_is_told_once_and_no_worker_is_started(
    gatehouse: Callable[..., Process], settings: dict[str, str]
) -> None:
    nowhere = settings | {"GATEHOUSE_DATABASE_URL": f"postgresql://x@127.0.0.1:{own_port()}/x"}
    serve = gatehouse("serve", "--workers=2", "--port=0", env=nowhere)
    assert await serve.wait() == 1
    assert serve.output.count("The database does not answer") == 1


LOW_LIMIT = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
os.execv(sys.argv[1], sys.argv[1:])
"""


async def test_it_allows_itself_all_files_and_refuses_politely_before_they_run_out(
    settings: dict[str, str], tmp_path: Path
) -> None:
    port = own_port()
    command = [sys.executable, "-m", "server.commands.main", "serve", f"--port={port}"]
    child = processes.start([sys.executable, "-c", LOW_LIMIT, *command], tmp_path / "log", env=settings)
    async with AsyncExitStack() as stack:
        stack.callback(processes.stop, child, signal.SIGTERM, PATIENCE_S)
        await until_healthy(f"http://127.0.0.1:{port}")
        assert psutil.Process(child.pid).rlimit(psutil.RLIMIT_NOFILE) == (512, 512)
        answers = []
        for _ in range(512):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answers.append((await soon(reader.readline())).split()[1])
            if answers[-1] == b"503":
                break
    assert set(answers) == {b"200", b"503"}
