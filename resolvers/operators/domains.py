"""Email domains of accounts: which provider vouches for their addresses, bound and released by operators."""

from __future__ import annotations

from uuid import UUID

import db.account_providers
import db.identities
import db.outbox
import resolvers.operators.finding
from db.account_providers import DomainRequest
from db.pool import Database
from resolvers.operators.finding import OperatorError
from rules.events.providers import DomainBound, DomainReleased, DomainRequestEnded
from rules.oidc import ProviderConfig


async def bind(database: Database, account_id: UUID, domain: str, provider: ProviderConfig) -> None:
    """Let the provider alone vouch for addresses at the domain. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        if not await db.identities.bind_domain(connection, account_id, domain, provider.name):
            raise OperatorError(f"{domain} is bound to another account.")
        await db.account_providers.end_request(connection, account_id, domain)
        await db.outbox.append(connection, DomainBound(account_id=account_id, domain=domain, provider=provider.title))


async def release(database: Database, account_id: UUID, domain: str) -> None:
    """Let any provider vouch for addresses at the domain that is not confined to others. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        if not await db.identities.release_domain(connection, account_id, domain):
            raise OperatorError(f"{domain} is not bound to this account.")
        await db.outbox.append(connection, DomainReleased(account_id=account_id, domain=domain))


async def trust(database: Database, provider: ProviderConfig) -> None:
    """Let a provider that was bound vouch for addresses at all domains bound to none. Raises OperatorError."""
    async with database.transaction() as connection:
        if not await db.identities.trust(connection, provider.name):
            raise OperatorError(f"{provider.title} is not confined, or is bound still: release its domains first.")


async def refuse(database: Database, account_id: UUID, domain: str) -> None:
    """Do not bind a domain that the account's owner has asked for. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        if not await db.account_providers.end_request(connection, account_id, domain):
            raise OperatorError(f"{domain} is not asked for by this account.")
        await db.outbox.append(connection, DomainRequestEnded(account_id=account_id, domain=domain, outcome="refused"))


async def requested(database: Database) -> list[DomainRequest]:
    """What owners have asked for, oldest first."""
    async with database.connection() as connection:
        return await db.account_providers.requests(connection, None)


async def listed(database: Database, account_id: UUID) -> list[tuple[str, str]]:
    """The account's domains, each with its provider's name. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        return await db.identities.domains(connection, account_id)
