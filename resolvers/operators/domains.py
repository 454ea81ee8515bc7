"""Email domains of accounts: which provider vouches for their addresses, bound and released by operators."""

from __future__ import annotations

from uuid import UUID

from db import account_providers, identities, outbox
from db.account_providers import DomainRequest
from db.pool import Database
from resolvers.operators.finding import OperatorError, keep_account
from rules.events.providers import DomainBound, DomainReleased, DomainRequestEnded
from rules.oidc import ProviderConfig


async def bind(database: Database, account_id: UUID, domain: str, provider: ProviderConfig) -> None:
    """Let the provider alone vouch for addresses at the domain. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
        if not await identities.bind_domain(connection, account_id, domain, provider.name):
            raise OperatorError(f"{domain} is bound to another account.")
        await account_providers.end_request(connection, account_id, domain)
        await outbox.append(connection, DomainBound(account_id=account_id, domain=domain, provider=provider.title))


async def release(database: Database, account_id: UUID, domain: str) -> None:
    """Let any provider vouch for addresses at the domain. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
        if not await identities.release_domain(connection, account_id, domain):
            raise OperatorError(f"{domain} is not bound to this account.")
        await outbox.append(connection, DomainReleased(account_id=account_id, domain=domain))


async def refuse(database: Database, account_id: UUID, domain: str) -> None:
    """Do not bind a domain that the account's owner has asked for. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
        if not await account_providers.end_request(connection, account_id, domain):
            raise OperatorError(f"{domain} is not asked for by this account.")
        await outbox.append(connection, DomainRequestEnded(account_id=account_id, domain=domain, outcome="refused"))


async def requested(database: Database) -> list[DomainRequest]:
    """What owners have asked for, oldest first."""
    async with database.connection() as connection:
        return await account_providers.requests(connection, None)


async def listed(database: Database, account_id: UUID) -> list[tuple[str, str]]:
    """The account's domains, each with its provider's name. Raises OperatorError."""
    async with database.connection() as connection:
        await keep_account(connection, account_id)
        return await identities.domains(connection, account_id)
