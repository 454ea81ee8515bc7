"""What happens to people's passwords."""

from __future__ import annotations

from dataclasses import dataclass

import rules.events.mailing
import rules.links
from rules.events.base import OwnAct, Repeatable, Shown


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(OwnAct):
    """Its subject is nobody when nobody has the email that was given: the request does the same work for both."""

    description = "A link to set a new password was asked for."
    sentence = "A link to set a new password was asked for, for {subject}."
    mailing = rules.events.mailing.to_subject("password_reset_requested", rules.links.PASSWORD_RESET)
    shows_when_dispatched = True


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Repeatable, Shown):
    description = "A person set a new password."
    sentence = "{subject} set a new password."
    mailing = rules.events.mailing.to_subject("password_changed")
    samples = {"password_changed": {"providers": "Google"}, "password_set": {"is_first": True}}

    is_first: bool = False
    # By which OpenID providers they can still sign in, whatever the password.
    providers: str = ""
