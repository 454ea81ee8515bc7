"""What all types share: the instant, the Error interface, and the request's info."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

import strawberry
from graphql import GraphQLError
from strawberry.types import Info as StrawberryInfo

from resolvers.context import Context

Info: TypeAlias = StrawberryInfo[Context, None]


def _serialize(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise GraphQLError("Not an instant: give ISO 8601 with a time zone, such as 2026-11-24T14:03:00Z.")
    return instant


DateTime = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 in UTC with a trailing Z.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    serialize=_serialize,
    parse_value=_parse,
)


@strawberry.interface(description="A failure that a person can act on, returned as data.")
class Error:
    message: str = strawberry.field(description="One plain sentence for the person.")


@strawberry.enum(description="Account roles. Whoever has one is staff; portal users have none and are never enrolled.")
class Role(Enum):
    OWNER = strawberry.enum_value("OWNER", description="Runs the account; the last one cannot leave.")
    ADMIN = strawberry.enum_value("ADMIN", description="Runs the account beside its owners.")
    MEMBER = strawberry.enum_value("MEMBER", description="Works in the account.")
