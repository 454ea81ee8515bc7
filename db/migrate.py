"""Numbered plain-SQL migrations: checksummed, one at a time under a lock, each in its transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

LOCK_ID = 0x6A7E_0001  # any constant that is ours alone

CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The database's migrations and ours do not agree."""


@dataclass(frozen=True)
class Migration:
    """One file of db/migrations: NNNN_name.sql."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations() -> Iterator[Migration]:
    """Our migrations, in order."""
    folder = files("db") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            yield Migration(int(number), name, entry.read_text())


async def migrate(url: str) -> list[Migration]:
    """Apply what is missing and return it. Raises MigrationError when an applied one has changed."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_ID)
        await connection.execute(CREATE_LEDGER)
        applied = {row["number"]: row for row in await connection.fetch("SELECT * FROM migrations")}
        done = []
        for migration in all_migrations():
            if row := applied.pop(migration.number, None):
                if row["checksum"] != migration.checksum:
                    raise MigrationError(
                        f"Migration {migration.number} ({migration.name}) has changed since it was applied."
                    )
                continue
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                    migration.number,
                    migration.name,
                    migration.checksum,
                )
            done.append(migration)
        if applied:
            raise MigrationError(
                f"The database has migration {max(applied)}, which this version of Gatehouse does not know."
            )
        return done
    finally:
        await connection.close()
