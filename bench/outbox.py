"""What the relay's look costs, with little history behind it and with much.

Promise: a look at a million dispatched events costs at most twice what it costs at a thousand, waiting events or not.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bench import parts
from db import dispatching
from db.pool import Connection
from rules.events.catalogue import QUIET_TYPES, QUIET_UNLESS_OWNER, SECURITY_TYPES

HISTORIES = (1_000, 1_000_000)
LOOKS = 300
WAITING = 100
MOST_TIMES = 2.0

ADD_HISTORY = """
INSERT INTO events (type, occurred_at, dispatched_at)
SELECT 'SIGN_IN_SUCCEEDED', now() - n * interval '1 s', now() FROM generate_series(1, $1::int) AS n
"""
ADD_WAITING = "INSERT INTO events (type) SELECT 'MFA_ENABLED' FROM generate_series(1, $1::int)"


async def look(connection: Connection) -> None:
    """All that the relay asks of the database when it looks once."""
    await dispatching.dispatch_quiet(connection, QUIET_TYPES, QUIET_UNLESS_OWNER)
    await dispatching.claim_for_hand_over(connection, SECURITY_TYPES, of_these=True, once_more=True)
    await dispatching.claim_for_hand_over(connection, SECURITY_TYPES, of_these=False, once_more=True)


async def measure(url: str) -> list[tuple[float, float]]:
    """For each history the median milliseconds of an idle look, and of one that finds a hundred events."""
    connection = await asyncpg.connect(url)
    found: list[tuple[float, float]] = []
    there = 0
    for history in HISTORIES:
        await connection.execute(ADD_HISTORY, history - there, timeout=120)
        there = history
        await parts.settle(connection)
        idle = [await _timed(connection) for _ in range(LOOKS)]
        busy = []
        for _ in range(LOOKS // 10):
            await connection.execute(ADD_WAITING, WAITING)
            busy.append(await _timed(connection))
            await connection.execute("UPDATE events SET dispatched_at = now() WHERE dispatched_at IS NULL")
        found.append((parts.median_ms(idle), parts.median_ms(busy)))
    await connection.close()
    return found


async def _timed(connection: Connection) -> float:
    began = time.perf_counter()
    await look(connection)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and say whether the promise was kept."""
    with parts.database() as url:
        found = asyncio.run(measure(url))
    (idle_few, busy_few), (idle_many, busy_many) = found
    parts.table(
        ["dispatched events", "an idle look, ms", f"a look that finds {WAITING}, ms"],
        [[f"{history:,}", *times] for history, times in zip(HISTORIES, found, strict=True)],
    )
    times = max(idle_many / idle_few, busy_many / busy_few)
    parts.judge(
        {f"a thousand times the history costs at most {MOST_TIMES:.0f} times ({times:.2f})": times <= MOST_TIMES}
    )


if __name__ == "__main__":
    main()
