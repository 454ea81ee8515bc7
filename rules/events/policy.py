"""What happens to an account's policy, and by its deadline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import rules.events.base
import rules.events.mailing
import rules.voice
from rules.alerts import AlertKind
from rules.events.base import AccountEvent
from rules.events.mailing import Mailing
from rules.events.samples import AT, EARLIER, IN_A_WEEK, IN_TWO_WEEKS
from rules.often import Often
from rules.policy import Policy, RequiredOf
from rules.voice import ENGLISH, Voice

OF_WHOM = {
    RequiredOf.EVERYONE: rules.voice.later("all staff"),
    RequiredOf.OWNERS_AND_ADMINS: rules.voice.later("owners and admins"),
}
# Of whom, and with how many days for those who join later, unless something else is chosen.
BY_DEFAULT = (RequiredOf.EVERYONE, 0)
# Whoever tries settings out saves them many times; what has been overtaken when its mail would leave is dropped.
_OFTEN = Often("policy", of_one=100)
_POLICY = {"grace_days": 7, "required_since": AT, "deadline": IN_A_WEEK}
_REMINDER = {"required_since": AT, "deadline": IN_A_WEEK}


@dataclass(frozen=True, kw_only=True)
class Requirement(AccountEvent):
    """An event of a requirement as it stood then: its emails are dropped once another one holds."""

    required_since: datetime = rules.events.base.shown_as("Required since")
    # Only where it has moved; here, so that it is shown before the deadline that holds now.
    previous_deadline: datetime | None = rules.events.base.shown_as("Earlier deadline", is_required=False)
    deadline: datetime = rules.events.base.shown_as("Deadline")


@dataclass(frozen=True, kw_only=True)
class PolicyEnabled(Requirement):
    description = "The account began to require MFA."
    sentence = "{actor} required MFA of all staff by {deadline}."
    mailing = rules.events.mailing.to_staff("policy_enabled", is_tied_to_deadline=True)
    often = _OFTEN
    alert = AlertKind.POLICY_CHANGED
    samples = {"policy_enabled": _POLICY, "policy_enabled_at_once": _POLICY | {"grace_days": 0, "deadline": AT}}

    grace_days: int
    joiner_days: int = 0
    required_of: RequiredOf = RequiredOf.EVERYONE

    def said(self, voice: Voice) -> str:
        """The sentence; of whom it is required, where that was chosen."""
        if (self.required_of, self.joiner_days) == BY_DEFAULT:
            return super().said(voice)
        return voice.text("{actor} required MFA of {of_whom} by {deadline}, with {days} for those who join later.")

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        return super().words(voice) | _asked(self.required_of, self.joiner_days, voice)


@dataclass(frozen=True, kw_only=True)
class PolicyChanged(Requirement):
    description = "The requirement changed: its grace period, and the deadline with it, or of whom it is required."
    sentence = "{actor} moved the MFA deadline to {deadline}."
    mailing = rules.events.mailing.to_staff("policy_changed", is_tied_to_deadline=True)
    often = _OFTEN
    alert = AlertKind.POLICY_CHANGED
    samples = {
        "policy_changed": _POLICY | {"previous_deadline": IN_TWO_WEEKS},
        "policy_changed_to_the_past": {
            "grace_days": 1,
            "required_since": EARLIER[0],
            "deadline": EARLIER[1],
            "previous_deadline": EARLIER[2],
        },
        "policy_changed_to_all_staff": _POLICY | {"previous_deadline": IN_A_WEEK, "is_widened": True},
    }

    grace_days: int
    joiner_days: int = 0
    # None in events of former versions.
    previous_joiner_days: int | None = None
    required_of: RequiredOf = RequiredOf.EVERYONE
    # Whether it is required of more people than before.
    is_widened: bool = False

    def labelled(self) -> list[tuple[str, datetime]]:
        """The instants that an email shows: an earlier deadline only where it has moved."""
        if self.previous_deadline == self.deadline:
            return replace(self, previous_deadline=None).labelled()
        return super().labelled()

    def emailed_as(self) -> Mailing | None:
        """Nobody is told of a deadline that stayed where it was, unless it is a new one to some."""
        return None if self.previous_deadline == self.deadline and not self.is_widened else self.mailing

    def said(self, voice: Voice) -> str:
        """The sentence; one of its own where the deadline stayed, and of whom it is required unless that is as ever."""
        if self.previous_deadline == self.deadline:
            return voice.text("{actor} required MFA of {of_whom}, with {days} for those who join later.")
        had_days = self.previous_joiner_days in {None, self.joiner_days}
        if (self.required_of, self.joiner_days) == BY_DEFAULT and had_days and not self.is_widened:
            return super().said(voice)
        return voice.text(
            "{actor} moved the MFA deadline to {deadline}: required of {of_whom}, with {days} for those who join later."
        )

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        return super().words(voice) | _asked(self.required_of, self.joiner_days, voice)


@dataclass(frozen=True, kw_only=True)
class MfaRequired(Requirement):
    """Who was there when the policy was saved hears of it by the policy's own event."""

    description = "Somebody joined who has to set up MFA, or got a role that has to."
    sentence = "{subject} has until {deadline} to set up MFA."
    mailing = rules.events.mailing.to_staff("mfa_required", is_tied_to_deadline=True)
    samples = {
        "mfa_required": _REMINDER,
        "mfa_required_at_once": {"required_since": EARLIER[0], "deadline": EARLIER[1]},
    }

    subject_id: UUID = field()
    # Not where they have been told of it so often today already.
    is_mailed: bool = True

    def emailed_as(self) -> Mailing | None:
        """Whoever is taken away and added anew over and over is not mailed each time."""
        return self.mailing if self.is_mailed else None


@dataclass(frozen=True, kw_only=True)
class PolicyDisabled(AccountEvent):
    description = "The account stopped requiring MFA."
    sentence = "{actor} stopped requiring MFA."
    alert = AlertKind.POLICY_CHANGED


@dataclass(frozen=True, kw_only=True)
class PolicyPrepared(AccountEvent):
    description = "While the account requires no MFA, it was changed of whom and from when it will."
    sentence = "{actor} chose to require MFA, once it is required, of {of_whom}, with {days} for those who join later."
    alert = AlertKind.POLICY_CHANGED
    samples = {"policy_prepared": {"joiner_days": 5, "required_of": RequiredOf.EVERYONE}}

    joiner_days: int
    required_of: RequiredOf

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        return super().words(voice) | _asked(self.required_of, self.joiner_days, voice)


@dataclass(frozen=True, kw_only=True)
class GracePeriodEnded(Requirement):
    """`announced`: the announcement of the policy has said it already, or an earlier end of this deadline."""

    description = "The deadline passed."
    sentence = "The grace period for setting up MFA ended."
    mailing = rules.events.mailing.to_staff("grace_period_ended", is_tied_to_deadline=True)
    samples = {"grace_period_ended": _REMINDER}

    announced: bool = False

    def emailed_as(self) -> Mailing | None:
        """Nobody is told twice."""
        return None if self.announced else self.mailing


@dataclass(frozen=True, kw_only=True)
class GraceReminderSent(Requirement):
    """With a subject somebody (`manual`) has reminded this one person; else it is the timetable's, to all."""

    description = "Staff who are not enrolled were reminded."
    changes_progress = False
    sentence = "{actor} reminded {subject} to set up MFA: {days_left} day left."
    mailing = rules.events.mailing.to_staff(
        "grace_reminder", resends=0, is_tied_to_deadline=True, is_of_use_after_deadline=False
    )
    samples = {"grace_reminder": _REMINDER | {"days_left": 3}, "grace_reminder_last": _REMINDER | {"days_left": 1}}

    days_left: int
    manual: bool = False

    def emailed_as(self) -> Mailing | None:
        """One asked for after the deadline says that the time is over."""
        return self.mailing if self.days_left > 0 else GracePeriodEnded.mailing

    def said(self, voice: Voice) -> str:
        """The sentence for as many days."""
        return voice.count(
            self.days_left,
            "{actor} reminded {subject} to set up MFA: {days_left} day left.",
            "{actor} reminded {subject} to set up MFA: {days_left} days left.",
        )

    def summary(self, actor: str | None, subject: str | None, voice: Voice = ENGLISH) -> str:
        """The sentence; the timetable's reminder concerns nobody in particular."""
        return super().summary(actor, subject or voice.text("the staff who have not"), voice)


@dataclass(frozen=True, kw_only=True)
class ResetConfirmationChanged(AccountEvent):
    description = "Whether setting up MFA after a reset needs a link out of an email was changed."
    sentence = "{actor} no longer requires setting up MFA after a reset to be confirmed by email."
    alert = AlertKind.POLICY_CHANGED
    samples = {"reset_confirmation_changed": {"is_required": True}}

    is_required: bool

    def said(self, voice: Voice) -> str:
        """The sentence of what was chosen."""
        if not self.is_required:
            return super().said(voice)
        return voice.text("{actor} required setting up MFA after a reset to be confirmed by email.")


def _asked(required_of: RequiredOf, joiner_days: int, voice: Voice) -> dict[str, str]:
    return {"days": rules.events.base.days(joiner_days, voice), "of_whom": voice.text(OF_WHOM[required_of])}


def saved(before: Policy, after: Policy, account_id: UUID, actor_id: UUID | None) -> AccountEvent:
    """What happened when `after` was saved over `before`, which it differs from."""
    if after.required_since is None or after.deadline is None or after.grace_days is None:
        if before.is_on:
            return PolicyDisabled(account_id=account_id, actor_id=actor_id)
        return PolicyPrepared(
            account_id=account_id, actor_id=actor_id, joiner_days=after.joiner_days, required_of=after.required_of
        )
    if before.deadline is None:
        return PolicyEnabled(
            account_id=account_id,
            actor_id=actor_id,
            required_since=after.required_since,
            deadline=after.deadline,
            grace_days=after.grace_days,
            joiner_days=after.joiner_days,
            required_of=after.required_of,
        )
    return PolicyChanged(
        account_id=account_id,
        actor_id=actor_id,
        required_since=after.required_since,
        previous_deadline=before.deadline,
        deadline=after.deadline,
        grace_days=after.grace_days,
        joiner_days=after.joiner_days,
        previous_joiner_days=before.joiner_days,
        required_of=after.required_of,
        is_widened=(before.required_of, after.required_of) == (RequiredOf.OWNERS_AND_ADMINS, RequiredOf.EVERYONE),
    )
