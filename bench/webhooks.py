"""How fast a worker delivers webhooks of which some hang, with all its bookkeeping, beside a bare loop of httpx.

10,000 deliveries go to 20 endpoints; 3 take each request and never answer. The bare loop posts the 8,500 of the others,
made and signed beforehand, to each of them one after another, to all at once. Promise: one worker process reaches
three tenths of it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from functools import partial
from multiprocessing.connection import Connection as Pipe

import asyncpg
import httpx

from bench import parts
from bench.mail import worker
from resolvers.webhooks import insert
from rules.sealing import KeyRing
from rules.webhooks import headers
from settings import parse_secret_keys

EVENTS, ENDPOINTS, HANGING = 500, 20, 3
ANSWERED = EVENTS * (ENDPOINTS - HANGING)
BODY = b'{"type":"ACCOUNT_CREATED","timestamp":"2026-11-25T14:00:00.000Z","data":' + b" " * 150 + b"{}}"
LEAST_SHARE = 0.3
PATIENCE_S = 180


class Endpoint(asyncio.Protocol):
    """One connection to an endpoint that takes everything, or hangs."""

    def __init__(self, arrived: list[float], *, hangs: bool) -> None:
        self.arrived = arrived
        self.hangs = hangs
        self.buffer = b""

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        """Keep it."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self.buffer += data
        while not self.hangs:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if not found or len(rest) < length:
                return
            self.buffer = rest[length:]
            self.arrived.append(time.monotonic())
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def serve(pipe: Pipe) -> None:
    """Serve all endpoints: their ports first, those that hang last; then when each request came, whenever asked."""

    async def run() -> None:
        arrived: list[float] = []
        loop, ports = asyncio.get_running_loop(), []
        for number in range(ENDPOINTS):
            hangs = number >= ENDPOINTS - HANGING
            server = await loop.create_server(partial(Endpoint, arrived, hangs=hangs), "127.0.0.1", 0)
            ports.append(server.sockets[0].getsockname()[1])
        pipe.send(ports)
        while await asyncio.to_thread(pipe.recv):
            pipe.send(list(arrived))
            arrived.clear()

    asyncio.run(run())


class Endpoints:
    """The endpoints, in a process of their own."""

    def __init__(self) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        self.urls = [f"http://127.0.0.1:{port}/hook" for port in self.pipe.recv()]

    def arrived(self) -> list[float]:
        """When each request came that came since this was asked last."""
        self.pipe.send(True)
        times: list[float] = self.pipe.recv()
        return times

    def wait(self) -> float:
        """Requests a second, from the first to the last of those that are answered."""
        times: list[float] = []
        until = time.monotonic() + PATIENCE_S
        while len(times) < ANSWERED:
            if time.monotonic() > until:
                sys.exit(f"Only {len(times):,} of {ANSWERED:,} webhooks came.")
            time.sleep(0.1)
            times += self.arrived()
        return (ANSWERED - 1) / (times[-1] - times[0])

    def stop(self) -> None:
        """End it."""
        self.pipe.send(False)
        self.process.join(5)


async def bare_loop(urls: list[str]) -> None:
    """Post to all at once, to each one after another."""
    signed = {"content-type": "application/json", **headers("msg_1", int(time.time()), BODY, [b"k" * 32])}
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:

        async def tell(url: str) -> None:
            for _ in range(EVENTS):
                await client.post(url, content=BODY, headers=signed)

        await asyncio.gather(*(tell(url) for url in urls[:-HANGING]))


async def let_happen(database_url: str, urls: list[str]) -> None:
    """Endpoints that are told of everything, and so many events."""
    connection = await asyncpg.connect(database_url)
    ring = KeyRing(parse_secret_keys(parts.SECRET_KEYS))
    for url in urls:
        await insert(connection, ring, None, url, None)
    account_id = await connection.fetchval("INSERT INTO accounts (name) VALUES ('Agency') RETURNING id")
    await connection.execute(
        "INSERT INTO events (type, account_id, data) SELECT 'ACCOUNT_CREATED', $1, '{}' FROM generate_series(1, $2)",
        account_id,
        EVENTS,
    )
    await parts.settle(connection)
    await connection.close()


def main() -> None:
    """Measure both, and say how they compare."""
    endpoints = Endpoints()
    asyncio.run(bare_loop(endpoints.urls))
    before = endpoints.wait()
    with parts.database() as database_url:
        asyncio.run(let_happen(database_url, endpoints.urls))
        with worker(database_url, 1, webhook_allow_private="true"):
            ours = endpoints.wait()
    asyncio.run(bare_loop(endpoints.urls))
    after = endpoints.wait()
    endpoints.stop()
    bare = (before + after) / 2
    heads = ["", "webhooks/s", "share"]
    hung = f"one worker to {ENDPOINTS}, of which {HANGING} hang"
    parts.table(heads, [["bare loop of httpx", bare, 1.0], [hung, ours, ours / bare]])
    parts.judge({f"a worker reaches {LEAST_SHARE} of a bare loop, whoever hangs": ours / bare >= LEAST_SHARE})


if __name__ == "__main__":
    main()
