"""What an account's owners decide of OpenID providers: whose second factor counts, and which domains to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import db.account_providers
import db.identities
import db.outbox
import resolvers.access
import resolvers.owning
import rules.addresses
from db.pool import Connection
from resolvers.context import Context
from rules.addresses import NotAnAddressError
from rules.events.providers import (
    DomainReleased,
    DomainRequested,
    DomainRequestEnded,
    ProviderMfaAllowed,
    ProviderMfaDisallowed,
)
from rules.failures import InvalidInput
from rules.oidc import ProviderConfig

MOST_REQUESTS = 20
TO_ALLOW = "decide whose second factor counts"
TO_ASK = "ask for a domain"


@dataclass(frozen=True)
class AccountProvider:
    """A provider as one account stands to it."""

    name: str
    title: str
    is_mfa_allowed: bool
    domains: list[str]
    requested_domains: list[str]


async def of_account(context: Context, account_id: UUID) -> list[AccountProvider]:
    """All providers, for whoever may see the account's security page."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await _all(context, connection, account_id)


async def allow_mfa(context: Context, account_id: UUID, name: str, *, is_allowed: bool) -> AccountProvider:
    """Let a provider's second factor satisfy the account's requirement, or not. Raises InvalidInput, NotPermitted."""
    person = await resolvers.access.owned_account(context, account_id, to=TO_ALLOW)
    provider = _known(context, name)
    async with resolvers.owning.as_owner(context, person, account_id) as connection:
        change = db.account_providers.allow_mfa if is_allowed else db.account_providers.disallow_mfa
        if await change(connection, account_id, provider.name):
            kind = ProviderMfaAllowed if is_allowed else ProviderMfaDisallowed
            await db.outbox.append(connection, kind(account_id=account_id, actor_id=person.id, provider=provider.title))
        found = await _one(context, connection, account_id, provider.name)
    await context.reload()
    return found


async def request_domain(context: Context, account_id: UUID, domain: str, name: str) -> AccountProvider:
    """Ask that the provider alone vouch for addresses at the domain. Raises InvalidInput, NotPermitted.

    Whether it is another account's already is for the operator to see, and for nobody to find out here.
    """
    person = await resolvers.access.owned_account(context, account_id, to=TO_ASK)
    provider, domain = _known(context, name), _domain(domain)
    async with resolvers.owning.as_owner(context, person, account_id) as connection:
        await _ask(connection, account_id, domain, provider, person.id)
        return await _one(context, connection, account_id, provider.name)


async def release_domain(context: Context, account_id: UUID, domain: str) -> None:
    """Withdraw a request, and release the domain where it is bound; what is neither stays so. Raises NotPermitted."""
    person = await resolvers.access.owned_account(context, account_id, to=TO_ASK)
    domain = _domain(domain)
    async with resolvers.owning.as_owner(context, person, account_id) as connection:
        if await db.account_providers.end_request(connection, account_id, domain):
            ended = DomainRequestEnded(account_id=account_id, actor_id=person.id, domain=domain, outcome="withdrawn")
            await db.outbox.append(connection, ended)
        if await db.identities.release_domain(connection, account_id, domain):
            released = DomainReleased(account_id=account_id, actor_id=person.id, domain=domain)
            await db.outbox.append(connection, released)


async def _ask(connection: Connection, account_id: UUID, domain: str, provider: ProviderConfig, user_id: UUID) -> None:
    if (domain, provider.name) in await db.identities.domains(connection, account_id):
        return
    asked_before = await db.account_providers.requests(connection, account_id)
    if len(asked_before) >= MOST_REQUESTS and domain not in {each.domain for each in asked_before}:
        raise InvalidInput("domain", f"An account asks for {MOST_REQUESTS} domains at once at most.")
    if await db.account_providers.ask_for_domain(connection, account_id, domain, provider.name, user_id):
        event = DomainRequested(account_id=account_id, actor_id=user_id, domain=domain, provider=provider.title)
        await db.outbox.append(connection, event)


def _known(context: Context, name: str) -> ProviderConfig:
    provider = context.service.providers.get(name)
    if provider is None:
        raise InvalidInput("provider", "There is no such provider.")
    return provider.config


def _domain(text: str) -> str:
    try:
        return rules.addresses.checked_domain(text)
    except NotAnAddressError as error:
        raise InvalidInput("domain", str(error)) from None


async def _one(context: Context, connection: Connection, account_id: UUID, name: str) -> AccountProvider:
    (found,) = [each for each in await _all(context, connection, account_id) if each.name == name]
    return found


async def _all(context: Context, connection: Connection, account_id: UUID) -> list[AccountProvider]:
    allowed = await db.account_providers.with_mfa_allowed(connection, account_id)
    bound = await db.identities.domains(connection, account_id)
    asked = await db.account_providers.requests(connection, account_id)
    return [
        AccountProvider(
            name,
            provider.config.title,
            name in allowed,
            [domain for domain, by in bound if by == name],
            [each.domain for each in asked if each.provider == name],
        )
        for name, provider in sorted(context.service.providers.items())
    ]
