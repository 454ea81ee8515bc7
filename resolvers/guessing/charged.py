"""A guess at a password or a code: charged before it is looked at, and given back unless it was wrong.

Within `async with`, whoever looks at the guess raises WrongGuess, or gives a right one back in the transaction of what
follows from it. Whatever else is raised gives the charge back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import db.throttles
import rules.throttling
from db.pool import Connection
from resolvers.context import Context
from rules.failures import Failure, ServiceUnavailable
from rules.sealed import KeyMissingError
from rules.throttling import Charge

logger = logging.getLogger("gatehouse.guessing")


class WrongGuess(Exception):
    """The guess is wrong: leave the transaction and change nothing."""

    def __init__(
        self,
        message: str = "",
        clock_skew_seconds: int | None = None,
        *,
        method: str = "otp",
        is_replay: bool = False,
    ) -> None:
        super().__init__(message)
        self.clock_skew_seconds = clock_skew_seconds
        self.method = method
        # Right once, and spent: somebody has looked on.
        self.is_replay = is_replay


class NotACode(Exception):
    """What was typed cannot be a code: there is nothing to guess by it, so it costs no guess."""


@dataclass(frozen=True)
class Guess:
    charged: Charge

    async def give_back(self, connection: Connection) -> None:
        """It was right: give it back in the transaction of what follows. Last, since throttles are locked last."""
        await db.throttles.give_back(connection, self.charged)


@asynccontextmanager
async def looked_at(
    context: Context, charged: Charge, wrong: Callable[[WrongGuess], Awaitable[Failure]]
) -> AsyncIterator[Guess]:
    """Let it be looked at; `wrong` records a wrong one, and says what it is answered."""
    try:
        yield Guess(charged)
    except WrongGuess as error:
        raise await wrong(error) from None
    except Exception as error:
        # A database too busy even for this keeps the charge: one guess less until its window ends, and never one more.
        with suppress(ServiceUnavailable):
            await _give_back(context, charged)
        if isinstance(error, KeyMissingError):
            logger.error("%s", error)
            raise ServiceUnavailable from error
        raise


async def _give_back(context: Context, charged: Charge) -> None:
    async with context.database.connection() as connection:
        await db.throttles.give_back(connection, charged)


async def is_mail_due(connection: Connection, user_id: UUID, kind: str) -> bool:
    # By kind, so that whoever gets the password, too, is told of at once.
    key = rules.throttling.lock_mail_key(user_id, kind)
    return await db.throttles.is_due(connection, key, rules.throttling.LOCK_MAIL_INTERVAL)
