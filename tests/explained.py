"""What a statement looks at, by the database's own account of its plan."""

from __future__ import annotations

import re

import asyncpg


class Explained:
    """A connection on which a statement runs, and tells what it has looked at in place of its rows."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.connection = connection
        self.rows: list[float] = []

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Run it, and note how many rows each step of its plan has given."""
        plan: str = await self.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
        self.rows = [float(each) for each in re.findall(r'"Actual Rows": ([0-9.]+)', plan)]
        return []

    execute = fetch
