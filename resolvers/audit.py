"""The account's audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import db.audit
import resolvers.access
import resolvers.staff
import rules.addresses
import rules.cursor
from db.audit import Entry
from resolvers.context import Context
from rules.events.catalogue import BY_TYPE
from rules.service_keys import Right

DEFAULT_PAGE = 50
LARGEST_PAGE = 500


@dataclass(frozen=True)
class Page:
    """A page of the log, and the way to each entry's cursor, which is made only when asked for."""

    entries: list[Entry]
    cursor_of: Callable[[Entry], str]
    has_next: bool
    has_previous: bool


async def log(
    context: Context, account_id: UUID, first: int | None, after: str | None, types: list[str] | None, email: str | None
) -> Page:
    """Events, newest first. Raises what viewed_account raises, and BadUserInput."""
    await resolvers.access.viewed_account(context, account_id, Right.AUDIT)
    limit = resolvers.staff.page_size(first, LARGEST_PAGE, DEFAULT_PAGE)
    ring, scope = context.service.ring, f"audit {account_id}"
    before = int(rules.cursor.decode(ring, scope, after)[0]) if after is not None else None
    wanted = list(BY_TYPE) if types is None else types
    async with context.database.connection() as connection:
        if email:
            people = await db.audit.people(connection, account_id, rules.addresses.normalized(email))
            entries = await db.audit.page_of(connection, account_id, people, wanted, before, limit + 1)
        else:
            entries = await db.audit.page(connection, account_id, wanted, before, limit + 1)
    has_next = len(entries) > limit
    return Page(
        entries[:limit], lambda entry: rules.cursor.encode(ring, scope, [str(entry.id)]), has_next, after is not None
    )
