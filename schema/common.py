"""What all types share: the instant, the Error interface, and the request's info."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import TypeAlias, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.types import Info as StrawberryInfo

import languages
from resolvers.context import Context

Info: TypeAlias = StrawberryInfo[Context, None]

# Of a page's entries, each of which takes up to 25 microseconds to make.
MADE_AT_ONCE = 50
# Those who wait for something in an account: nothing but its staff bounds them, and they are few.
MOST_WAITING = 100
Given = TypeVar("Given")
Made = TypeVar("Made")
Edge = TypeVar("Edge")


@lru_cache(maxsize=1_000)  # an account's deadline is everybody's
def _serialize(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        # In UTC, the first and the last of all days end earlier, or begin later, than in other zones.
        in_utc = instant.astimezone(UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise GraphQLError("Not an instant: give ISO 8601 with a time zone, such as 2026-11-24T14:03:00Z.")
    return in_utc


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


@strawberry.type(description="Where a page lies in its list (Relay cursor connections).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for behind a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first entry.")
    end_cursor: str | None = strawberry.field(description="The cursor of its last: give as `after` for the next page.")

    @classmethod
    def of(
        cls, entries: Sequence[Given], cursor_of: Callable[[Given], str], has_next: bool, has_previous: bool
    ) -> PageInfo:
        """The info of a page with these entries."""
        return cls(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursor_of(entries[0]) if entries else None,
            end_cursor=cursor_of(entries[-1]) if entries else None,
        )


def at_most(count: int) -> dict[str, int]:
    """The metadata of a list without pages that may hold so many: what stands below it costs as many times as much."""
    return {"most": count}


def told(info: Info, message: str) -> str:
    """A message to the person in the language of the request."""
    return languages.told(message, info.context.language)


async def made_in_turns(make: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
    """Each made of its own, a few at a time, so that a large page holds up nobody."""
    made: list[Made] = []
    for start in range(0, len(given), MADE_AT_ONCE):
        if start:
            await asyncio.sleep(0)
        made += map(make, given[start : start + MADE_AT_ONCE])
    return made


async def edges_of(
    edge: Callable[..., Edge], cursor_of: Callable[[Given], str], entries: Sequence[Given], nodes: Sequence[object]
) -> list[Edge]:
    """The edges of a page, each of an entry's cursor and the node made of it."""
    cursors = await made_in_turns(cursor_of, entries)
    return [edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)]


def number(text: str | None) -> int | None:
    """An id that is a number; what cannot be one is one that nothing has."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
