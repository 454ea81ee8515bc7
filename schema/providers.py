"""OpenID providers as an account stands to them, and what its owners decide of them."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.access
import resolvers.account_providers
from schema.common import Info
from schema.failures import InvalidInput, NotPermitted


@strawberry.type(description="An OpenID provider that people may sign in at, as one account stands to it.")
class AccountProvider:
    name: str = strawberry.field(description="Its name, as in /sign-in/with/NAME.")
    title: str = strawberry.field(description="What it is called on a button.")
    mfa_allowed: bool = strawberry.field(
        description="Whether a second factor that it says it has asked for (amr with 'mfa') satisfies the account's "
        "MFA requirement, in the session that began so. False unless an owner has allowed it."
    )
    domains: list[str] = strawberry.field(
        description="The account's email domains that it alone vouches for, as an operator has bound them."
    )
    requested_domains: list[str] = strawberry.field(
        description="Those that owners have asked for and no operator has decided of."
    )

    @classmethod
    def of(cls, provider: resolvers.account_providers.AccountProvider) -> AccountProvider:
        return cls(
            name=provider.name,
            title=provider.title,
            mfa_allowed=provider.is_mfa_allowed,
            domains=provider.domains,
            requested_domains=provider.requested_domains,
        )


@strawberry.input(description="Whether a provider's second factor satisfies the account's MFA requirement.")
class AllowProviderMfaInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    provider: str = strawberry.field(description="The provider's name.")
    allowed: bool = strawberry.field(description="Whether it does.")


@strawberry.input(description="An email domain that one provider alone is to vouch for.")
class RequestDomainInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    domain: str = strawberry.field(description="What stands behind the @ of its people's addresses.")
    provider: str = strawberry.field(description="The provider's name.")


@strawberry.input(description="An email domain of the account, or one that it has asked for.")
class ReleaseDomainInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    domain: str = strawberry.field(description="The domain.")


@strawberry.type(description="It is as was asked for.")
class ProviderMfaAllowed:
    provider: AccountProvider = strawberry.field(description="The provider, as the account stands to it now.")


@strawberry.type(description="An operator decides of it. Until then nothing is different.")
class DomainRequested:
    provider: AccountProvider = strawberry.field(description="The provider, as the account stands to it now.")


@strawberry.type(description="The domain is the account's no more, and no longer asked for.")
class DomainReleased:
    ok: bool = strawberry.field(description="Always true.")


AllowProviderMfaResult = Annotated[
    ProviderMfaAllowed | InvalidInput | NotPermitted,
    strawberry.union("AllowProviderMfaResult", description="What came of deciding it."),
]
RequestDomainResult = Annotated[
    DomainRequested | InvalidInput | NotPermitted,
    strawberry.union("RequestDomainResult", description="What came of asking."),
]
ReleaseDomainResult = Annotated[
    DomainReleased | InvalidInput | NotPermitted,
    strawberry.union("ReleaseDomainResult", description="What came of releasing it."),
]


@strawberry.type
class ProviderMutation:
    @strawberry.mutation(
        description="Lets a second factor that a provider has asked for satisfy the account's MFA requirement, or not. "
        "Whoever has MFA on here is asked for it all the same. Owners only."
    )
    async def allow_provider_mfa(
        self,
        info: Info,
        input: Annotated[AllowProviderMfaInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> AllowProviderMfaResult | None:
        found = await resolvers.account_providers.allow_mfa(
            info.context, resolvers.access.parse_id(input.account_id), input.provider, is_allowed=input.allowed
        )
        return ProviderMfaAllowed(provider=AccountProvider.of(found))

    @strawberry.mutation(
        description="Asks that one provider alone vouch for the addresses of a domain. An operator, who knows whose it "
        "is, binds it. Owners only."
    )
    async def request_domain(
        self,
        info: Info,
        input: Annotated[RequestDomainInput, strawberry.argument(description="Which, and by whom.")],  # noqa: A002
    ) -> RequestDomainResult | None:
        found = await resolvers.account_providers.request_domain(
            info.context, resolvers.access.parse_id(input.account_id), input.domain, input.provider
        )
        return DomainRequested(provider=AccountProvider.of(found))

    @strawberry.mutation(
        description="Withdraws the request for a domain, and lets any provider vouch for its addresses where it was "
        "bound to the account. Owners only."
    )
    async def release_domain(
        self,
        info: Info,
        input: Annotated[ReleaseDomainInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> ReleaseDomainResult | None:
        await resolvers.account_providers.release_domain(
            info.context, resolvers.access.parse_id(input.account_id), input.domain
        )
        return DomainReleased(ok=True)
