"""What happens to a person's factor and backup codes."""

from __future__ import annotations

from dataclasses import dataclass

from rules.clients import Client
from rules.events.base import OwnAct, PersonEvent
from rules.events.mailing import While, to_subject
from rules.events.samples import ACCOUNT_ID, ADMIN_ID


@dataclass(frozen=True, kw_only=True)
class MfaEnabled(OwnAct):
    description = "A person turned MFA on."
    sentence = "{subject} turned on MFA."
    mailing = to_subject("mfa_enabled", holds_while=While.ENROLLED)
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class MfaDisabled(OwnAct):
    description = "A person turned MFA off."
    sentence = "{subject} turned off MFA."
    mailing = to_subject("mfa_disabled", holds_while=While.NOT_ENROLLED)
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class MfaReset(PersonEvent):
    """Without an account and actor it is the operator's. Where an admin sat is recorded, and told in no email."""

    description = "An owner or admin reset a person's MFA."
    sentence = "{actor} reset the MFA of {subject}."
    mailing = to_subject("mfa_reset", holds_while=While.NOT_ENROLLED)
    samples = {"mfa_reset": {"account_id": ACCOUNT_ID, "actor_id": ADMIN_ID}, "mfa_reset_by_operator": {}}
    changes_member = True
    shows_everywhere = True

    client: Client = Client(None, None)


@dataclass(frozen=True, kw_only=True)
class BackupCodesRegenerated(OwnAct):
    description = "A person replaced their backup codes."
    sentence = "{subject} replaced their backup codes."
    mailing = to_subject("backup_codes_regenerated", holds_while=While.ENROLLED)


@dataclass(frozen=True, kw_only=True)
class AuthenticatorReplaced(OwnAct):
    description = "A person moved to a new authenticator app."
    sentence = "{subject} moved to a new authenticator app."
    mailing = to_subject("authenticator_replaced", holds_while=While.ENROLLED)
