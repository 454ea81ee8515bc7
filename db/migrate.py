"""Numbered plain-SQL migrations: checksummed, one at a time under a lock, each in its transaction.

A file that creates an index concurrently holds that one statement and no more; it stands outside of a transaction. A
file that is marked as repeated ends with a statement that changes a few rows, and is run, each time in a transaction of
its own, until that changes none: so it holds up nobody for long who writes meanwhile.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

import db.pooler
import db.short_tries
import db.turn
from db.away import Plain
from db.pool import Connection
from db.short_tries import InUseError

OLDEST_SERVER = 15
CONCURRENTLY = re.compile(r"^CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)", re.MULTILINE)

# The first ones say nothing of their kind; no release was between them.
UNMARKED = {1: "expand", 2: "expand", 3: "expand", 4: "expand", 5: "expand", 6: "contract", 7: "expand"}
KIND = re.compile(r"-- (expand|contract): ")
REPEATED = re.compile(r"^-- repeated: ", re.MULTILINE)

# Those that were mended when databases had them, each by the checksum that stands there; what it leaves is the same.
MENDED = {
    96: "39bf0e71ad8a470dd1b5fd1ecffe8389e8e0f00183c9e50ce9b4682231966c90",
    160: "10f730bcdb69ed0217a2ddb9ff67e2181cd63034acb954e7c922644f23c54914",
}

HAS_LEDGER = """
SELECT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('migrations') AND attname = 'kind' AND NOT attisdropped)
"""
CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    kind text
);
ALTER TABLE migrations ADD COLUMN IF NOT EXISTS kind text;
"""


class MigrationError(Exception):
    """The database and this version of Gatehouse do not agree, or the database lets nothing be changed now."""


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

    @property
    def checksums(self) -> set[str | None]:
        """What may stand for it in the ledger."""
        return {self.checksum, MENDED.get(self.number)}

    @property
    def kind(self) -> str:
        """ "expand", beside which the version before this one goes on running, or "contract". Raises KeyError."""
        found = KIND.match(self.sql)
        return found[1] if found else UNMARKED[self.number]

    @property
    def is_repeated(self) -> bool:
        """Whether it is run until it changes nothing."""
        return bool(REPEATED.search(self.sql))

    @property
    def index(self) -> str | None:
        """The index that it creates concurrently, if that is what it does."""
        found = CONCURRENTLY.search(self.sql)
        return found[1] if found else None


def all_migrations() -> Iterator[Migration]:
    """Our migrations, in order."""
    folder = files("db") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            yield Migration(int(number), name, entry.read_text())


async def require_server(connection: Plain) -> None:
    """Raise MigrationError when the server is older than our statements, or another with each transaction."""
    if await db.pooler.leads_to_pooler(connection):
        raise MigrationError(
            "The database's URL leads to a connection pooler: set GATEHOUSE_DATABASE_DIRECT_URL to PostgreSQL itself, "
            "for LISTEN and migrations."
        )
    major = connection.get_server_version().major
    if major < OLDEST_SERVER:
        raise MigrationError(f"The database is PostgreSQL {major}, and Gatehouse needs {OLDEST_SERVER} or later.")


async def migrate(url: str) -> list[Migration]:
    """Apply what is missing and return it. Raises MigrationError."""
    connection = await asyncpg.connect(url, timeout=10, statement_cache_size=0)
    try:
        await require_server(connection)
        await db.turn.take(connection)
        await _provide_ledger(connection)
        applied = {row["number"]: row for row in await connection.fetch("SELECT * FROM migrations")}
        done = []
        for migration in all_migrations():
            if row := applied.pop(migration.number, None):
                if row["checksum"] not in migration.checksums:
                    raise MigrationError(
                        f"Migration {migration.number} ({migration.name}) has changed since it was applied."
                    )
                continue
            await _apply(connection, migration)
            done.append(migration)
        if applied:
            raise MigrationError(
                f"The database has migration {max(applied)}, which this version of Gatehouse does not know."
            )
        return done
    except InUseError as error:
        raise MigrationError(str(error)) from None
    finally:
        await connection.close()


async def _provide_ledger(connection: Connection) -> None:
    # It is looked at first: to add a column that is there waits for everybody, too, and every probe of a part behind.
    if not await connection.fetchval(HAS_LEDGER):
        await db.short_tries.make(connection, "The list of migrations", lambda: connection.execute(CREATE_LEDGER))


async def _apply(connection: Connection, migration: Migration) -> None:
    if migration.index is not None:
        await _create_index(connection, migration, migration.index)
        await _record(connection, migration)
        return
    while not await _run(connection, migration):
        pass


async def _run(connection: Connection, migration: Migration) -> bool:
    """Whether it is applied by that, and not to be repeated. Raises InUseError."""

    async def change() -> bool:
        status = await connection.execute(migration.sql)
        is_done = not migration.is_repeated or status == "UPDATE 0"
        if is_done:
            await _record(connection, migration)
        return is_done

    return await db.short_tries.make(connection, f"Migration {migration.number} ({migration.name})", change)


async def _create_index(connection: Connection, migration: Migration, index: str) -> None:
    """It waits for every open transaction, and nobody for it: no hurry. What an ended try has left of it goes first."""
    is_half = await connection.fetchval(
        "SELECT true FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid", index
    )
    if is_half:
        await connection.execute(f"DROP INDEX CONCURRENTLY {index}")
    await connection.execute(migration.sql)


async def _record(connection: Connection, migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO migrations (number, name, checksum, kind) VALUES ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.checksum,
        migration.kind,
    )
