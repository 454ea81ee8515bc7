"""The JSON Schema of each event's webhook payload, and the payload itself: facts, never secrets."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import rules.events.stored
from rules.events.base import WHO, Event
from rules.events.catalogue import SHOWN
from rules.events.stored import Stored
from rules.webhooks import TEST

PERSON = {
    "type": ["object", "null"],
    "properties": {"id": {"type": "string", "format": "uuid"}, "email": {"type": ["string", "null"]}},
    "required": ["id", "email"],
    "additionalProperties": False,
}
INSTANT = {"type": "string", "format": "date-time"}


def payload(
    event_id: int | None,
    occurred_at: datetime,
    stored: Stored | None,
    actor_email: str | None,
    subject_email: str | None,
) -> dict[str, Any]:
    """What an endpoint is told of an event; of none: of a test."""
    timestamp = occurred_at.isoformat().replace("+00:00", "Z")
    if stored is None:
        return {"type": TEST, "timestamp": timestamp, "data": {}}
    data = {
        "eventId": str(event_id),
        "accountId": str(stored.account_id) if stored.account_id else None,
        "subject": {"id": str(stored.subject_id), "email": subject_email} if stored.subject_id else None,
        "actor": {"id": str(stored.actor_id), "email": actor_email} if stored.actor_id else None,
        "serviceKey": stored.service_key,
        "facts": stored.data,
    }
    return {"type": stored.type, "timestamp": timestamp, "data": data}


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each type's payload, by type."""
    return {TEST: _envelope(TEST, "A test, sent by hand.", _object({}))} | {
        event.type(): _envelope(event.type(), event.description, _data(event)) for event in SHOWN
    }


def _envelope(name: str, description: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": description,
        **_object({"type": {"const": name}, "timestamp": INSTANT, "data": data}),
    }


def _data(event: type[Event]) -> dict[str, Any]:
    return _object(
        {
            "eventId": {"type": "string"},
            "accountId": {"type": ["string", "null"], "format": "uuid"},
            "subject": PERSON,
            "actor": PERSON,
            "serviceKey": {"type": ["string", "null"]},
            "facts": _facts(event),
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _facts(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for each in fields(shape):
        if issubclass(shape, Event) and each.name in WHO:
            continue
        hint = hints[each.name]
        kinds = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
        if is_dataclass(kinds[0]):
            properties |= _facts(kinds[0])["properties"]
            continue
        properties[rules.events.stored.key(each.name)] = _kind(kinds[0])
        if not isinstance(hint, UnionType):
            required.append(rules.events.stored.key(each.name))
    # A later version may tell more.
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": True}


def _kind(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _kind(get_args(kind)[0])}
    if kind is datetime:
        return INSTANT
    if issubclass(kind, UUID):
        return {"type": "string", "format": "uuid"}
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": [str(value) for value in kind]}
    return {"type": {str: "string", int: "integer", bool: "boolean"}[kind]}
