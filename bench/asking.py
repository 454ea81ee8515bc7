"""Requests asked in turns: how many are answered in a second, how long each took, what each cost the server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from bench import parts

MS = 1000.0


@dataclass
class Asked:
    """One kind of request, and how it is asked: by so many clients at once, so often each in a round."""

    server: parts.Server
    requests: Iterator[bytes]
    clients: int = 8
    times: int = 60
    rates: list[float] = field(default_factory=list)
    taken_s: list[float] = field(default_factory=list)
    spent_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second in the best round: what else the machine does only ever takes away."""
        return max(self.rates)

    @property
    def cost_ms(self) -> float:
        """Processor time that the server spends on one, in the best round."""
        return min(self.spent_s) * MS

    @property
    def quickest_ms(self) -> float:
        """The time of the quickest answers, by which one client's waiting is told."""
        return parts.percentile(self.taken_s, 0.1) * MS


def written(server: parts.Server, path: str, body: object, token: str) -> bytes:
    """A request with a JSON body."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def always(server: parts.Server, path: str, body: object, token: str) -> Iterator[bytes]:
    """The same request for ever."""
    return repeat(written(server, path, body, token))


async def measure(kinds: dict[str, Asked], rounds: int, beside: Callable[[], object] = lambda: None) -> None:
    """Ask all in turns, the first round unmeasured, and call `beside` after each; then print."""
    for number in range(rounds + 1):
        for kind in kinds.values():
            await ask_once(kind, counts=number > 0)
        beside()
    parts.table(
        ("request", "clients", "a second", "p50 ms", "p99 ms", "server's ms"),
        [
            (
                name,
                kind.clients,
                kind.rate,
                parts.median_ms(kind.taken_s),
                parts.percentile(kind.taken_s, 0.99) * MS,
                kind.cost_ms,
            )
            for name, kind in kinds.items()
        ],
    )


async def ask_once(kind: Asked, *, counts: bool) -> None:
    """One round of one kind."""
    began_at, spent = time.perf_counter(), processor_time(kind.server.pid)
    answers = await asyncio.gather(*(ask(kind) for _ in range(kind.clients)))
    if counts:
        number = kind.clients * kind.times
        kind.rates.append(number / (time.perf_counter() - began_at))
        kind.spent_s.append((processor_time(kind.server.pid) - spent) / number)
        kind.taken_s.extend(each for answer in answers for each in answer)


async def ask(kind: Asked) -> list[float]:
    """Send requests over one connection; how long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", kind.server.port)
    taken = []
    for _ in range(kind.times):
        request = next(kind.requests)
        started = time.perf_counter()
        writer.write(request)
        await answer(reader)
        taken.append(time.perf_counter() - started)
    writer.close()
    return taken


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of a good answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    assert b" 200 " in head and b"errors" not in body, body[:300]
    return body


async def answer_to(kind: Asked) -> object:
    """What one such request is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", kind.server.port)
    writer.write(next(kind.requests))
    body = await answer(reader)
    writer.close()
    return json.loads(body)


def processor_time(pid: int) -> float:
    """Seconds of processor that a process and those that it has begun have spent."""
    spent = 0.0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        spent += int((thread / "schedstat").read_text().split()[0]) / 1e9
        spent += sum(processor_time(int(child)) for child in (thread / "children").read_text().split())
    return spent
