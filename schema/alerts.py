"""Alerts: what an account's owners and admins are told of by email."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.alerts
import rules.alerts
from schema.common import Info
from schema.failures import InvalidInput, NotPermitted, TooManyAttempts


@strawberry.enum(description="What an alert is about.")
class AlertKind(Enum):
    MFA_DISABLED = strawberry.enum_value("MFA_DISABLED", description="A staff member turned MFA off.")
    LAST_BACKUP_CODE_USED = strawberry.enum_value(
        "LAST_BACKUP_CODE_USED", description="A staff member signed in with their last backup code."
    )
    LOCKED = strawberry.enum_value("LOCKED", description="Wrong passwords or codes locked a staff member's sign-in.")
    MFA_RESET = strawberry.enum_value("MFA_RESET", description="The MFA of a staff member was reset.")
    POLICY_CHANGED = strawberry.enum_value(
        "POLICY_CHANGED",
        description="The security policy was changed, or what providers may vouch for, or what webhooks there are.",
    )
    EXCEPTION_GIVEN = strawberry.enum_value(
        "EXCEPTION_GIVEN", description="A staff member got more time, or was exempted from MFA."
    )
    ACCOUNT_VIEWED = strawberry.enum_value("ACCOUNT_VIEWED", description="A platform operator looked at the account.")
    BREAK_GLASS_SIGNED_IN = strawberry.enum_value(
        "BREAK_GLASS_SIGNED_IN",
        description="Somebody signed in to a break-glass account. Of this one, owners are told each time, at once.",
    )
    OWNER_ADDED = strawberry.enum_value(
        "OWNER_ADDED", description="Somebody was invited as an owner, or became one; they are not told themselves."
    )
    SIGN_IN_REJECTED = strawberry.enum_value(
        "SIGN_IN_REJECTED", description="An owner or admin said by an email's link that a sign-in was not theirs."
    )
    WEEKLY_DIGEST = strawberry.enum_value(
        "WEEKLY_DIGEST", description="On Mondays, what is open, in numbers; none when nothing is."
    )


@strawberry.type(
    description="To whom alerts of a kind are emailed. Each gets at most one of a kind an hour, the rest gathered into "
    "one. Mail to a person about their own sign-in cannot be switched off."
)
class AlertSetting:
    kind: AlertKind = strawberry.field(description="What they are about.")
    email: bool = strawberry.field(description="Whether owners get them by email: true unless switched off.")
    email_admins: bool = strawberry.field(description="Whether admins do, too: false unless switched on.")

    @classmethod
    def of(cls, setting: rules.alerts.AlertSetting) -> AlertSetting:
        return cls(kind=AlertKind[setting.kind], email=setting.email, email_admins=setting.email_admins)


@strawberry.input(description="A kind of alert, and to whom it is emailed.")
class AlertSettingInput:
    kind: AlertKind = strawberry.field(description="What they are about.")
    email: bool | None = strawberry.field(
        default=None, description="Whether owners get them by email. Stays as it is when null."
    )
    email_admins: bool | None = strawberry.field(
        default=None, description="Whether admins do, too. Stays as it is when null."
    )


@strawberry.input(description="Kinds that are not given stay as they are.")
class UpdateAlertsInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    alerts: list[AlertSettingInput] = strawberry.field(description="Each kind once.")


@strawberry.type(description="The alerts hold as asked for.")
class AlertsUpdated:
    alerts: list[AlertSetting] = strawberry.field(description="All kinds, as they are set now.")


UpdateAlertsResult = Annotated[
    AlertsUpdated | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("UpdateAlertsResult", description="What came of setting the alerts."),
]


@strawberry.type
class AlertMutation:
    @strawberry.mutation(
        description="Sets which alerts are emailed to the account's owners and admins. Owners only; all are told of it."
    )
    async def update_alerts(
        self,
        info: Info,
        input: Annotated[UpdateAlertsInput, strawberry.argument(description="The kinds to set.")],  # noqa: A002
    ) -> UpdateAlertsResult | None:
        wishes = [
            rules.alerts.Wish(rules.alerts.AlertKind(each.kind.name), each.email, each.email_admins)
            for each in input.alerts
        ]
        settings = await resolvers.alerts.update(info.context, resolvers.access.parse_id(input.account_id), wishes)
        return AlertsUpdated(alerts=[AlertSetting.of(each) for each in settings])
