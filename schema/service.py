"""What a product's own systems ask, with a service key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.service
import rules.addresses
import rules.notice
import rules.people
from resolvers.service import Who
from rules.failures import BadUserInput
from schema.accounts import Account
from schema.common import Info, Role
from schema.notices import MfaNotice
from schema.sign_in import SignInResult, signed_in


@strawberry.input(description="Where the person is: what their browser said, and the address that they came from.")
class ServiceClientInput:
    ip_address: str | None = strawberry.field(default=None, description="The person's address, IPv4 or IPv6.")
    user_agent: str | None = strawberry.field(
        default=None, description="The User-Agent header of the person's browser."
    )


@strawberry.input(
    description="Who has passed the product's own first factor: exactly one of email, userId, externalId."
)
class ServiceSignInInput:
    email: str | None = strawberry.field(
        default=None, description="The person's email address, which the product has verified."
    )
    user_id: strawberry.ID | None = strawberry.field(default=None, description="The person's id in Gatehouse.")
    external_id: str | None = strawberry.field(
        default=None, description="The person's id in the product, as provisionStaff was told."
    )
    client: ServiceClientInput | None = strawberry.field(
        default=None, description="Where the person is; shown in the list of sessions, the audit log and emails."
    )
    amr: list[str] = strawberry.field(
        default_factory=lambda: ["pwd"],
        description="How the product recognised the person, in the words of RFC 8176. A key of one account may not say "
        "what Gatehouse itself asks for as a second factor (otp, backup_code, recovery_pass, mfa): BAD_USER_INPUT.",
    )

    def who(self) -> Who:
        """Whom this means. Raises BadUserInput."""
        if [self.email, self.user_id, self.external_id].count(None) != 2:
            raise BadUserInput("Give exactly one of email, userId and externalId.")
        return Who(
            email=rules.addresses.normalized(self.email) if self.email is not None else None,
            user_id=resolvers.access.parse_id(self.user_id) if self.user_id is not None else None,
            external_id=self.external_id,
        )


@strawberry.type(description="A role of the session's person, and whether the gate stops them there.")
class SessionMembership:
    account: Account = strawberry.field(description="The account.")
    role: Role = strawberry.field(description="The person's role there.")
    blocked: bool = strawberry.field(description="Whether the person must set up MFA before going on there.")


@strawberry.type(description="A live session, as a product's backend asks for it on each request.")
class PersonSession:
    id: strawberry.ID = strawberry.field(description="The session's id; it is not its token.")
    user_id: strawberry.ID = strawberry.field(description="The person's id in Gatehouse.")
    email: str = strawberry.field(description="The person's email address.")
    amr: list[str] = strawberry.field(
        description="How the person was recognised (RFC 8176): what the first factor was; then 'otp' for a code of the "
        "authenticator app or 'backup_code', and 'mfa'."
    )
    auth_time: datetime = strawberry.field(
        description="When the person was last recognised so; by an OpenID provider, when they showed it who they are, "
        "as far as it tells."
    )
    expires_at: datetime = strawberry.field(description="When the session ends at the latest.")
    mfa_enabled: bool = strawberry.field(description="Whether the person has MFA on.")
    blocked: bool = strawberry.field(description="Whether the gate stops the person in any of the memberships.")
    mfa_notice: MfaNotice | None = strawberry.field(
        description="The 'MFA Required' banner to show the person; null when nothing is asked."
    )
    memberships: list[SessionMembership] = strawberry.field(
        description="The person's account roles, as far as the key's account goes. Whoever has none is to be let in "
        "nowhere, the users of a portal apart; 'blocked' is false of them."
    )

    @strawberry.field(description="What the product calls the person; null when it has told nothing.")
    async def external_id(self, info: Info) -> str | None:
        return await resolvers.service.external_id(info.context, resolvers.access.parse_id(self.user_id))

    @classmethod
    def of(cls, person: rules.people.Person, info: Info) -> PersonSession:
        """The session as the product sees it."""
        notice = rules.notice.for_person(person)
        memberships = [
            SessionMembership(account=Account.of(m.account), role=Role[m.role], blocked=person.is_blocked_at(m.account))
            for m in person.memberships
        ]
        return cls(
            id=strawberry.ID(str(person.session_id)),
            user_id=strawberry.ID(str(person.id)),
            email=person.email,
            amr=list(person.amr),
            auth_time=person.password_at,
            expires_at=person.expires_at,
            mfa_enabled=person.mfa_enabled,
            blocked=any(m.blocked for m in memberships),
            mfa_notice=MfaNotice.of(notice, info) if notice else None,
            memberships=memberships,
        )


@strawberry.type
class ServiceQuery:
    @strawberry.field(
        description="Whose session a token is, for service keys with the right sign-in; null once it has ended. Asking "
        "counts as use and keeps the session from idling out."
    )
    async def session(
        self, info: Info, token: Annotated[str, strawberry.argument(description="The session's token.")]
    ) -> PersonSession | None:
        person = await resolvers.service.session(info.context, token)
        return PersonSession.of(person, info) if person else None


@strawberry.type
class ServiceMutation:
    @strawberry.mutation(
        description="Goes on with a person whose first factor the product has verified, for service keys with the "
        "right sign-in. The answer is that of signIn."
    )
    async def service_sign_in(
        self,
        info: Info,
        input: Annotated[ServiceSignInInput, strawberry.argument(description="Who, where and how.")],  # noqa: A002
    ) -> SignInResult | None:
        given = input.client or ServiceClientInput()
        client = resolvers.service.client_of(given.ip_address, given.user_agent)
        return await signed_in(
            info, await resolvers.service.service_sign_in(info.context, input.who(), client, input.amr)
        )
