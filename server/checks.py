"""What a part needs before it starts, each lack told in one plain sentence."""

from __future__ import annotations

import asyncio

import asyncpg

import db.away
import db.ledger
import db.looking
import db.migrate
from db.ledger import Ledger
from db.migrate import Migration
from settings import Settings, SettingsError

LOOK_TIMEOUT_S = 10.0
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


def check_database(settings: Settings) -> None:
    """Raise DatabaseError when the database does not answer, is too new or lacks migrations, and MigrationError."""
    if problem := read_ledger(settings.direct_url).problem:
        raise DatabaseError(problem)
    if settings.is_pooled:
        check_pooler(settings)


def check_pooler(settings: Settings) -> None:
    """Raise DatabaseError when the database does not answer through the pooler."""
    try:
        asyncio.run(_connect_through(settings.database_url))
    except Exception as error:
        raise plain_database_error(error, "pooler") from None


def read_ledger(url: str) -> Ledger:
    """Which migrations the database has. Raises DatabaseError, and MigrationError for too old a server."""
    try:
        return asyncio.run(_ledger(url))
    except Exception as error:
        raise plain_database_error(error) from None


def migrate_database(url: str) -> list[Migration]:
    """Apply the missing migrations and return them. Raises DatabaseError or MigrationError."""
    try:
        return asyncio.run(db.migrate.migrate(url))
    except Exception as error:
        raise plain_database_error(error) from None


def plain_database_error(error: Exception, who: str = "database") -> Exception:
    """What went wrong in reaching the database as a sentence; an error that is none of its comes back as it is."""
    if isinstance(error, ValueError):  # from reading the URL; its text may hold the password
        return SettingsError(
            f"GATEHOUSE_DATABASE_URL is wrong: give {EXAMPLES['database_url']}, special characters percent-encoded."
        )
    return plain_outage(error, who)


def plain_outage(error: Exception, who: str = "database") -> Exception:
    """The same of an error at work, whose own values may be what is wrong, and not the URL."""
    if isinstance(error, TimeoutError):
        return DatabaseError(f"The {who} does not answer: it took too long.")
    if isinstance(error, asyncpg.DataError):  # a value that a statement was given
        return error
    if db.away.is_of_way(error):
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        return DatabaseError(f"The {who} does not answer: {reason}.")
    return error


async def _ledger(url: str) -> Ledger:
    async with db.looking.looking(url, LOOK_TIMEOUT_S) as connection:
        await db.migrate.require_server(connection)
        return await db.ledger.read(connection)


async def _connect_through(url: str) -> None:
    async with db.looking.looking(url, LOOK_TIMEOUT_S) as connection:
        await connection.fetchval("SELECT 1")
