"""How an account complied at a past instant: 10,000 staff and 1,000,000, with half a year of changes behind them.

Held: the cost grows no faster than the staff, by a tenth of a power more at most; it is one statement, and finds the
counts that were written.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg

from bench import parts
from bench.roster import measure
from db import compliance
from db.pool import Connection

SMALL, LARGE = 10_000, 1_000_000
ENROLLED_EVERY = 2
RUNS = 3
MOST_GROWTH = 2.0  # times the staff's own: caches are colder on a large table

# Everybody joined half a year ago as a member, and some had another role before; half have enrolled a quarter of a year
# ago, as many had been enrolled before that and turned it off; some were reset, some excepted.
HISTORY = (
    """
    INSERT INTO policy_history SELECT id, now() - interval '150 days', 14, now() - interval '136 days', 0, 'EVERYONE',
        now() - interval '150 days', NULL FROM accounts WHERE id = $1
    """,
    """
    INSERT INTO member_history SELECT account_id, user_id, email, role, now() - interval '180 days',
        now() - interval '180 days', now() - interval '120 days' FROM staff WHERE account_id = $1
    """,
    """
    INSERT INTO member_history SELECT account_id, user_id, email, role, now() - interval '180 days',
        now() - interval '120 days', NULL FROM staff WHERE account_id = $1
    """,
    """
    INSERT INTO factor_history SELECT user_id, now() - interval '170 days', now() - interval '100 days'
    FROM staff WHERE account_id = $1
    """,
    """
    INSERT INTO factor_history SELECT user_id, now() - interval '90 days', NULL
    FROM staff WHERE account_id = $1 AND has_mfa
    """,
    """
    INSERT INTO reset_history SELECT user_id, now() - interval '95 days', now() - interval '90 days'
    FROM staff WHERE account_id = $1 AND has_mfa
    """,
    """
    INSERT INTO mfa_exceptions (account_id, user_id, kind, until, reason, created_at)
    SELECT account_id, user_id, 'EXEMPTED', now() + interval '30 days', 'bench', now() - interval '50 days'
    FROM staff WHERE account_id = $1 AND NOT has_mfa AND user_id::text LIKE '%0'
    """,
)


async def main(url: str) -> dict[str, bool]:
    """Fill, measure and print; what was kept."""
    connection = await asyncpg.connect(url)
    started = time.perf_counter()
    accounts = [await parts.add_account(connection, str(size), size, ENROLLED_EVERY) for size in (SMALL, LARGE)]
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for account_id in accounts:
            await connection.execute("DELETE FROM policy_history WHERE account_id = $1", account_id)
            for statement in HISTORY:
                await connection.execute(statement, account_id, timeout=600)
    await parts.settle(connection)
    print(f"{SMALL + LARGE:,} staff written in {time.perf_counter() - started:.0f} s\n")
    now: datetime = await connection.fetchval("SELECT now()")
    rows: list[tuple[str, float, float, float]] = []
    for days in (0, 92, 110):
        at = now - timedelta(days=days)
        small, large = await measure([partial(compliance.at, connection, each, at) for each in accounts], RUNS)
        rows.append((f"{days} days ago", small, large, large / small))
    parts.table(("", f"{SMALL:,} ms", f"{LARGE:,} ms", "ratio"), rows)
    are_right = [
        await is_right(connection, each, size, now) for each, size in zip(accounts, (SMALL, LARGE), strict=True)
    ]
    sent = await parts.sent_by(connection, partial(compliance.at, connection, accounts[0], None))
    await connection.close()
    growth = max(row[3] for row in rows) / (LARGE / SMALL)
    return {
        f"it grows {growth:.1f} times as fast as the staff ({MOST_GROWTH:.0f} allowed)": growth <= MOST_GROWTH,
        "the counts are those that were written": all(are_right),
        "it is one statement": len(sent) == 1,
    }


async def is_right(connection: Connection, account_id: UUID, size: int, now: datetime) -> bool:
    """Whether it finds everybody, half of them enrolled now, none before they were, and all before that."""
    found = [await compliance.at(connection, account_id, now - timedelta(days=days)) for days in (0, 96, 110)]
    counts = [(each.staff_count, each.enrolled_count) for each in found if each]
    return counts == [(size, size // ENROLLED_EVERY), (size, 0), (size, size)]


if __name__ == "__main__":
    with parts.database() as database_url:
        kept = asyncio.run(main(database_url))
    parts.judge(kept)
