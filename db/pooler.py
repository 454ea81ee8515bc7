"""The way through a pooler that lends a server for one transaction at a time, as PgBouncer does in transaction mode."""

from __future__ import annotations

import secrets
from typing import Any, Literal

from asyncpg.transaction import Transaction

from db.away import Ending, Plain

Isolation = Literal["read_committed", "read_uncommitted", "serializable", "repeatable_read"]

# No two processes may name a statement alike, for they share servers.
OWN_PREFIX = secrets.token_hex(6)


class LentConnection(Ending):
    """Runs each statement in a transaction with its limits: without one, each of its steps could meet another server.

    It wants `statement_cache_size=0`: a statement that was kept on one server is not on the next.
    """

    limits = ""  # SET LOCAL …: a pooler passes no startup parameters on

    def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, deferrable: bool = False
    ) -> Transaction:
        """A transaction under the connection's limits."""
        return _LimitedTransaction(self, isolation, readonly, deferrable)

    async def _execute(self, *arguments: Any, **options: Any) -> Any:
        # What every statement with arguments comes to in asyncpg.
        if self.is_in_transaction():
            return await super()._execute(*arguments, **options)  # type: ignore[misc]
        async with self.transaction():
            return await super()._execute(*arguments, **options)  # type: ignore[misc]

    def _get_unique_id(self, prefix: str) -> str:
        return f"{super()._get_unique_id(prefix)}{OWN_PREFIX}"  # type: ignore[misc]


class _LimitedTransaction(Transaction):
    _connection: LentConnection
    _nested: bool

    async def start(self) -> None:
        await super().start()
        if not self._nested and self._connection.limits:
            await self._connection.execute(self._connection.limits)


def limited(settings: dict[str, str]) -> type[LentConnection]:
    """Connections whose transactions run under these settings."""
    limits = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    return type("LimitedConnection", (LentConnection,), {"limits": limits})


async def leads_to_pooler(connection: Plain) -> bool:
    """Whether the server that answers is another than the one that was connected to."""
    async with connection.transaction():
        answering: int = await connection.fetchval("SELECT pg_backend_pid()")
    return answering != connection.get_server_pid()
