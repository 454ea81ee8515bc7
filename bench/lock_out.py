"""The lock-out forecast of 10,000 and of 1,000,000 staff.

Held: where as many are at risk, it costs the same on both accounts, in the plans that a connection settles on; where
all who have MFA on are, it costs a few times the roster's counts, which look at everybody; and it is one statement.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from uuid import UUID

import asyncpg

from bench import parts
from bench.roster import measure
from db import lock_out, staff
from db.pool import Connection
from db.staff import Filter

SMALL, LARGE = 10_000, 1_000_000
ENROLLED_EVERY = 2
AT_RISK = 500
PAGE = 50
RUNS = 15
MOST_RATIO, MOST_COUNTS = (
    3.0,
    3.0,
)  # caches are colder on a large table; what looks at everybody is a hundred times slower

# So many of an account have no code left, as many have not saved them; everybody else has them all.
LET_FEW_BE_AT_RISK = """
UPDATE staff SET codes_left = CASE WHEN place <= $2 / 2 THEN 0 ELSE 10 END,
    codes_unsaved = place BETWEEN $2 / 2 + 1 AND $2
FROM (
    SELECT id, row_number() OVER (ORDER BY md5(email)) AS place FROM staff WHERE account_id = $1 AND has_mfa
) AS placed
WHERE staff.id = placed.id
"""


async def main(url: str) -> dict[str, bool]:
    """Fill, measure and print; what was kept."""
    connection = await asyncpg.connect(url)
    started = time.perf_counter()
    accounts = {size: await parts.add_account(connection, str(size), size, ENROLLED_EVERY) for size in (SMALL, LARGE)}
    await parts.settle(connection)
    print(f"{SMALL + LARGE:,} staff written in {time.perf_counter() - started:.0f} s\n")
    all_at_risk = await compare(connection, accounts, "all who have MFA on at risk")
    for account_id in accounts.values():
        await connection.execute(LET_FEW_BE_AT_RISK, account_id, AT_RISK, timeout=600)
    await parts.settle(connection)
    few_at_risk = await compare(connection, accounts, f"{AT_RISK} at risk")
    sent = await parts.sent_by(connection, partial(lock_out.forecast, connection, accounts[LARGE], None, PAGE))
    await connection.close()
    ratio = few_at_risk["forecast"][1] / few_at_risk["forecast"][0]
    counts = max(forecast / look for forecast, look in zip(*all_at_risk.values(), strict=True))
    few = f"with {AT_RISK} at risk {ratio:.1f} times as much of {LARGE:,} as of {SMALL:,} ({MOST_RATIO:.0f} allowed)"
    everybody = f"with all at risk {counts:.1f} times what totalCount costs ({MOST_COUNTS:.0f} allowed)"
    return {few: ratio <= MOST_RATIO, everybody: counts <= MOST_COUNTS, "it is one statement": len(sent) == 1}


async def compare(connection: Connection, accounts: dict[int, UUID], what: str) -> dict[str, list[float]]:
    """Print what the forecast and a look at everybody cost on both accounts; the milliseconds."""
    counted = [await lock_out.forecast(connection, each, None, PAGE) for each in accounts.values()]
    taken = {
        "forecast": await measure(
            [partial(lock_out.forecast, connection, each, None, PAGE) for each in accounts.values()], RUNS
        ),
        "totalCount": await measure(
            [partial(staff.count, connection, each, Filter()) for each in accounts.values()], RUNS
        ),
    }
    rows = [(name, *each, each[1] / each[0]) for name, each in taken.items()]
    print(f"{what}: {counted[0].total:,} and {counted[1].total:,}")
    parts.table(("", *(f"{size:,} ms" for size in accounts), "ratio"), rows)
    return taken


if __name__ == "__main__":
    with parts.database() as database_url:
        kept = asyncio.run(main(database_url))
    parts.judge(kept)
