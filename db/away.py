"""What an error says about the database: that it cannot be used now, or that this connection no longer leads to it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    Plain: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Plain = asyncpg.Connection

# SQLSTATEs by their beginning: they say that the server is away, full, busy with others, or not the one that writes.
AWAY_STATES = (
    "08",  # connection exceptions
    "25006",  # a read-only transaction: after a failover the connection leads to a standby
    "25P03",  # idle in a transaction for too long
    "25P04",  # a transaction that took too long
    "28",  # it lets us in no more
    "3D000",  # no such database: it is being restored or renamed
    "40",  # rolled back for others: deadlocks
    "53",  # out of connections, memory or disk
    "55000",  # a database that takes no connections now
    "55P03",  # a lock that others hold
    "57",  # cancelled, shutting down, starting up, crashed
    "58",  # its own disk or files fail it
)
# They may be said once a transaction has been committed; any other says that it was rolled back.
UNSURE_STATES = ("08", "40003", "57P")
LEFT_STATES = ("08", "25006", "57P", "58")


def is_away(error: BaseException) -> bool:
    """Whether the database is away or too busy; otherwise a statement, or what it was given, is wrong."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(AWAY_STATES)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # which is about what it was given
    return isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError) or _fell_between(error)


def is_of_way(error: BaseException) -> bool:
    """Whether the database or the way to it has caused this where nothing is asked that could be wrong."""
    return isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError) or is_away(error)


@contextmanager
def while_there() -> Iterator[None]:
    """Come to the block's end early where the database ends it, or the way to it."""
    try:
        yield
    except Exception as error:
        if not is_of_way(error):
            raise


def is_unsure(error: BaseException) -> bool:
    """Whether what was committed as this came up may have been committed all the same."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(UNSURE_STATES)
    return is_away(error)


class Ending(Plain):
    """A connection of which it is no error that it ends when the server has ended it before.

    A pool lets connections that it has no more use for end in a task, whose errors nobody hears.
    """

    async def close(self, *, timeout: float | None = None) -> None:
        """End it, in so many seconds at most."""
        with while_there():
            await super().close(timeout=timeout)


def has_left(error: BaseException) -> bool:
    """Whether connections that were made before this error may lead to the wrong server."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(LEFT_STATES)
    return isinstance(error, asyncpg.InternalClientError)


def _state(error: asyncpg.PostgresError) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _fell_between(error: BaseException) -> bool:
    """Whether asyncpg used a connection that had been ended since its last step: it then asks None for an attribute."""
    if not isinstance(error, AttributeError) or error.obj is not None:
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("asyncpg.")
