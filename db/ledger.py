"""Which migrations the database has, beside those that this version of Gatehouse knows."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

import db.migrate
from db.migrate import Migration
from db.pool import Connection


@dataclass(frozen=True)
class Ledger:
    """What the database lacks, and what it has that breaks us: a later version's contraction."""

    missing: tuple[Migration, ...]
    breaking: tuple[int, ...]

    @property
    def problem(self) -> str | None:
        """Why this version cannot run on the database, in a sentence; None when it can."""
        if self.breaking:
            return (
                f"The database is too new: its migration {max(self.breaking)} belongs to a later version of Gatehouse, "
                "and this one cannot run on it."
            )
        if self.missing:
            return f"The database lacks {len(self.missing)} migration(s): run `gatehouse migrate` first."
        return None


async def read(connection: Connection) -> Ledger:
    """The database's migrations beside ours. What a later version has only added, we do not mind."""
    try:
        rows = await connection.fetch("SELECT number, to_jsonb(migrations) ->> 'kind' AS kind FROM migrations")
    except asyncpg.UndefinedTableError:
        rows = []
    applied = {row["number"]: row["kind"] for row in rows}
    ours = list(db.migrate.all_migrations())
    missing = tuple(migration for migration in ours if migration.number not in applied)
    unknown = set(applied) - {migration.number for migration in ours}
    return Ledger(missing, tuple(sorted(number for number in unknown if applied[number] != "expand")))
