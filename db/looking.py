"""Short looks at the database, over a connection of their own: a busy pool is no broken one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

import db.pooler
from db.away import Plain

# A server ends by itself what nobody waits for any more; before that whoever has waited says that it took too long.
LEFT_BEHIND_S = 1.0


@asynccontextmanager
async def looking(url: str, within_s: float) -> AsyncIterator[Plain]:
    """A connection, through a pooler or not, for a look that may take so long with all that it asks.

    Raises TimeoutError, and whatever asyncpg does.
    """
    limits = {"statement_timeout": f"{within_s + LEFT_BEHIND_S}s"}
    async with asyncio.timeout(within_s):
        connection = await asyncpg.connect(url, statement_cache_size=0, connection_class=db.pooler.limited(limits))
        try:
            yield connection
        finally:
            # Without a word: a server that says nothing would let us wait for its own.
            connection.terminate()
