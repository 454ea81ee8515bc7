"""What happens when people sign in, or try to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.events.base import OwnAct, shown_as
from rules.events.mailing import to_subject
from rules.events.samples import IN_A_QUARTER_OF_AN_HOUR


@dataclass(frozen=True, kw_only=True)
class SignInSucceeded(OwnAct):
    description = "Somebody signed in."
    sentence = "{subject} signed in."


@dataclass(frozen=True, kw_only=True)
class SignInLocked(OwnAct):
    description = "Ten wrong passwords locked a sign-in for 15 minutes."
    sentence = "Sign-in of {subject} was locked after too many wrong passwords."
    mailing = to_subject("sign_in_locked")
    samples = {"sign_in_locked": {"until": IN_A_QUARTER_OF_AN_HOUR}}

    until: datetime = shown_as("Locked until")


@dataclass(frozen=True, kw_only=True)
class MfaChallengeLocked(OwnAct):
    description = "Too many wrong codes locked a person's code entry."
    sentence = "Code entry of {subject} was locked after too many wrong codes."
    mailing = to_subject("mfa_challenge_locked")
    samples = {"mfa_challenge_locked": {"until": IN_A_QUARTER_OF_AN_HOUR}}

    until: datetime = shown_as("Locked until")


@dataclass(frozen=True, kw_only=True)
class BackupCodeUsed(OwnAct):
    description = "A person signed in with a backup code."
    sentence = "{subject} signed in with a backup code; {remaining} left."
    mailing = to_subject("backup_code_used")
    samples = {"backup_code_used": {"remaining": 6}, "backup_code_used_last": {"remaining": 0}}

    remaining: int
