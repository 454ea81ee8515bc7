"""What a statement looks at, by the database's own account of its plan."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

LEFT_OUT = "Rows Removed by "


class Explained:
    """A connection on which a statement runs, and tells what it has looked at in place of its rows.

    `unplanned`, it is planned for whatever it may be given, as the database does with one that it is often given.
    """

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], *, unplanned: bool = False) -> None:
        self.connection = connection
        self.unplanned = unplanned
        self.rows: list[float] = []

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Run it, and note how many rows each step of its plan has looked at."""
        if self.unplanned:
            await self.connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE looked AS {statement}")
            run = f"EXECUTE looked ({', '.join(map(_literal, values))})"
            plan = await self.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {run}")
            await self.connection.execute("DEALLOCATE looked; RESET plan_cache_mode")
        else:
            plan = await self.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
        self.rows = _looked_at(json.loads(plan)[0]["Plan"])
        return []

    execute = fetch
    fetchval = fetch


def _looked_at(step: dict[str, Any]) -> list[float]:
    """How many rows the step and those below it have given or left out."""
    left_out = sum(count for name, count in step.items() if name.startswith(LEFT_OUT))
    mine = (step["Actual Rows"] + left_out) * step["Actual Loops"]
    return [mine, *(each for below in step.get("Plans", []) for each in _looked_at(below))]


def _literal(value: object) -> str:
    if isinstance(value, list):
        return "'{" + ",".join(map(str, value)) + "}'"
    return "NULL" if value is None else f"'{value}'"
