"""What every event has: who did it, whom and which account it concerns, and its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import rules.often
import rules.voice
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.mailing import Audience, Mailing
from rules.often import Often
from rules.people import Role
from rules.voice import ENGLISH, Voice

LABEL = "label"
ROLES = {
    Role.MEMBER: rules.voice.later("a member"),
    Role.ADMIN: rules.voice.later("an admin"),
    Role.OWNER: rules.voice.later("an owner"),
}
# No name of RFC 8176 says that a mailbox was shown to be one's own.
EMAIL_LINK = "email_link"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. `account_id` is where it shows; without one it shows in every account its subject is staff of.

    `description` is the schema's, `sentence` the audit log's: {actor}, {subject} and the event's own facts by name.
    `samples` are the facts of its previews by name; ids and the client are filled in where the event needs them.
    """

    description: ClassVar[str]
    sentence: ClassVar[str]
    mailing: ClassVar[Mailing | None] = None
    # A further message, which goes to the address that `copied_to` names.
    copy: ClassVar[Mailing | None] = None
    samples: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # The method of authentication that it is about, in the words of a session's `amr`.
    about_method: ClassVar[str | None] = None
    # Whether the roster shows the subject differently afterwards.
    changes_member: ClassVar[bool] = False
    # Whether an account's progress may be another one afterwards, which is counted anew then.
    changes_progress: ClassVar[bool] = True
    # Whether it shows in every account its subject is staff of, beside its own.
    shows_everywhere: ClassVar[bool] = False
    # Whether any audit log shows it, and any webhook tells it: not what only carries on what they did.
    is_shown: ClassVar[bool] = True
    # The alert that it is to the owners, and its sentence there if not the audit log's.
    alert: ClassVar[AlertKind | None] = None
    alert_sentence: ClassVar[str | None] = None
    # What the subject of its alert says, where its kind's does not fit it.
    alert_headline: ClassVar[str | None] = None
    # Whether it is one to the subject, too, who may be an owner, as far as they are not mailed of it anyway.
    alerts_subject: ClassVar[bool] = True
    # How often in a day one actor may cause it, where others are emailed about it each time.
    often: ClassVar[Often | None] = None
    # Whether it shows only once a worker has looked at it, so that appending it takes the same time for anybody.
    shows_when_dispatched: ClassVar[bool] = False

    account_id: UUID | None = None
    subject_id: UUID | None = None
    actor_id: UUID | None = None
    # The name of the service key that did it, in the actor's place or on the person's behalf.
    service_key: str | None = None

    @classmethod
    def type(cls) -> str:
        """What the database and the schema call it: MFA_ENABLED for MfaEnabled."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).upper()

    @classmethod
    def names_client(cls) -> bool:
        """Whether the event itself tells where it came from; of any other the request does."""
        return any(each.name == "client" for each in fields(cls))

    def emailed_as(self) -> Mailing | None:
        """What this one is emailed as; None when nobody gets it by email."""
        return self.mailing

    def alerted_as(self) -> AlertKind | None:
        """The alert that this one is; None when it is none."""
        return self.alert

    def owners_are_mailed(self) -> bool:
        """Whether owners hear of it by an email of its own, and so by no alert."""
        mailing = self.emailed_as()
        return mailing is not None and mailing.audience is Audience.OWNERS

    def copied_to(self) -> str | None:
        """Where the copy goes; None when there is none."""
        return None

    def limited_by(self) -> Mapping[str, int]:
        """What counts how often it was caused, each with the most that is allowed; nothing where nobody is emailed.

        An operator may cause it as often as they like.
        """
        actor = self.actor_id or self.service_key
        if self.often is None or actor is None or self.emailed_as() is None:
            return {}
        return self.often.limits(actor, self.account_id, self.about())

    def about(self) -> list[object]:
        """Whom each mail reaches, where one counts how often."""
        return [self.subject_id]

    def requested_by(self) -> UUID | None:
        """Who gets the owners' copy, too, since they had asked for it; None when nobody had."""
        return None

    def method(self) -> str | None:
        """How it came about, as far as the event knows."""
        return self.about_method

    def said(self, voice: Voice) -> str:
        """The audit log's sentence before anything is filled in: one of these where the event has several."""
        return voice.text(self.sentence)

    def summary(self, actor: str | None, subject: str | None, voice: Voice = ENGLISH) -> str:
        """The audit log's sentence; `actor` and `subject` are emails, None for the system and for everybody."""
        return self._told(self.said(voice), actor, subject, voice)

    def alert_summary(self, actor: str | None, subject: str | None, voice: Voice = ENGLISH) -> str:
        """The sentence of an alert: the audit log's without what somebody chose to write."""
        if self.alert_sentence is None:
            return self.summary(actor, subject, voice)
        return self._told(voice.text(self.alert_sentence), actor, subject, voice)

    def _told(self, sentence: str, actor: str | None, subject: str | None, voice: Voice) -> str:
        key = self.service_key
        doer = actor or (voice.text("Service key {name}").format(name=key) if key else "Gatehouse")
        told = sentence.format(actor=doer, subject=subject or voice.text("Someone"), **self.words(voice))
        if key is None or doer in told:
            return told
        return voice.text("{told}, through service key {name}.").format(told=told.removesuffix("."), name=key)

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The event's own facts in words."""
        return {each.name: _in_words(getattr(self, each.name), voice) for each in fields(self) if each.name not in WHO}

    def labelled(self) -> list[tuple[str, datetime]]:
        """The instants that an email shows as a table, each under its label."""
        found = ((each.metadata.get(LABEL), getattr(self, each.name)) for each in fields(self))
        return [(label, value) for label, value in found if label is not None and value is not None]


WHO = frozenset(each.name for each in fields(Event))


@dataclass(frozen=True, kw_only=True)
class PersonEvent(Event):
    subject_id: UUID = field()


@dataclass(frozen=True, kw_only=True)
class OwnAct(PersonEvent):
    """An act of the person, or of somebody in their place: its email tells where from, as no other does."""

    client: Client


@dataclass(frozen=True, kw_only=True)
class NotAlwaysMailed(PersonEvent):
    """`is_mailed` says whether this one is: the audit log has each."""

    is_mailed: bool = True

    def emailed_as(self) -> Mailing | None:
        """None so soon after others."""
        return self.mailing if self.is_mailed else None


@dataclass(frozen=True, kw_only=True)
class Repeatable(NotAlwaysMailed):
    """Somebody may do it over and over: the outbox lets so many of one kind be mailed to one person in an hour."""

    def counted_by(self) -> str:
        """What counts the mails."""
        return rules.often.own_act_key(self.type(), self.subject_id)


@dataclass(frozen=True, kw_only=True)
class Shown(OwnAct):
    """Something was shown, right or wrong: what, in the words of a session's `amr`, in the order in which it was."""

    amr: str | None = None

    def method(self) -> str | None:
        """All that was shown."""
        return self.amr or self.about_method


@dataclass(frozen=True, kw_only=True)
class AccountEvent(Event):
    account_id: UUID = field()


def shown_as(label: str, *, is_required: bool = True) -> Any:
    """An instant that an email shows under this label."""
    metadata = {LABEL: label}
    return field(metadata=metadata) if is_required else field(default=None, metadata=metadata)


def days(count: int, voice: Voice) -> str:
    """'1 day', '2 days'."""
    return voice.count(count, "{count} day", "{count} days").format(count=count)


def _in_words(value: object, voice: Voice) -> str:
    if isinstance(value, datetime):
        return voice.date(value)
    if isinstance(value, Role):
        return voice.text(ROLES[value])
    return str(value)
