"""What a good client's `viewer` takes beside each attack, against what it takes when nobody else asks anything.

The attackers are a process of their own, `python -m bench.hostile NAME PORT TOKEN`, on the same cores as the server,
where no attacker sits: they get the processor when nothing that is measured wants it, and how often they asked is
told. What else the machine does has a lower priority than the server, where that is allowed. So what is measured is
the server, not who gets the processor. Quiet and beside an attack are measured in turns. Held: the 99th percentile
beside an attack is at most three times the quiet one. Beside it stands what the loop has spent of the processor
between question and answer, for whomever: on a busy machine that tells more of the server than the clock does, though
it counts as well what is done while the database is waited for.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

import asyncpg
from graphql import get_introspection_query
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench import parts

ROUNDS = 3
QUIET_S, MEASURED_S, WARM_UP_S = 1.5, 3.0, 1.0
ATTACKERS = 20
MOST = 3.0
VIEWER = "{ viewer { id email mfa { enabled } } }"
NOBODY = "00000000-0000-0000-0000-000000000000"
LARGE = "{ viewer { memberships { account { staff(first: 500) { nodes { id email role mfaState } } } } } }"

numbers = count()


def request(query: str, token: str = "", **variables: str) -> bytes:
    """One POST as bytes."""
    content = json.dumps({"query": query, "variables": variables}).encode()
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Taken(NamedTuple):
    """What one answer took: by the clock, and of the server's loop."""

    seconds: float
    loop_s: float


async def ask(
    port: int, made: Callable[[], bytes], seconds: float, loop_time: Callable[[], float] = lambda: 0.0
) -> list[Taken]:
    """Ask again and again over one connection; what each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: list[Taken] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        spent, started = loop_time(), time.perf_counter()
        writer.write(made())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        taken.append(Taken(time.perf_counter() - started, loop_time() - spent))
    writer.close()
    return taken


def nothing(_token: str) -> bytes:
    """A route that does nothing: what as many requests cost whatever they ask."""
    return b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def aliases(_token: str) -> bytes:
    """119 aliases of a field that needs a session, which nobody has."""
    fields = " ".join(
        f'a{n}: account(id: "{NOBODY}") {{ id name staff {{ nodes {{ id email }} }} }}' for n in range(119)
    )
    return request(f"{{ {fields} }} #{next(numbers)}")


def small(_token: str) -> bytes:
    """A document within a stranger's limits, of a new text each time."""
    fields = " ".join(f'a{n}: account(id: "{NOBODY}") {{ id }}' for n in range(20))
    return request(f"{{ {fields} }} #{next(numbers)}")


def made_up(_token: str) -> bytes:
    """A token that is none."""
    return request(f"{VIEWER} #{next(numbers)}", f"gh_s_{next(numbers):043}")


def introspection(_token: str) -> bytes:
    """The whole schema, of a new text each time."""
    return request(f"{get_introspection_query()} #{next(numbers)}")


def guesses(_token: str) -> bytes:
    """Passwords of people who are not there."""
    sign_in = 'mutation ($e: String!) { signIn(input: {email: $e, password: "x"}) { __typename } }'
    return request(sign_in, e=f"nobody{next(numbers)}@agency.example")


def member(token: str) -> bytes:
    """A person who asks for the largest pages."""
    return request(LARGE, token)


async def bursts(port: int) -> int:
    """A socket that is filled with operations, and left; how many of these were sent."""
    until, sent = time.monotonic() + MEASURED_S + 2 * WARM_UP_S, 0
    while time.monotonic() < until:
        with suppress(OSError, Exception):
            async with connect(
                f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=5
            ) as socket:
                await socket.send('{"type": "connection_init"}')
                for _ in range(1_000):
                    payload = {"query": f"{{ viewer {{ id }} }} #{next(numbers)} {'x' * 200}"}
                    await socket.send(json.dumps({"id": str(next(numbers)), "type": "subscribe", "payload": payload}))
                    sent += 1
                socket.transport.abort()
    return sent


ATTACKS: dict[str, Callable[[str], bytes]] = {
    "a bare route": nothing,
    "119 aliases": aliases,
    "20 aliases": small,
    "made-up tokens": made_up,
    "introspection": introspection,
    "guesses": guesses,
    "a member's large pages": member,
}
SOCKETS = "bursts over sockets"


async def attack(name: str, port: int, token: str) -> int:
    """All attackers of one kind, for as long as one measurement lasts; how often they asked."""
    if name == SOCKETS:
        return sum(await asyncio.gather(*(bursts(port) for _ in range(ATTACKERS))))
    seconds = MEASURED_S + 2 * WARM_UP_S
    asked = (ask(port, lambda: ATTACKS[name](token), seconds) for _ in range(ATTACKERS))
    answered = await asyncio.gather(*asked, return_exceptions=True)
    return sum(len(taken) for taken in answered if not isinstance(taken, BaseException))


def give_way() -> None:
    """Take the processor only when nobody else wants it, where the system knows of such processes."""
    os.nice(19)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


async def main(url: str, api: parts.Server) -> dict[str, bool]:
    """Measure and print; what was kept."""
    connection = await asyncpg.connect(url)
    account = await parts.add_account(connection, "agency", 2_000, 2)
    tokens = await parts.sign_in(connection, account, "ADMIN")
    (owner,) = await parts.sign_in(connection, account, "OWNER")
    await parts.settle(connection)
    await connection.close()
    good = request(VIEWER, owner)
    schedule = Path(f"/proc/{api.pid}/task/{api.pid}/schedstat")

    async def ask_well(seconds: float) -> list[Taken]:
        return await ask(api.port, lambda: good, seconds, lambda: int(schedule.read_text().split()[0]) / 1e9)

    # Many at once, so that all of the pool's connections are there: what begins later has no priority.
    await asyncio.gather(*(ask_well(WARM_UP_S) for _ in range(ATTACKERS)))
    parts.come_first(os.getpid())
    quiet: list[Taken] = []
    asked: Counter[str] = Counter()
    beside: dict[str, list[Taken]] = {name: [] for name in [*ATTACKS, SOCKETS]}
    for _ in range(ROUNDS):
        for name, taken in beside.items():
            # Right before, so that what else the machine does weighs on both alike.
            quiet += await ask_well(QUIET_S)
            attackers = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.hostile", name, str(api.port), tokens[0], stdout=asyncio.subprocess.PIPE
            )
            await asyncio.sleep(WARM_UP_S)
            taken.extend(await ask_well(MEASURED_S))
            told, _ = await attackers.communicate()
            asked[name] += int(told)
    rows, kept = [row("nobody", quiet, quiet, ROUNDS * len(beside) * QUIET_S, 0)], {}
    for name, taken in beside.items():
        rows.append(row(name, taken, quiet, ROUNDS * MEASURED_S, asked[name]))
        ratio = p99(taken, 0) / p99(quiet, 0)
        kept[f"{name}: {ratio:.1f} times the quiet p99 ({MOST:.0f} at most)"] = ratio <= MOST
    heads = "beside", "a second", "p50 ms", "p99 ms", "of quiet", "loop's p99 ms", "of quiet", "attackers asked"
    parts.table(heads, rows)
    return kept


def p99(taken: list[Taken], kind: int) -> float:
    """The 99th percentile, by the clock or of the loop."""
    return parts.percentile([each[kind] for each in taken], 0.99)


def row(name: str, taken: list[Taken], quiet: list[Taken], seconds: float, asked: int) -> tuple[object, ...]:
    """One line of the table."""
    told = [fact for kind in (0, 1) for fact in (p99(taken, kind) * 1000, p99(taken, kind) / p99(quiet, kind))]
    return name, len(taken) / seconds, parts.median_ms([each.seconds for each in taken]), *told, asked


if __name__ == "__main__":
    if sys.argv[1:]:
        give_way()
        print(asyncio.run(attack(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
    else:
        with parts.processes_weighed_singly(), parts.database() as database_url, parts.api(database_url) as served:
            promises = asyncio.run(main(database_url, served))
        parts.judge(promises)
