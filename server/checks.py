"""What a part needs before it starts, each lack told in one plain sentence."""

from __future__ import annotations

import asyncio

import asyncpg

from db import ledger
from db.ledger import Ledger
from db.migrate import Migration, migrate, require_version
from settings import Settings, SettingsError

CONNECT_TIMEOUT_S = 10
EXAMPLES = {
    "database_url": "postgresql://user:password@host/database",
    "broker_url": "redis://:password@host:6379/0",
    "smtp_url": "smtp://host:25",
}


class DatabaseError(Exception):
    """The database cannot be used; the message is one plain sentence without its password."""


def require(settings: Settings, *names: str) -> None:
    """Raise SettingsError when one of these URLs is not set."""
    for name in names:
        if not getattr(settings, name):
            raise SettingsError(f"GATEHOUSE_{name.upper()} is not set: give it as in {EXAMPLES[name]}.")


def check_database(url: str) -> None:
    """Raise DatabaseError when the database does not answer, is too new or lacks migrations, and MigrationError."""
    if problem := read_ledger(url).problem:
        raise DatabaseError(problem)


def read_ledger(url: str) -> Ledger:
    """Which migrations the database has. Raises DatabaseError, and MigrationError for too old a server."""
    try:
        return asyncio.run(_ledger(url))
    except Exception as error:
        raise plain_database_error(error) from None


def migrate_database(url: str) -> list[Migration]:
    """Apply the missing migrations and return them. Raises DatabaseError or MigrationError."""
    try:
        return asyncio.run(migrate(url))
    except Exception as error:
        raise plain_database_error(error) from None


def plain_database_error(error: Exception) -> Exception:
    """What went wrong with the database as a sentence; an error that is none of the database's comes back as it is."""
    if isinstance(error, ValueError):  # from reading the URL; its text may hold the password
        return SettingsError(
            f"GATEHOUSE_DATABASE_URL is wrong: give {EXAMPLES['database_url']}, special characters percent-encoded."
        )
    if isinstance(error, TimeoutError):
        return DatabaseError("The database does not answer: it took too long.")
    if isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError):
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        return DatabaseError(f"The database does not answer: {reason}.")
    return error


async def _ledger(url: str) -> Ledger:
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        require_version(connection)
        return await ledger.read(connection)
    finally:
        await connection.close()
