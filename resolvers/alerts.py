"""Which alerts an account's owners and admins get by email, as its owners set it."""

from __future__ import annotations

from uuid import UUID

import db.alerts
import db.outbox
import resolvers.access
import resolvers.owning
import rules.alerts
import rules.events.alerts
from resolvers.context import Context
from rules.alerts import AlertSetting, Wish
from rules.failures import InvalidInput


async def of_account(context: Context, account_id: UUID) -> list[AlertSetting]:
    """The setting of every kind, for owners, admins and super-admins. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return rules.alerts.whole(await db.alerts.settings(connection, account_id))


async def update(context: Context, account_id: UUID, wishes: list[Wish]) -> list[AlertSetting]:
    """Let these kinds be as wished, the others as they are; saving what already holds is no change.

    Raises what owned_account raises, and InvalidInput.
    """
    person = await resolvers.access.owned_account(context, account_id, to="change its alerts")
    if len({wish.kind for wish in wishes}) < len(wishes):
        raise InvalidInput("alerts", "Give each kind of alert once.")
    async with resolvers.owning.as_owner(context, person, account_id) as connection:
        held = rules.alerts.whole(await db.alerts.settings(connection, account_id))
        wanted = {wish.kind: wish for wish in wishes}
        now = [wanted[each.kind].over(each) if each.kind in wanted else each for each in held]
        if now != held:
            await db.alerts.save(connection, account_id, now)
            await db.outbox.append(connection, rules.events.alerts.changed(now, account_id, person.id))
    return now
