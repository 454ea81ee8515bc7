"""What happens when somebody who has lost their second factor comes back by a pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import rules.events.base
import rules.events.mailing
from rules.clients import Client
from rules.events.base import OwnAct
from rules.events.mailing import While
from rules.events.resets import REASON
from rules.events.samples import ACCOUNT_ID, ADMIN_ID, IN_AN_HOUR
from rules.events.staff import MemberEvent
from rules.often import Often

_ISSUED = {
    "subject_email": "mia@example.com",
    "reason": REASON,
    "until": IN_AN_HOUR,
}


@dataclass(frozen=True, kw_only=True)
class RecoveryPassIssued(MemberEvent):
    """Where the admin sat is recorded, and told in no email. Without an actor it is an operator's."""

    description = "An owner or admin gave a person a pass in place of a lost second factor."
    sentence = "{actor} gave {subject} a recovery pass: {reason}"
    mailing = rules.events.mailing.to_subject("recovery_pass_issued", holds_while=While.ENROLLED)
    copy = rules.events.mailing.to_owners("recovery_pass_issued_owners")
    often = Often("recovery-pass", in_all=100)
    samples = {
        "recovery_pass_issued": _ISSUED | {"actor_id": ADMIN_ID},
        "recovery_pass_issued_by_operator": _ISSUED,
    }
    shows_everywhere = True

    subject_email: str
    reason: str
    until: datetime = rules.events.base.shown_as("Holds until")
    client: Client


@dataclass(frozen=True, kw_only=True)
class RecoveryPassUsed(OwnAct):
    description = "A recovery pass was used: its session can replace the authenticator app and nothing else."
    sentence = "{subject} used a recovery pass."
    about_method = "recovery_pass"
    mailing = rules.events.mailing.to_subject("recovery_pass_used")
    copy = rules.events.mailing.to_owners("recovery_pass_used_owners")
    samples = {"recovery_pass_used": {"account_id": ACCOUNT_ID, "subject_email": "mia@example.com"}}
    shows_everywhere = True

    subject_email: str
