"""What happens to a person's factor and backup codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import rules.events.base
import rules.events.mailing
import rules.events.resets
import rules.links
from rules.alerts import AlertKind
from rules.clients import NO_CLIENT, Client
from rules.events.base import EMAIL_LINK, OwnAct, PersonEvent, Repeatable, Shown
from rules.events.mailing import BULK, Audience, Mailing, While
from rules.events.resets import REASON
from rules.events.samples import ACCOUNT_ID, ADMIN_ID, AT
from rules.voice import ENGLISH, Voice


@dataclass(frozen=True, kw_only=True)
class MfaEnabled(Repeatable, OwnAct):
    """After a reset its email holds the link against that, too: a thief may have enrolled before the other one left."""

    description = "A person turned MFA on."
    sentence = "{subject} turned on MFA."
    about_method = "otp"
    mailing = rules.events.mailing.to_subject(
        "mfa_enabled", further_links=(rules.links.NOT_ME,), holds_while=While.ENROLLED
    )
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class MfaDisabled(Repeatable, OwnAct):
    description = "A person turned MFA off."
    sentence = "{subject} turned off MFA."
    about_method = "otp"
    mailing = rules.events.mailing.to_subject("mfa_disabled", holds_while=While.NOT_ENROLLED)
    alert = AlertKind.MFA_DISABLED
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class MfaReset(PersonEvent):
    """Without an account and actor it is the operator's. Where an admin sat is recorded, and told in no email."""

    description = "An owner or admin reset a person's MFA."
    sentence = "{actor} reset the MFA of {subject}{asked}{why}."
    mailing = rules.events.mailing.to_subject(
        "mfa_reset", further_links=(rules.links.NOT_ME, rules.links.ENROLLMENT), holds_while=While.NOT_ENROLLED
    )
    alert = AlertKind.MFA_RESET
    alert_sentence = "{actor} reset the MFA of {subject}."
    samples = {
        "mfa_reset": {"account_id": ACCOUNT_ID, "actor_id": ADMIN_ID, "reason": REASON},
        "mfa_reset_by_operator": {},
    }
    changes_member = True
    shows_everywhere = True

    client: Client = NO_CLIENT
    reason: str | None = None
    # Who had asked for what the actor has approved.
    requester_email: str | None = None

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with who asked for it and why."""
        requester = self.requester_email
        asked = ", " + voice.text("as {requester} had asked").format(requester=requester) if requester else ""
        return super().words(voice) | {"asked": asked, "why": rules.events.resets.because(self.reason)}


@dataclass(frozen=True, kw_only=True)
class BackupCodesRegenerated(Repeatable, OwnAct):
    description = "A person replaced their backup codes."
    sentence = "{subject} replaced their backup codes."
    about_method = "otp"
    mailing = rules.events.mailing.to_subject("backup_codes_regenerated", holds_while=While.ENROLLED)


@dataclass(frozen=True, kw_only=True)
class MfaProved(OwnAct):
    description = "A person showed within a session that their authenticator app works, as they are asked to each year."
    sentence = "{subject} showed that their authenticator app works."
    about_method = "otp"


@dataclass(frozen=True, kw_only=True)
class CheckUpReminded(PersonEvent):
    description = "A person whose authenticator app has shown no code for a year was asked by email to show one."
    sentence = "{subject} was asked to show that their authenticator app still works."
    mailing = Mailing("check_up_reminded", Audience.SUBJECT, BULK, holds_while=While.NOT_PROVED)


@dataclass(frozen=True, kw_only=True)
class BackupCodesSaved(PersonEvent):
    description = "A person said that the backup codes shown last are saved."
    sentence = "{subject} said that their backup codes are saved."


@dataclass(frozen=True, kw_only=True)
class AuthenticatorReplaced(Repeatable, OwnAct):
    description = "A person moved to a new authenticator app."
    sentence = "{subject} moved to a new authenticator app."
    about_method = "otp"
    mailing = rules.events.mailing.to_subject("authenticator_replaced", holds_while=While.ENROLLED)


@dataclass(frozen=True, kw_only=True)
class MfaResetDisputed(PersonEvent):
    """One for each account of the person, whose owners are told; without an account where there is none."""

    description = (
        "A person said by the link of a reset's email that it was not them: nobody enrolls until an owner acts."
    )
    sentence = "{subject} said that the reset of their MFA was not their wish; setting it up is stopped."
    about_method = EMAIL_LINK
    mailing = rules.events.mailing.to_owners("mfa_reset_disputed")
    samples = {"mfa_reset_disputed": {"account_id": ACCOUNT_ID, "subject_email": "mia@example.com"}}
    changes_member = True

    subject_email: str
    client: Client


@dataclass(frozen=True, kw_only=True)
class AuthenticatorDisputed(PersonEvent):
    """One for each account of the person, whose owners are told; without an account where there is none."""

    description = (
        "A person said by an email's link that a sign-in was not theirs, since which their MFA was set up or changed: "
        "owners are asked to reset it."
    )
    sentence = "Since a sign-in that {subject} said was not theirs, their authenticator app or backup codes are new."
    about_method = EMAIL_LINK
    mailing = rules.events.mailing.to_owners("authenticator_disputed")
    samples = {
        "authenticator_disputed": {
            "account_id": ACCOUNT_ID,
            "subject_email": "mia@example.com",
            "since": AT - timedelta(days=1),
        },
        "authenticator_disputed_of_manager": {
            "account_id": ACCOUNT_ID,
            "subject_email": "adam@example.com",
            "since": AT - timedelta(days=1),
            "is_of_manager": True,
        },
    }

    subject_email: str
    since: datetime = rules.events.base.shown_as("That sign-in")
    client: Client
    # Of an owner or admin the sign-in itself is told with it.
    is_of_manager: bool = False


@dataclass(frozen=True, kw_only=True)
class EnrollmentLinkRequested(Shown):
    description = "After a reset, a sign-in asked for the email's link that setting up MFA needs."
    sentence = "A link to set up MFA again was sent to {subject}."
    mailing = rules.events.mailing.to_subject("enrollment_link_requested", rules.links.ENROLLMENT)


@dataclass(frozen=True, kw_only=True)
class EnrollmentConfirmed(OwnAct):
    description = "A person used the email's link that setting up MFA after a reset needs."
    sentence = "{subject} confirmed by email that they set up MFA again."
    about_method = EMAIL_LINK
