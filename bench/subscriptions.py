"""2,000 subscribers of four accounts on one API process, idle; then people enroll, one after another.

Held: all 500 watchers of the account hear of it within a second of the mutation's answer, in the median, and nobody
else does; an idle subscriber takes at most 100 KiB of the process, and all of them together at most a fifth of a core.
What happens to one person each second takes no more of it, however many of the account watch themselves.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import pyotp
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench import parts

ACCOUNTS, STAFF, MANAGERS = 4, 500, 250  # each manager watches by two sockets
CONNECTING_AT_ONCE = 50
ENROLLING = 8
IDLE_S, SETTLE_S = 10.0, 2.0
MOST_S, MOST_KIB, MOST_CPU, MOST_MORE_CPU = 1.0, 100.0, 0.2, 0.05

SUBSCRIPTIONS = (
    "subscription ($account: ID!) { enrollmentProgress(accountId: $account) { enrolledCount pendingCount } }",
    "subscription ($account: ID!) { staffMemberChanged(accountId: $account) { id email mfaState } }",
)
THEMSELVES = "subscription { viewerChanged { email mfa { enabled } mfaNotice { daysRemaining } } }"
BEGIN = "mutation { beginMfaEnrollment { ... on MfaEnrollment { manualEntryKey } } }"
VERIFY = "mutation ($code: String!) { verifyAndEnableMfa(input: {code: $code}) { __typename } }"


class Watchers:
    """The sockets that watch one account, and when messages came."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.heard_at: list[float] = []
        self.listening: list[asyncio.Task[None]] = []

    async def subscribe(self, port: int, token: str, query: str, limit: asyncio.Semaphore) -> None:
        """One more subscriber, over a socket of its own."""
        async with limit:
            socket = await connect(
                f"ws://127.0.0.1:{port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                additional_headers={"authorization": f"Bearer {token}"},
                compression=None,
                ping_interval=None,
            )
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            payload = {"query": query, "variables": {"account": str(self.account_id)}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        self.listening.append(asyncio.create_task(self._listen(socket)))

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.heard_at.append(time.perf_counter())
            assert '"next"' in str(message) and '"errors"' not in str(message), message

    async def hear(self, within_s: float) -> list[float]:
        """When each socket was told, once all have been or the time is over."""
        until = time.perf_counter() + within_s
        while len(self.heard_at) < len(self.listening) and time.perf_counter() < until:
            await asyncio.sleep(0.002)
        return self.heard_at


async def main(url: str, api: parts.Server) -> dict[str, bool]:
    """Subscribe, wait, enroll and print; what was kept."""
    connection = await asyncpg.connect(url)
    accounts = [await parts.add_account(connection, f"agency{n}", STAFF, STAFF) for n in range(ACCOUNTS)]
    await connection.execute("UPDATE users SET reenrollment_required_at = NULL")
    await connection.execute(
        """
        UPDATE staff SET role = CASE WHEN number <= $1 THEN 'ADMIN' ELSE 'MEMBER' END
        FROM (SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY email) AS number FROM staff) AS numbered
        WHERE numbered.id = staff.id AND role <> 'OWNER'
        """,
        MANAGERS,
    )
    await parts.settle(connection)
    tokens = {account: await parts.sign_in(connection, account, "ADMIN") for account in accounts}
    people = await parts.sign_in(connection, accounts[0], "MEMBER")
    process = psutil.Process(api.pid)

    few = await watch(api, {accounts[0]: tokens[accounts[0]][:1]})
    alone = await enroll(api, few, people[:ENROLLING])
    memory = process.memory_info().rss
    many = await watch(api, tokens)
    await asyncio.sleep(SETTLE_S)
    count = sum(len(watchers.listening) for watchers in many)
    kib, cpu = (process.memory_info().rss - memory) / count / 1024, await cpu_of(process)
    print(f"{count:,} idle subscribers: {kib:.0f} KiB each, all together {cpu:.1%} of a core\n")
    together = await enroll(api, many, people[ENROLLING : 2 * ENROLLING])
    strays = sum(len(watchers.heard_at) for watchers in many[1:])
    more_cpu = await beside_themselves(api, connection, Watchers(accounts[0]), people[2 * ENROLLING :])
    await connection.close()
    parts.table(
        ("an enrollment's answer to", "watchers", "first ms", "last ms", "slowest last ms"),
        [("their news, few watching", *row(few[0], alone)), ("their news, all watching", *row(many[0], together))],
    )
    last = statistics.median(last for _, last in together)
    return {
        f"the last of {len(many[0].listening)} watchers hears within {last:.2f} s ({MOST_S:.0f} at most)": last
        <= MOST_S,
        "whoever watches another account hears nothing": strays == 0,
        f"an idle subscriber takes {kib:.0f} KiB ({MOST_KIB:.0f} at most)": kib <= MOST_KIB,
        f"the idle process takes {cpu:.0%} of a core ({MOST_CPU:.0%} at most)": cpu <= MOST_CPU,
        f"a sign-in each second takes {more_cpu:.1%} more ({MOST_MORE_CPU:.0%} at most)": more_cpu <= MOST_MORE_CPU,
    }


def row(watchers: Watchers, times: list[tuple[float, float]]) -> tuple[object, ...]:
    """What a row of the table says of these times, to the first and to the last watcher."""
    first, last = zip(*times, strict=True)
    return len(watchers.listening), parts.median_ms(first), parts.median_ms(last), max(last) * 1000


async def watch(api: parts.Server, tokens: dict[UUID, list[str]]) -> list[Watchers]:
    """Each token subscribes to both of its account's feeds; returns once the progress, told at once, has come."""
    everyone, limit = [], asyncio.Semaphore(CONNECTING_AT_ONCE)
    for account_id, signed_in in tokens.items():
        watchers = Watchers(account_id)
        await asyncio.gather(
            *(watchers.subscribe(api.port, token, query, limit) for token in signed_in for query in SUBSCRIPTIONS)
        )
        while len(watchers.heard_at) < len(signed_in):
            await asyncio.sleep(0.01)
        everyone.append(watchers)
    await asyncio.sleep(SETTLE_S)
    for watchers in everyone:
        watchers.heard_at.clear()
    return everyone


async def cpu_of(process: psutil.Process) -> float:
    """The share of a core that the process takes while nothing happens."""
    before, started = sum(process.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    return float((sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - started))


async def beside_themselves(
    api: parts.Server, connection: asyncpg.Connection[asyncpg.Record], watchers: Watchers, tokens: list[str]
) -> float:
    """How much more of a core the process takes while somebody signs in each second, and these watch themselves."""
    limit, process = asyncio.Semaphore(CONNECTING_AT_ONCE), psutil.Process(api.pid)
    await asyncio.gather(*(watchers.subscribe(api.port, token, THEMSELVES, limit) for token in tokens[1:]))
    await asyncio.sleep(SETTLE_S)
    idle = await cpu_of(process)
    signing_in = asyncio.create_task(sign_in_each_second(connection, watchers.account_id))
    busy = await cpu_of(process)
    signing_in.cancel()
    await asyncio.gather(signing_in, return_exceptions=True)
    print(
        f"beside {len(tokens) - 1} who watch themselves: {idle:.1%} of a core, with a sign-in each second {busy:.1%}\n"
    )
    return busy - idle


async def sign_in_each_second(connection: asyncpg.Connection[asyncpg.Record], account_id: UUID) -> None:
    """Let the account's owner sign in, as its log tells it."""
    while True:
        await connection.execute(
            "WITH e AS (INSERT INTO events (type, subject_id) SELECT 'SIGN_IN_SUCCEEDED', user_id FROM staff "
            "WHERE account_id = $1 AND role = 'OWNER' LIMIT 1 RETURNING id) "
            "INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM e",
            account_id,
        )
        await asyncio.sleep(1)


async def enroll(api: parts.Server, everyone: list[Watchers], people: list[str]) -> list[tuple[float, float]]:
    """Each enrolls in the first account; the seconds from the answer to its first and to its last watcher."""
    times = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", timeout=30) as http:
        for token in people:
            begun = await do(http, token, BEGIN)
            code = pyotp.TOTP(begun["beginMfaEnrollment"]["manualEntryKey"].replace(" ", "")).now()
            everyone[0].heard_at.clear()
            await do(http, token, VERIFY, code=code)
            answered = time.perf_counter()
            heard = await everyone[0].hear(10 * MOST_S)
            assert len(heard) == len(everyone[0].listening), f"{len(heard)} of {len(everyone[0].listening)} were told."
            times.append((max(0.0, min(heard) - answered), max(heard) - answered))
    return times


async def do(http: httpx.AsyncClient, token: str, mutation: str, **variables: str) -> Any:
    """Send a mutation; its data."""
    body = {"query": mutation, "variables": variables}
    answer = (await http.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"})).json()
    assert "errors" not in answer and "InvalidCode" not in str(answer), answer
    return answer["data"]


if __name__ == "__main__":
    with parts.database() as database_url, parts.api(database_url) as served:
        kept = asyncio.run(main(database_url, served))
    parts.judge(kept)
