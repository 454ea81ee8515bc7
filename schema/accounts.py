"""The account, and what its security page shows and changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import languages
import resolvers.access
import resolvers.account_providers
import resolvers.account_recovery
import resolvers.alerts
import resolvers.audit
import resolvers.compliance
import resolvers.languages
import resolvers.lock_out
import resolvers.policy
import resolvers.staff
import resolvers.staff_identities
import resolvers.staff_sessions
import resolvers.standing
import resolvers.webhooks
import rules.people
from db.staff import Filter
from schema.account_recovery import AccountRecoveryDelays
from schema.alerts import AlertSetting
from schema.audit import AuditEventConnection, AuditFilter
from schema.common import MOST_WAITING, Info, at_most, made_in_turns
from schema.compliance import Compliance
from schema.identities import Identity
from schema.languages import Language
from schema.lock_out import LockOutForecast
from schema.policy import EnrollmentProgress, PolicyImpact, RequiredOf, SecurityPolicy, whom
from schema.providers import AccountProvider
from schema.resets import MfaResetRequest, ResetApproval, approval_of, requests_of
from schema.roster import StaffConnection, StaffFilter
from schema.staff_recoveries import StaffAccountRecovery, recoveries_of
from schema.staff_sessions import StaffSession
from schema.standing import MfaException
from schema.webhooks import Webhook

First = Annotated[int | None, strawberry.argument(description="How many at most: 0 to 500.")]
After = Annotated[str | None, strawberry.argument(description="A cursor: go on behind it.")]


@strawberry.type(description="An account: an agency with its staff and its security policy.")
class Account:
    id: strawberry.ID = strawberry.field(description="The account's id.")
    name: str = strawberry.field(description="The account's name, as its people chose it.")
    facts: strawberry.Private[rules.people.Account]

    @strawberry.field(
        description="Owners, admins and super-admins only; for anyone else NOT_FOUND, as if the page did not exist."
    )
    async def security_policy(self, info: Info) -> SecurityPolicy | None:
        return SecurityPolicy.of(await resolvers.policy.security_policy(info.context, self.facts.id))

    @strawberry.field(
        description="Everyone with an account role, by email. Owners, admins and super-admins only. At most 500 a page."
    )
    async def staff(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[  # noqa: A002
            StaffFilter | None, strawberry.argument(description="Which staff; all when null.")
        ] = None,
    ) -> StaffConnection | None:
        wanted = filter.wanted() if filter else Filter()
        page = await resolvers.staff.roster(info.context, self.facts.id, first, after, wanted)
        return StaffConnection.of(info, page, await info.context.person(), self.facts.id, wanted)

    @strawberry.field(description="How far enrollment has come. Owners, admins and super-admins only.")
    async def enrollment_progress(self, info: Info) -> EnrollmentProgress | None:
        return EnrollmentProgress.of(await resolvers.policy.enrollment_progress(info.context, self.facts.id))

    @strawberry.field(
        description="What saving a policy would do, without saving it. Owners, admins and super-admins only."
    )
    async def policy_impact(
        self,
        info: Info,
        require_mfa: Annotated[bool, strawberry.argument(description="The requirement to try out.")],
        grace_period_days: Annotated[
            int | None, strawberry.argument(description="The grace period to try out: 0 to 30 days.")
        ] = 7,
        joiner_days: Annotated[
            int | None, strawberry.argument(description="The days of those who join later; as they are when null.")
        ] = None,
        required_of: Annotated[
            RequiredOf | None, strawberry.argument(description="Of whom to require it; as it is when null.")
        ] = None,
        reset_approval: Annotated[
            ResetApproval | None,
            strawberry.argument(description="Whose resets a second one must approve; as it is when null."),
        ] = None,
    ) -> PolicyImpact | None:
        approval = approval_of(reset_approval)
        found, never_approved = await resolvers.policy.impact(
            info.context,
            self.facts.id,
            require_mfa,
            grace_period_days,
            joiner_days,
            whom(required_of),
            approval,
        )
        return PolicyImpact.of(found, never_approved)

    @strawberry.field(description="Endpoints told of the account's events. Owners, admins and super-admins only.")
    async def webhooks(self, info: Info) -> list[Webhook] | None:
        return [Webhook.of(each) for each in await resolvers.webhooks.of_account(info.context, self.facts.id)]

    @strawberry.field(
        description="Which alerts are emailed to its owners and admins: each kind once. Owners, admins and super-only."
    )
    async def alerts(self, info: Info) -> list[AlertSetting] | None:
        return [AlertSetting.of(each) for each in await resolvers.alerts.of_account(info.context, self.facts.id)]

    @strawberry.field(
        description="The language of its emails to whoever has chosen none. Owners, admins and super-admins only."
    )
    async def language(self, info: Info) -> Language | None:
        return Language[(await resolvers.languages.of_account(info.context, self.facts.id)).upper()]

    @strawberry.field(
        description="OpenID providers that people may sign in at, as the account stands to them. Owners, admins and "
        "super-admins only."
    )
    async def sign_in_providers(self, info: Info) -> list[AccountProvider] | None:
        found = await resolvers.account_providers.of_account(info.context, self.facts.id)
        return [AccountProvider.of(each) for each in found]

    @strawberry.field(
        description="Where a staff member is signed in, newest use first. Owners, admins and super-admins only.",
        metadata=at_most(rules.people.MOST_SESSIONS),
    )
    async def staff_sessions(
        self,
        info: Info,
        staff_id: Annotated[strawberry.ID, strawberry.argument(description="The membership's id, from the roster.")],
    ) -> list[StaffSession] | None:
        found = await resolvers.staff_sessions.live(info.context, self.facts.id, resolvers.access.parse_id(staff_id))
        return await made_in_turns(StaffSession.of, found)

    @strawberry.field(
        description="Accounts at OpenID providers that sign in as a staff member, and those removed. Owners, admins "
        "and super-admins only."
    )
    async def staff_identities(
        self,
        info: Info,
        staff_id: Annotated[strawberry.ID, strawberry.argument(description="The membership's id, from the roster.")],
    ) -> list[Identity] | None:
        staff = resolvers.access.parse_id(staff_id)
        found = await resolvers.staff_identities.of_member(info.context, self.facts.id, staff)
        return [Identity.of(each) for each in found]

    @strawberry.field(
        description="Resets of MFA that wait for a second owner or admin. Owners, admins and super-admins only.",
        metadata=at_most(MOST_WAITING),
    )
    async def mfa_reset_requests(self, info: Info) -> list[MfaResetRequest] | None:
        return await requests_of(info, self.facts.id)

    @strawberry.field(
        description="How long staff wait who come back alone, without their second factor; null unless an owner "
        "allowed it. Owners, admins and super-admins only."
    )
    async def account_recovery(self, info: Info) -> AccountRecoveryDelays | None:
        delays = await resolvers.account_recovery.delays(info.context, self.facts.id)
        return AccountRecoveryDelays.of(delays) if delays else None

    @strawberry.field(
        description="Staff who wait to come back alone, who ends first before the others. Owners, admins and "
        "super-admins only.",
        metadata=at_most(MOST_WAITING),
    )
    async def account_recoveries(self, info: Info) -> list[StaffAccountRecovery] | None:
        return await recoveries_of(info, self.facts.id)

    @strawberry.field(
        description="Who could not come back today if they lost their phone. Owners, admins and super-admins only."
    )
    async def lock_out_forecast(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description="How many at most: 0 to 500; 50 when null.")
        ] = None,
        after: After = None,
    ) -> LockOutForecast | None:
        return await LockOutForecast.of(await resolvers.lock_out.forecast(info.context, self.facts.id, first, after))

    @strawberry.field(description="Security events of the account, newest first. Owners, admins and super-admins only.")
    async def audit_log(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description="How many at most: 0 to 500; 50 when null.")
        ] = None,
        after: After = None,
        filter: Annotated[  # noqa: A002
            AuditFilter | None, strawberry.argument(description="Which events; all when null.")
        ] = None,
    ) -> AuditEventConnection | None:
        types = [event_type.name for event_type in filter.types] if filter and filter.types is not None else None
        email = filter.email if filter else None
        page = await resolvers.audit.log(info.context, self.facts.id, first, after, types, email)
        return await AuditEventConnection.of(page, languages.voice(info.context.language))

    @strawberry.field(
        description="The newest 500 exceptions from its MFA requirement. Owners, admins and super-admins only.",
        metadata=at_most(resolvers.standing.MOST_LISTED),
    )
    async def mfa_exceptions(
        self,
        info: Info,
        include_ended: Annotated[bool | None, strawberry.argument(description="Those that have ended, too.")] = None,
    ) -> list[MfaException] | None:
        found = await resolvers.standing.listed(info.context, self.facts.id, with_ended=bool(include_ended))
        return await made_in_turns(MfaException.of, found)

    @strawberry.field(description="How it complied with its own MFA requirement. Owners, admins and super-admins only.")
    async def compliance(
        self,
        info: Info,
        at: Annotated[datetime | None, strawberry.argument(description="A past instant; now when null.")] = None,
    ) -> Compliance | None:
        found, exceptions = await resolvers.compliance.at(info.context, self.facts.id, at)
        return Compliance.of(found, await made_in_turns(MfaException.of, exceptions))

    @classmethod
    def of(cls, account: rules.people.Account) -> Account:
        return cls(id=strawberry.ID(str(account.id)), name=account.name, facts=account)
