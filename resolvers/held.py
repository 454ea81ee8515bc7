"""A change that has been made and is not committed: it waits for the mutation's answer, to be stored with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from db.pool import Connection


class Held:
    """An open transaction and all that ends with it. What follows in the mutation reads and changes within it."""

    def __init__(self, connection: Connection, stack: AsyncExitStack) -> None:
        self._connection = connection
        self._stack = stack

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Its connection, which sees the change."""
        yield self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A part of it that fails alone."""
        async with self._connection.transaction():
            yield self._connection

    async def commit(self) -> None:
        """Let the change hold. Raises ServiceUnavailable."""
        await self._stack.aclose()

    async def roll_back(self, error: BaseException) -> None:
        """Undo the change, because of the error. Raises ServiceUnavailable where the database has caused it."""
        # The caller raises the error itself; here it makes the transaction roll back.
        await self._stack.__aexit__(type(error), error, error.__traceback__)
