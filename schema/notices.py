"""What the person signed in is asked for: to set up MFA, and whether their app still works."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

import rules.check_up
import rules.notice
from schema.accounts import Account
from schema.common import Info, told


@strawberry.enum(description="Why the viewer is asked to set up MFA.")
class MfaNoticeReason(Enum):
    ACCOUNT_POLICY = strawberry.enum_value("ACCOUNT_POLICY", description="An account requires MFA of its staff.")
    ADMIN_RESET = strawberry.enum_value("ADMIN_RESET", description="An owner or admin reset the viewer's MFA.")


@strawberry.type(description="The 'MFA Required' banner.")
class MfaNotice:
    reason: MfaNoticeReason = strawberry.field(description="Why it is shown.")
    account: Account | None = strawberry.field(
        description="The account that asks for it; null when the reason is an admin reset."
    )
    title: str = strawberry.field(description="'MFA Required'")
    message: str = strawberry.field(
        description="'Your agency requires MFA for all staff. You have N day(s) to set it up.', or, once blocking, "
        "'Your agency requires MFA for all staff. Set it up now to continue accessing your account.'"
    )
    action_label: str = strawberry.field(description="The button's text: 'Set it up now'")
    deadline: datetime = strawberry.field(description="When the grace period ends, or ended.")
    days_remaining: int = strawberry.field(description="Days left, rounded up; 0 exactly when blocking.")
    blocking: bool = strawberry.field(description="Whether the viewer is stopped until enrolled.")

    @classmethod
    def of(cls, notice: rules.notice.Notice, info: Info) -> MfaNotice:
        return cls(
            reason=MfaNoticeReason.ACCOUNT_POLICY if notice.account else MfaNoticeReason.ADMIN_RESET,
            account=Account.of(notice.account) if notice.account else None,
            title=told(info, rules.notice.TITLE),
            message=told(info, notice.message),
            action_label=told(info, rules.notice.ACTION_LABEL),
            deadline=notice.deadline,
            days_remaining=notice.days_remaining,
            blocking=notice.blocking,
        )


@strawberry.type(description="The yearly check-up: a question, which keeps the viewer from nothing.")
class MfaCheckUp:
    title: str = strawberry.field(description="'Does your authenticator app still work?'")
    message: str = strawberry.field(description="Why it is asked.")
    action_label: str = strawberry.field(description="The button's text: 'Check code'")
    proved_at: datetime = strawberry.field(description="When the app has shown a code last.")

    @classmethod
    def of(cls, check_up: rules.check_up.CheckUp, info: Info) -> MfaCheckUp:
        return cls(
            title=told(info, rules.check_up.TITLE),
            message=told(info, rules.check_up.MESSAGE),
            action_label=told(info, rules.check_up.ACTION_LABEL),
            proved_at=check_up.proved_at,
        )
