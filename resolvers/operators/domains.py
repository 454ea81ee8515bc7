"""Email domains of accounts: which provider vouches for their addresses, bound and released by operators."""

from __future__ import annotations

from uuid import UUID

from db import identities, outbox
from db.pool import Database
from resolvers.operators.finding import OperatorError, keep_account
from rules.events.staff import DomainBound, DomainReleased
from rules.oidc import ProviderConfig


async def bind(database: Database, account_id: UUID, domain: str, provider: ProviderConfig) -> None:
    """Let the provider alone vouch for addresses at the domain. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
        if not await identities.bind_domain(connection, account_id, domain, provider.name):
            raise OperatorError(f"{domain} is bound to another account.")
        await outbox.append(connection, DomainBound(account_id=account_id, domain=domain, provider=provider.title))


async def release(database: Database, account_id: UUID, domain: str) -> None:
    """Let any provider vouch for addresses at the domain. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
        if not await identities.release_domain(connection, account_id, domain):
            raise OperatorError(f"{domain} is not bound to this account.")
        await outbox.append(connection, DomainReleased(account_id=account_id, domain=domain))


async def listed(database: Database, account_id: UUID) -> list[tuple[str, str]]:
    """The account's domains, each with its provider's name. Raises OperatorError."""
    async with database.connection() as connection:
        await keep_account(connection, account_id)
        return await identities.domains(connection, account_id)
