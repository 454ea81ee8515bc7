"""One migrator at a time: the others wait for their turn, and say whom they wait for."""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from db.pool import Connection

LOCK_ID = 0x6A7E_0001  # any constant that is ours alone
LOOK_AGAIN_S = 0.2
SAID_EVERY = 150  # looks: half a minute

log = logging.getLogger("gatehouse.migrate")


async def take(connection: Connection) -> None:
    """Be the one who migrates, for as long as the connection lasts.

    Not by waiting in a statement: an index that another makes concurrently would wait for that in turn.
    """
    for look in count():
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_ID):
            return
        if look % SAID_EVERY == 0 and (holder := await _holder(connection)) is not None:
            log.warning(
                "Another `gatehouse migrate` is at work, of the database's process %d: it is waited for.", holder
            )
        await asyncio.sleep(LOOK_AGAIN_S)


async def _holder(connection: Connection) -> int | None:
    found: int | None = await connection.fetchval(
        """
        SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = 0 AND objid = $1::bigint::oid
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        LOCK_ID,
    )
    return found
