"""Exceptions from an account's MFA requirement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import rules.events.base
import rules.events.mailing
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.mailing import While
from rules.events.samples import ADMIN_ID, IN_A_WEEK
from rules.events.staff import MemberEvent
from rules.often import Often

_OFTEN = Often("exception")
_GIVEN = {"until": IN_A_WEEK, "reason": "On leave, the phone comes with the next post."}


@dataclass(frozen=True, kw_only=True)
class MfaDeadlineExtended(MemberEvent):
    description = "A staff member got more time to set up MFA."
    sentence = "{actor} gave {subject} until {until} to set up MFA: {reason}"
    mailing = rules.events.mailing.to_subject("mfa_deadline_extended", holds_while=While.MEMBER_NOT_ENROLLED)
    often = _OFTEN
    alert = AlertKind.EXCEPTION_GIVEN
    alert_sentence = "{actor} gave {subject} until {until} to set up MFA."
    samples = {
        "mfa_deadline_extended": _GIVEN | {"actor_id": ADMIN_ID},
        "mfa_deadline_extended_by_operator": _GIVEN,
    }
    changes_member = True

    until: datetime = rules.events.base.shown_as("Your deadline")
    reason: str


@dataclass(frozen=True, kw_only=True)
class MfaExempted(MemberEvent):
    description = "A staff member was exempted from MFA for a while."
    sentence = "{actor} exempted {subject} from MFA until {until}: {reason}"
    mailing = rules.events.mailing.to_subject("mfa_exempted", holds_while=While.MEMBER_NOT_ENROLLED)
    often = _OFTEN
    alert = AlertKind.EXCEPTION_GIVEN
    alert_sentence = "{actor} exempted {subject} from MFA until {until}."
    samples = {"mfa_exempted": _GIVEN | {"actor_id": ADMIN_ID}, "mfa_exempted_by_operator": _GIVEN}
    changes_member = True

    until: datetime = rules.events.base.shown_as("Until")
    reason: str
    is_break_glass: bool = False


@dataclass(frozen=True, kw_only=True)
class MfaExceptionEnded(MemberEvent):
    description = "An exception from MFA was ended before its time."
    sentence = "{actor} ended the exception of {subject} from MFA."
    mailing = rules.events.mailing.to_subject("mfa_exception_ended", holds_while=While.MEMBER_NOT_ENROLLED)
    often = _OFTEN
    samples = {"mfa_exception_ended": {"actor_id": ADMIN_ID}, "mfa_exception_ended_by_operator": {}}
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class BreakGlassSignedIn(MemberEvent):
    description = "Somebody signed in to a break-glass account."
    sentence = "{subject} signed in to their break-glass account."
    mailing = rules.events.mailing.to_owners("break_glass_signed_in")
    alert = AlertKind.BREAK_GLASS_SIGNED_IN
    samples = {"break_glass_signed_in": {"subject_email": "break-glass@example.com"}}

    subject_email: str
    client: Client
    amr: str | None = None

    def method(self) -> str | None:
        """By what they were recognised."""
        return self.amr
