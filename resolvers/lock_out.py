"""Who could not come back today, for the account's owners and admins; and hearing that backup codes are saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import db.lock_out
import db.outbox
import resolvers.access
import resolvers.staff
import rules.cursor
from db.lock_out import Forecast, Risk
from resolvers.context import Context
from rules.events.mfa import BackupCodesSaved
from rules.failures import MfaNotEnabled

LARGEST_PAGE = 500
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class Page:
    """A page of the forecast, and the way to each one's cursor."""

    forecast: Forecast
    risks: list[Risk]
    cursor_of: Callable[[Risk], str]
    has_next: bool
    has_previous: bool


async def forecast(context: Context, account_id: UUID, first: int | None, after: str | None) -> Page:
    """Those at risk by email. Raises what viewed_account raises, and BadUserInput."""
    await resolvers.access.viewed_account(context, account_id)
    limit = resolvers.staff.page_size(first, LARGEST_PAGE, DEFAULT_PAGE)
    ring, scope = context.service.ring, f"lock-out {account_id}"
    position = None
    if after is not None:
        email, staff_id = rules.cursor.decode(ring, scope, after)
        position = email, UUID(staff_id)
    async with context.database.connection() as connection:
        found = await db.lock_out.forecast(connection, account_id, position, limit + 1)
    return Page(
        found,
        found.risks[:limit],
        lambda risk: rules.cursor.encode(ring, scope, [risk.email, str(risk.staff_id)]),
        has_next=len(found.risks) > limit,
        has_previous=after is not None,
    )


async def save_codes(context: Context) -> None:
    """The person has saved the backup codes shown last; said again, it is no change. Raises MfaNotEnabled."""
    person = await context.person()
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        if await db.lock_out.save_codes(connection, person.id):
            saved = BackupCodesSaved(subject_id=person.id, actor_id=person.id)
            await db.outbox.append(connection, saved)
