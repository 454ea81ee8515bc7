"""What happens when somebody comes back alone, without their second factor, where their accounts allow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

import rules.events.base
import rules.events.mailing
import rules.links
import rules.voice
from rules.account_recovery import Delays
from rules.alerts import AlertKind
from rules.events.base import EMAIL_LINK, AccountEvent, OwnAct, PersonEvent, Shown
from rules.events.mailing import Mailing, While
from rules.events.samples import ACCOUNT_ID, ADMIN_ID, AT
from rules.often import Often
from rules.voice import ENGLISH, Voice

# In a session of the person, without anything being shown; it no longer held; by an owner or admin; by an operator; no
# mail of it could be delivered.
SESSION, LAPSED, MANAGER, OPERATOR, UNREACHED = "session", "lapsed", "manager", "operator", "unreached"
HOW = {
    "otp": rules.voice.later("by a code of their app"),
    "backup_code": rules.voice.later("by a backup code"),
    "recovery_pass": rules.voice.later("by a recovery pass"),
    EMAIL_LINK: rules.voice.later("by a link of its email"),
    SESSION: rules.voice.later("in a session of theirs"),
    MANAGER: rules.voice.later("by an owner or admin"),
    OPERATOR: rules.voice.later("by an operator"),
    LAPSED: rules.voice.later(
        "since their password, address or roles have changed, or an account does not allow it any more"
    ),
    UNREACHED: rules.voice.later("since no email about it could be delivered to them"),
}
OTHERWISE = rules.voice.later("by something else")


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryRequested(Shown):
    description = "Somebody who knows a person's password asked for the email's link that account recovery begins with."
    sentence = "A link to come back without MFA was sent to {subject}."
    mailing = rules.events.mailing.to_subject(
        "account_recovery_requested", rules.links.START_RECOVERY, holds_while=While.ENROLLED
    )
    samples = {"account_recovery_requested": {"amr": "pwd"}}


@dataclass(frozen=True, kw_only=True)
class OfOneMail:
    """One for each account of the person, whose owners are told; the person is mailed of the first of them alone."""

    mailing: ClassVar[Mailing | None]
    copy: ClassVar[Mailing | None]

    is_mailed: bool = True

    def emailed_as(self) -> Mailing | None:
        """To the owners alone where the person has had a mail already."""
        return self.mailing if self.is_mailed else self.copy


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryStarted(OfOneMail, OwnAct):
    description = "A person's account recovery began to wait: unless stopped, their MFA is reset when it ends."
    sentence = "{subject} asked to come back without MFA; it is reset on {until} unless that is stopped."
    about_method = EMAIL_LINK
    mailing = rules.events.mailing.to_subject(
        "account_recovery_started", further_links=(rules.links.STOP_RECOVERY,), holds_while=While.ENROLLED
    )
    copy = rules.events.mailing.to_owners_or_admins("account_recovery_started_owners")
    often = Often("account-recovery")
    samples = {
        "account_recovery_started": {
            "account_id": ACCOUNT_ID,
            "subject_email": "mia@example.com",
            "until": AT + timedelta(days=3),
        }
    }

    subject_email: str
    until: datetime = rules.events.base.shown_as("MFA is reset on")


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryReminded(OfOneMail, PersonEvent):
    """Those of former versions knew neither account nor address, and told no owner."""

    description = (
        "A person, and the owners of their accounts, were told again, as each day, that their account recovery waits."
    )
    sentence = "{subject} and the owners were told that their MFA is reset on {until} unless that is stopped."
    mailing = rules.events.mailing.to_subject(
        "account_recovery_reminded", further_links=(rules.links.STOP_RECOVERY,), holds_while=While.ENROLLED
    )
    copy = rules.events.mailing.to_owners_or_admins("account_recovery_reminded_owners")
    samples = {
        "account_recovery_reminded": {
            "account_id": ACCOUNT_ID,
            "subject_email": "mia@example.com",
            "until": AT + timedelta(days=2),
        }
    }

    subject_email: str | None = None
    until: datetime = rules.events.base.shown_as("MFA is reset on")


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryStopped(PersonEvent):
    """`how` is what was shown, or one of those above."""

    description = "A person's account recovery was stopped: nothing has changed for them."
    sentence = "The account recovery of {subject} was stopped {how}."
    mailing = rules.events.mailing.to_subject("account_recovery_stopped")
    samples = {
        "account_recovery_stopped": {"how": EMAIL_LINK},
        "account_recovery_lapsed": {"how": LAPSED},
        "account_recovery_stopped_by_manager": {"actor_id": ADMIN_ID, "how": MANAGER},
        "account_recovery_stopped_by_operator": {"how": OPERATOR},
        "account_recovery_unreached": {"how": UNREACHED},
    }

    how: str

    @classmethod
    def by_itself(cls, user_id: UUID, was_unreached: bool) -> AccountRecoveryStopped:
        """The event of one that nobody stopped: it held no more, or no mail of it could be delivered."""
        return cls(subject_id=user_id, how=UNREACHED if was_unreached else LAPSED)

    def method(self) -> str | None:
        """What was shown, if anything."""
        return None if self.how in {SESSION, LAPSED, MANAGER, OPERATOR, UNREACHED} else self.how

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with how in words."""
        return super().words(voice) | {"how": voice.text(HOW.get(self.how, OTHERWISE))}


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryCompleted(PersonEvent):
    description = "A person's account recovery was over: their MFA was reset, and they set it up anew."
    sentence = "The MFA of {subject} was reset at the end of their account recovery."
    mailing = rules.events.mailing.to_subject(
        "account_recovery_completed",
        further_links=(rules.links.NOT_ME, rules.links.ENROLLMENT),
        holds_while=While.NOT_ENROLLED,
    )
    alert = AlertKind.MFA_RESET
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class AccountRecoveryChanged(AccountEvent):
    """All days are None where it is not allowed any more."""

    description = "An owner changed whether staff may come back alone without MFA, and after how many days."
    sentence = "{actor} no longer lets staff come back alone without MFA."
    alert = AlertKind.POLICY_CHANGED
    alert_sentence = "{actor} changed whether staff may come back alone without MFA."
    samples = {
        "account_recovery_changed": {"actor_id": ADMIN_ID, "owner_days": 7, "admin_days": 5, "member_days": 3},
        "account_recovery_switched_off": {"actor_id": ADMIN_ID},
    }

    owner_days: int | None = None
    admin_days: int | None = None
    member_days: int | None = None

    @classmethod
    def of(cls, delays: Delays | None, **who: object) -> AccountRecoveryChanged:
        """The event of these delays."""
        days = delays and (delays.owner_days, delays.admin_days, delays.member_days)
        owner, admin, member = days or (None, None, None)
        return cls(owner_days=owner, admin_days=admin, member_days=member, **who)  # type: ignore[arg-type]

    def said(self, voice: Voice) -> str:
        """The sentence of what was done."""
        if self.member_days is None:
            return super().said(voice)
        return voice.count(
            self.member_days,
            "{actor} lets staff come back alone without MFA after {owner_days} (owners), {admin_days} (admins) or "
            "{member_days} day (members).",
            "{actor} lets staff come back alone without MFA after {owner_days} (owners), {admin_days} (admins) or "
            "{member_days} days (members).",
        )
