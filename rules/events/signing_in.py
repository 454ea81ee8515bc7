"""What happens when people sign in, or try to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import rules.events.base
import rules.events.mailing
import rules.links
from rules.alerts import AlertKind
from rules.events.base import EMAIL_LINK, NotAlwaysMailed, OwnAct, Repeatable, Shown
from rules.events.samples import ACCOUNT_ID, ADMIN_ID, AT, IN_A_QUARTER_OF_AN_HOUR, MIA_ID
from rules.voice import Voice


@dataclass(frozen=True, kw_only=True)
class SignInSucceeded(Shown):
    description = "Somebody signed in."
    changes_progress = False
    sentence = "{subject} signed in."


@dataclass(frozen=True, kw_only=True)
class NewDeviceSignedIn(Repeatable, Shown):
    description = "Somebody signed in from a device that they had not signed in from before."
    changes_progress = False
    sentence = "{subject} signed in from a device not seen before."
    mailing = rules.events.mailing.to_subject("new_device_signed_in", further_links=(rules.links.NOT_MY_SIGN_IN,))
    samples = {
        "new_device_signed_in": {"session_id": ADMIN_ID, "amr": "pwd"},
        "new_device_signed_in_by_provider": {"session_id": ADMIN_ID, "amr": "oidc"},
    }

    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class SignInRejected(OwnAct):
    description = "A person said by an email's link that a sign-in was not theirs: its session and later ones ended."
    about_method = EMAIL_LINK
    sentence = "{subject} said that a sign-in from a new device was not theirs; that session and later ones were ended."
    alert = AlertKind.SIGN_IN_REJECTED
    alert_sentence = (
        "{subject} said that a sign-in was not theirs. Look through the audit log since {since}: whoever it was could "
        "act as them."
    )
    samples = {"sign_in_rejected": {"since": AT, "is_of_manager": True}}

    # When that sign-in was; events of former versions do not tell, nor of whom they are.
    since: datetime | None = None
    is_of_manager: bool = False
    # Whether owners are mailed of their factor, which is newer, and of this with it.
    is_mfa_disputed: bool = False

    def owners_are_mailed(self) -> bool:
        """By the email about their factor."""
        return self.is_mfa_disputed

    def alerted_as(self) -> AlertKind | None:
        """Of whoever manages an account alone: others can leave nothing behind in it."""
        return self.alert if self.is_of_manager else None


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(Repeatable, OwnAct):
    description = "A person signed in at an OpenID provider for the first time: from now on they are known by that."
    sentence = "{subject} can now sign in by {provider}."
    about_method = "oidc"
    mailing = rules.events.mailing.to_subject("identity_linked")
    samples = {"identity_linked": {"provider": "Google"}}

    provider: str


@dataclass(frozen=True, kw_only=True)
class IdentityChanged(Repeatable):
    """By the person, by an owner or admin of the account, or by the operator: then it has neither account nor actor."""

    shows_everywhere = True

    provider: str


@dataclass(frozen=True, kw_only=True)
class IdentityRemoved(IdentityChanged):
    description = "A person can no longer sign in by an OpenID provider, whatever it says, until that is allowed again."
    sentence = "{actor} removed signing in by {provider} from {subject}."
    mailing = rules.events.mailing.to_subject("identity_removed")
    samples = {
        "identity_removed": {"actor_id": MIA_ID, "provider": "Google"},
        "identity_removed_by_manager": {"account_id": ACCOUNT_ID, "actor_id": ADMIN_ID, "provider": "Google"},
        "identity_removed_by_operator": {"provider": "Google"},
    }


@dataclass(frozen=True, kw_only=True)
class IdentityAllowed(IdentityChanged):
    description = "After that was removed, an OpenID provider may sign a person in again."
    sentence = "{actor} allowed {subject} to sign in by {provider} again."
    mailing = rules.events.mailing.to_subject("identity_allowed")
    samples = {
        "identity_allowed": {"actor_id": MIA_ID, "provider": "Google"},
        "identity_allowed_by_manager": {"account_id": ACCOUNT_ID, "actor_id": ADMIN_ID, "provider": "Google"},
        "identity_allowed_by_operator": {"provider": "Google"},
    }


@dataclass(frozen=True, kw_only=True)
class Reauthenticated(Shown):
    description = "A person showed again, within a session, that they are the one."
    changes_progress = False
    sentence = "{subject} confirmed to be the one."


@dataclass(frozen=True, kw_only=True)
class SignedOut(OwnAct):
    description = "Somebody signed out."
    changes_progress = False
    sentence = "{subject} signed out."


@dataclass(frozen=True, kw_only=True)
class SessionsEnded(OwnAct):
    description = "A person ended sessions of theirs from a list, or all but the one in use."
    sentence = "{subject} ended {count} session of theirs."
    samples = {"sessions_ended": {"count": 2}}

    count: int

    def said(self, voice: Voice) -> str:
        """The sentence for as many."""
        return voice.count(
            self.count, "{subject} ended {count} session of theirs.", "{subject} ended {count} sessions of theirs."
        )


@dataclass(frozen=True, kw_only=True)
class PasswordRejected(OwnAct):
    description = "A wrong password; the 1st, 2nd, 4th, 8th and so on of a day are told."
    changes_progress = False
    sentence = "A wrong password was given for {subject}: {count} within 24 hours."
    about_method = "pwd"
    samples = {"password_rejected": {"count": 4}}

    count: int


@dataclass(frozen=True, kw_only=True)
class CodeRejected(Shown):
    description = "A wrong code; the 1st, 2nd, 4th, 8th and so on of a day are told."
    changes_progress = False
    sentence = "A wrong code was given for {subject}: {count} within 24 hours."
    samples = {"code_rejected": {"count": 4}}

    count: int


@dataclass(frozen=True, kw_only=True)
class CodeReplayed(Shown):
    description = "A code that had been used before, or an earlier one, was refused. It counts as a wrong one."
    sentence = "A code that was spent already was refused for {subject}."


@dataclass(frozen=True, kw_only=True)
class Lock(NotAlwaysMailed, OwnAct):
    """Mailed at most once an hour."""


@dataclass(frozen=True, kw_only=True)
class SignInSlowed(Lock):
    description = "After a hundred wrong passwords in a day, strangers have one try in 15 minutes each."
    sentence = "Sign-in of {subject} was slowed down for strangers after 100 wrong passwords within 24 hours."
    about_method = "pwd"
    mailing = rules.events.mailing.to_subject("sign_in_slowed")


@dataclass(frozen=True, kw_only=True)
class SignInLocked(Lock):
    description = "Ten wrong passwords locked a sign-in for 15 minutes."
    sentence = "Sign-in of {subject} was locked after too many wrong passwords."
    about_method = "pwd"
    mailing = rules.events.mailing.to_subject("sign_in_locked")
    alert = AlertKind.LOCKED
    samples = {"sign_in_locked": {"until": IN_A_QUARTER_OF_AN_HOUR}}

    until: datetime = rules.events.base.shown_as("Locked until")


@dataclass(frozen=True, kw_only=True)
class MfaChallengeLocked(Lock):
    description = "Too many wrong codes locked a person's code entry."
    sentence = "Code entry of {subject} was locked after too many wrong codes."
    about_method = "otp"
    mailing = rules.events.mailing.to_subject("mfa_challenge_locked")
    alert = AlertKind.LOCKED
    samples = {
        "mfa_challenge_locked": {"until": IN_A_QUARTER_OF_AN_HOUR},
        "mfa_challenge_locked_of_new_app": {"until": IN_A_QUARTER_OF_AN_HOUR, "is_of_new_app": True},
    }

    until: datetime = rules.events.base.shown_as("Locked until")
    amr: str | None = None
    # The first codes of an app that was being set up, which close nothing but their session's setting up.
    is_of_new_app: bool = False

    def said(self, voice: Voice) -> str:
        """The sentence of what was closed."""
        if not self.is_of_new_app:
            return super().said(voice)
        return voice.text("Setting up an authenticator app was locked for {subject} after too many wrong codes.")

    def method(self) -> str | None:
        """What was tried last; a code of the app where that is not known."""
        return self.amr or self.about_method


@dataclass(frozen=True, kw_only=True)
class BackupCodeUsed(Repeatable, OwnAct):
    description = "A person signed in with a backup code."
    sentence = "{subject} signed in with a backup code; {remaining} left."
    about_method = "backup_code"
    mailing = rules.events.mailing.to_subject("backup_code_used")
    alert = AlertKind.LAST_BACKUP_CODE_USED
    samples = {"backup_code_used": {"remaining": 6}, "backup_code_used_last": {"remaining": 0}}

    remaining: int

    def said(self, voice: Voice) -> str:
        """The sentence for as many."""
        return voice.count(
            self.remaining,
            "{subject} signed in with a backup code; {remaining} left.",
            "{subject} signed in with a backup code; {remaining} left.",
        )

    def alerted_as(self) -> AlertKind | None:
        """Only the last one is."""
        return self.alert if self.remaining == 0 else None
