"""What the owners and admins of an account are told of what happened, and the change of what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import rules.events.mailing
from rules.alerts import AlertKind, AlertSetting
from rules.events.base import AccountEvent
from rules.events.samples import ADMIN_ID
from rules.events.staff import MemberEvent
from rules.often import Often
from rules.voice import ENGLISH, Voice


@dataclass(frozen=True, kw_only=True)
class AlertsChanged(AccountEvent):
    """`emailed` and `emailed_to_admins` are the kinds that owners and admins get from now on."""

    description = "An owner changed which alerts are emailed."
    sentence = "{actor} changed the alerts by email: owners get {owners_get}, admins get {admins_get}."
    mailing = rules.events.mailing.to_owners("alerts_changed")
    often = Often("alerts")
    samples = {
        "alerts_changed": {
            "actor_id": ADMIN_ID,
            "emailed": (AlertKind.MFA_RESET, AlertKind.POLICY_CHANGED),
            "emailed_to_admins": (AlertKind.MFA_RESET,),
        },
        "alerts_switched_off": {"actor_id": ADMIN_ID, "emailed": (), "emailed_to_admins": ()},
    }

    emailed: tuple[AlertKind, ...]
    emailed_to_admins: tuple[AlertKind, ...]

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with the kinds counted."""
        owners_get, admins_get = _counted(self.emailed, voice), _counted(self.emailed_to_admins, voice)
        return super().words(voice) | {"owners_get": owners_get, "admins_get": admins_get}


@dataclass(frozen=True, kw_only=True)
class AlertRaised(MemberEvent):
    """To one owner or admin: of `count` things of one kind the newest, each in the audit log's sentence.

    The email says them anew in the language of whoever gets it, by `event_ids`, and counts anew with what is earlier:
    of agencies that are theirs then. Events of former versions have none.
    """

    description = "An owner or admin was told of what happened."
    changes_progress = False
    sentence = "{subject} was told of {count} alert."
    mailing = rules.events.mailing.to_manager("alert")
    is_shown = False
    samples = {
        "alert": {"kind": AlertKind.MFA_DISABLED, "count": 1, "told": ("noah@example.com turned off MFA.",)},
        "alerts_gathered": {
            "kind": AlertKind.LOCKED,
            "count": 3,
            "is_gathered": True,
            "told": tuple(
                f"Code entry of {name}@example.com was locked after too many wrong codes."
                for name in ("noah", "max", "zoe")
            ),
        },
        "alert_of_a_webhook": {
            "kind": AlertKind.POLICY_CHANGED,
            "count": 1,
            "told": ("olive@example.com added a webhook to hooks.example.com.",),
        },
        "alerts_of_two_agencies": {
            "kind": AlertKind.MFA_DISABLED,
            "count": 2,
            "is_gathered": True,
            "told": tuple(f"{name}@example.com turned off MFA." for name in ("noah", "zoe")),
        },
    }

    kind: AlertKind
    count: int
    told: tuple[str, ...]
    is_gathered: bool = False
    event_ids: tuple[int, ...] = ()
    earlier_ids: tuple[int, ...] = ()

    def said(self, voice: Voice) -> str:
        """The sentence for as many."""
        return voice.count(self.count, "{subject} was told of {count} alert.", "{subject} was told of {count} alerts.")


@dataclass(frozen=True, kw_only=True)
class DigestSent(AccountEvent):
    """Numbers alone: nobody's name."""

    description = "The weekly digest of what is open in the account was sent."
    sentence = "The weekly digest was sent: {count} thing open."
    mailing = rules.events.mailing.to_managers("digest", AlertKind.WEEKLY_DIGEST)
    is_shown = False
    samples = {
        "digest": {
            "pending_count": 12,
            "blocked_count": 1,
            "excepted_count": 2,
            "invited_count": 3,
            "failing_webhook_count": 1,
        },
        "digest_short": {"pending_count": 1},
    }
    KINDS: ClassVar = (
        (
            "%(count)s staff member cannot continue before setting up MFA",
            "%(count)s staff members cannot continue before setting up MFA",
        ),
        ("%(count)s staff member still to set up MFA", "%(count)s staff members still to set up MFA"),
        ("%(count)s staff member excepted from MFA for now", "%(count)s staff members excepted from MFA for now"),
        ("%(count)s invitation open", "%(count)s invitations open"),
        ("%(count)s webhook failing or switched off", "%(count)s webhooks failing or switched off"),
    )

    pending_count: int = 0
    blocked_count: int = 0
    excepted_count: int = 0
    invited_count: int = 0
    failing_webhook_count: int = 0

    @property
    def total(self) -> int:
        """How many things are open."""
        counts = (self.pending_count, self.blocked_count, self.excepted_count, self.invited_count)
        return sum(counts) + self.failing_webhook_count

    def counted(self) -> list[tuple[int, tuple[str, str]]]:
        """What is open: how many of each kind, and the kind's line in singular and plural."""
        counts = (
            self.blocked_count,
            self.pending_count,
            self.excepted_count,
            self.invited_count,
            self.failing_webhook_count,
        )
        return [(count, kind) for count, kind in zip(counts, self.KINDS, strict=True) if count]

    def said(self, voice: Voice) -> str:
        """The sentence for as many."""
        return voice.count(
            self.total,
            "The weekly digest was sent: {count} thing open.",
            "The weekly digest was sent: {count} things open.",
        )

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with the things counted."""
        return super().words(voice) | {"count": str(self.total)}


def changed(settings: list[AlertSetting], account_id: UUID, actor_id: UUID | None) -> AlertsChanged:
    """What happened when these settings came to hold."""
    return AlertsChanged(
        account_id=account_id,
        actor_id=actor_id,
        emailed=tuple(each.kind for each in settings if each.email),
        emailed_to_admins=tuple(each.kind for each in settings if each.email_admins),
    )


def _counted(kinds: tuple[AlertKind, ...], voice: Voice) -> str:
    if not kinds:
        return voice.text("none")
    if len(kinds) == len(AlertKind):
        return voice.text("all")
    return voice.text("{count} of {all}").format(count=len(kinds), all=len(AlertKind))
