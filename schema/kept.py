"""How a mutation's result is kept to be given again: its objects as JSON, and back.

Our own dataclasses and enumerations are named by where they stand in the code; nothing else is made anew.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

OURS = ("schema", "resolvers", "rules", "db")


def written(value: Any) -> Any:
    """The value as JSON. Raises TypeError for what is none of ours."""
    if isinstance(value, Enum):
        return {"enum": _name(type(value)), "member": value.name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [written(each) for each in value]
    if is_dataclass(value):
        given = {field.name: written(getattr(value, field.name)) for field in fields(value) if field.init}
        return {"type": _name(type(value)), "fields": given}
    kind = type(value).__name__
    if kind not in WRITERS:
        raise TypeError(f"A {kind} cannot be kept.")
    return {kind: WRITERS[kind](value)}


def read(value: Any) -> Any:
    """What was written."""
    match value:
        case list():
            return [read(each) for each in value]
        case {"type": name, "fields": given}:
            return _named(name)(**{field: read(each) for field, each in given.items()})
        case {"enum": name, "member": member}:
            return _named(name)[member]
        case dict():
            ((kind, inner),) = value.items()
            return READERS[kind](inner)
    return value


WRITERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.isoformat,
    "timedelta": timedelta.total_seconds,
    "UUID": str,
    "tuple": lambda value: [written(each) for each in value],
    "frozenset": lambda value: [written(each) for each in value],
    "dict": lambda value: [[written(key), written(each)] for key, each in value.items()],
}
READERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "timedelta": lambda inner: timedelta(seconds=inner),
    "UUID": UUID,
    "tuple": lambda inner: tuple(read(each) for each in inner),
    "frozenset": lambda inner: frozenset(read(each) for each in inner),
    "dict": lambda inner: {read(key): read(each) for key, each in inner},
}


def _name(type_: type) -> str:
    if type_.__module__.partition(".")[0] not in OURS or "." in type_.__qualname__:
        raise TypeError(f"A {type_.__qualname__} of {type_.__module__} cannot be kept.")
    return f"{type_.__module__}:{type_.__qualname__}"


def _named(name: str) -> Any:
    module, _, type_ = name.partition(":")
    if module.partition(".")[0] not in OURS:
        raise TypeError(f"{name} is not ours.")
    return getattr(importlib.import_module(module), type_)
