"""Events as the database keeps them: a type, three ids, and the facts as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from rules.events.base import WHO, Event
from rules.events.catalogue import BY_TYPE
from rules.voice import ENGLISH, Voice

# The fact that tells who did it at the command line, of whatever event.
OPERATOR = "operator"
# The fact that tells by what whoever did it in a session was recognised when that began.
SESSION_METHOD = "sessionMethod"
NAMED = {"account_id": "account", "subject_id": "person", "actor_id": "actor"}


class UnreadableEventError(Exception):
    """A stored event that is none of ours; the message says why, without its facts."""


class LaterEventError(UnreadableEventError):
    """One of a type, or with a value, that we do not know: whoever wrote it is of a later version, which does."""


class _UnknownValueError(ValueError):
    """A word that stands for nothing here."""


@dataclass(frozen=True)
class Stored:
    """An event's row."""

    type: str
    account_id: UUID | None
    subject_id: UUID | None
    actor_id: UUID | None
    data: dict[str, Any]
    service_key: str | None = None

    @classmethod
    def of(cls, event: Event) -> Stored:
        """The row of an event. What is not known is left out."""
        data: dict[str, Any] = {}
        for each in fields(event):
            if each.name not in WHO:
                data |= _written(each.name, getattr(event, each.name))
        return cls(event.type(), event.account_id, event.subject_id, event.actor_id, data, event.service_key)

    def read(self) -> Event:
        """The event. Facts that its class does not know are left alone. Raises UnreadableEventError."""
        found: Any = BY_TYPE.get(self.type)
        if found is None:
            raise LaterEventError(f"Unknown event type {self.type[:60]!r}.")
        ids = {name: getattr(self, name) for name in WHO}
        for name in _required_ids(found):
            if ids[name] is None:
                raise UnreadableEventError(f"{self.type} names no {NAMED[name]}.")
        event: Event = found(**ids, **_read_all(found, self.data, self.type))
        return event

    def text(self, name: str) -> str | None:
        """A fact by its name in JSON; None unless it is a text."""
        value = self.data.get(name)
        return value if isinstance(value, str) else None

    def method(self) -> str | None:
        """How it came about; None where the event does not know, or is broken."""
        try:
            return self.read().method() or self.text(SESSION_METHOD)
        except UnreadableEventError:
            return None

    def summary(self, actor: str | None, subject: str | None, voice: Voice = ENGLISH) -> str:
        """The audit log's sentence, also where a row is broken: the log goes on."""
        try:
            return self._told(self.read().summary, actor, subject, voice)
        except UnreadableEventError:
            return voice.text("What happened cannot be read.")

    def alert_summary(self, actor: str | None, subject: str | None, voice: Voice = ENGLISH) -> str:
        """The alert's sentence. Raises UnreadableEventError."""
        return self._told(self.read().alert_summary, actor, subject, voice)

    def _told(
        self,
        summary: Callable[[str | None, str | None, Voice], str],
        actor: str | None,
        subject: str | None,
        voice: Voice,
    ) -> str:
        operator = self.text(OPERATOR)
        doer = operator and voice.text("Operator {name}").format(name=operator)
        told = summary(actor or doer, subject, voice)
        if doer is None or doer in told:
            return told
        return voice.text("{told}, by operator {name}.").format(told=told.removesuffix("."), name=operator)


def _written(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if is_dataclass(value):
        written: dict[str, Any] = {}
        for each in fields(value):
            written |= _written(each.name, getattr(value, each.name))
        return written
    return {key(name): _as_json(value)}


def _as_json(value: object) -> object:
    if isinstance(value, tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID | StrEnum) else value


def _read_all(shape: Any, data: dict[str, Any], type_name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for fact in _facts(shape):
        value = data.get(key(fact.name))
        if fact.has_parts:
            found[fact.name] = fact.kind(**_read_all(fact.kind, data, type_name))
        elif value is not None:
            try:
                found[fact.name] = _read(fact.kind, value)
            except _UnknownValueError:
                raise LaterEventError(f"{type_name} has a wrong {key(fact.name)}.") from None
            except (TypeError, ValueError):
                raise UnreadableEventError(f"{type_name} has a wrong {key(fact.name)}.") from None
        elif not fact.has_default:
            if not fact.may_be_none:
                raise UnreadableEventError(f"{type_name} lacks its {key(fact.name)}.")
            found[fact.name] = None
    return found


def _read(kind: Any, value: Any) -> object:
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], each) for each in value)
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant without its zone")
        return instant
    if issubclass(kind, StrEnum) and isinstance(value, str) and value not in kind.__members__.values():
        raise _UnknownValueError(kind.__name__)
    if issubclass(kind, StrEnum | UUID):
        return kind(value)
    if type(value) is not kind:
        raise TypeError(kind)
    return value


@dataclass(frozen=True)
class _Fact:
    name: str
    kind: Any
    has_parts: bool
    may_be_none: bool
    has_default: bool


@cache
def _facts(shape: Any) -> tuple[_Fact, ...]:
    hints = get_type_hints(shape)
    return tuple(
        _fact(each.name, hints[each.name], has_default=each.default is not MISSING)
        for each in fields(shape)
        if not (issubclass(shape, Event) and each.name in WHO)
    )


def _fact(name: str, hint: Any, *, has_default: bool) -> _Fact:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
    return _Fact(name, kinds[0], is_dataclass(kinds[0]), isinstance(hint, UnionType), has_default)


@cache
def _required_ids(event: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(event) if each.name in WHO and each.default is MISSING)


def key(name: str) -> str:
    """A fact's name in JSON."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def key_of(event: type[Event], name: str) -> str:
    """The name in JSON of a fact that the event has, for a statement that reads or writes it."""
    if name not in {each.name for each in fields(event)}:
        raise AttributeError(f"{event.__name__} has no {name}.")
    return key(name)
