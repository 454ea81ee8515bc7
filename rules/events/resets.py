"""What happens to a reset of MFA that needs a second owner or admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import rules.events.base
import rules.events.mailing
import rules.links
import rules.voice
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.base import EMAIL_LINK, AccountEvent
from rules.events.samples import ADMIN_ID, AT
from rules.events.staff import MemberEvent
from rules.often import Often
from rules.resets import REQUEST_LIFETIME, ResetApproval
from rules.voice import ENGLISH, Voice

REASON = "Phone lost on the train; called back on the number we have."
OF_MIA = {"subject_email": "mia@example.com", "requester_id": ADMIN_ID, "requester_email": "adam@example.com"}
OF_WHOM = {
    ResetApproval.NOBODY: rules.voice.later("nobody"),
    ResetApproval.OWNERS_AND_ADMINS: rules.voice.later("owners and admins"),
    ResetApproval.EVERYONE: rules.voice.later("everybody"),
}


@dataclass(frozen=True, kw_only=True)
class MfaResetRequested(MemberEvent):
    """Person and owners are mailed, each with a link that stops it. Where the admin sat is told in no email."""

    description = "An owner or admin asked for the reset of a person's MFA, which another one must approve."
    sentence = "{actor} asked to reset the MFA of {subject}{why}."
    mailing = rules.events.mailing.to_subject("mfa_reset_requested", further_links=(rules.links.STOP_RESET,))
    copy = rules.events.mailing.to_owners("mfa_reset_requested_owners")
    often = Often("reset-request", in_all=100)
    changes_member = True
    samples = {
        "mfa_reset_requested": {
            "actor_id": ADMIN_ID,
            "subject_email": "mia@example.com",
            "reason": REASON,
            "until": AT + REQUEST_LIFETIME,
        }
    }
    shows_everywhere = True

    subject_email: str
    reason: str | None = None
    until: datetime = rules.events.base.shown_as("Ends unless approved by")
    client: Client

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with the reason."""
        return super().words(voice) | {"why": because(self.reason)}


@dataclass(frozen=True, kw_only=True)
class MfaResetEnded(MemberEvent):
    """A reset waits no more, and is off: the person, the owners and whoever had asked for it are told."""

    mailing = rules.events.mailing.to_subject("mfa_reset_ended")
    copy = rules.events.mailing.to_owners_and_requester("mfa_reset_ended_owners")
    changes_member = True
    shows_everywhere = True

    subject_email: str | None = None
    requester_id: UUID | None = None
    requester_email: str | None = None

    def requested_by(self) -> UUID | None:
        """Who had asked for the reset."""
        return self.requester_id

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with who had asked for it."""
        requester = self.requester_email
        asked_for = voice.text("that {requester} had asked for").format(requester=requester) if requester else ""
        return super().words(voice) | {"asked_for": asked_for and f" {asked_for}"}


@dataclass(frozen=True, kw_only=True)
class MfaResetDeclined(MfaResetEnded):
    description = "An owner or admin declined the reset of a person's MFA that another one had asked for."
    sentence = "{actor} declined the reset of the MFA of {subject}{asked_for}."
    samples = {
        "mfa_reset_declined": OF_MIA | {"actor_id": ADMIN_ID},
        "mfa_reset_declined_by_operator": OF_MIA,
    }

    client: Client


@dataclass(frozen=True, kw_only=True)
class MfaResetStopped(MfaResetEnded):
    description = "The reset of a person's MFA that waited for a second owner or admin was stopped by an email's link."
    sentence = "{actor} stopped the reset of the MFA of {subject}{asked_for} by a link of its email."
    about_method = EMAIL_LINK
    samples = {"mfa_reset_stopped": OF_MIA}

    client: Client


@dataclass(frozen=True, kw_only=True)
class MfaResetExpired(MfaResetEnded):
    description = "The reset of a person's MFA that waited for a second owner or admin was not approved in time."
    sentence = "The reset of the MFA of {subject}{asked_for} was not approved within 24 hours."
    samples = {"mfa_reset_expired": OF_MIA}


@dataclass(frozen=True, kw_only=True)
class ResetApprovalChanged(AccountEvent):
    description = "An owner changed whose resets of MFA a second owner or admin must approve."
    sentence = "{actor} chose that a second owner or admin must approve resets of MFA: those of {of_whom}."
    alert = AlertKind.POLICY_CHANGED
    alert_sentence = "{actor} changed whose resets of MFA a second owner or admin must approve."
    samples = {"reset_approval_changed": {"approval": ResetApproval.EVERYONE}}

    approval: ResetApproval

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        return super().words(voice) | {"of_whom": voice.text(OF_WHOM[self.approval])}


def because(reason: str | None) -> str:
    """The reason behind a sentence that goes on with a full stop."""
    return f": {reason.removesuffix('.')}" if reason else ""
