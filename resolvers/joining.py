"""Who joins an account that requires MFA is told so, with their deadline."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

import db.outbox
import db.policy
from db.pool import Connection
from rules.events.policy import MfaRequired
from rules.people import MANAGERS, Role


async def tell_joined(connection: Connection, account_id: UUID, user_ids: list[UUID]) -> None:
    """Record for each of these, who have just joined, that they have to enroll, if so. Under the account's lock."""
    asked = await db.policy.asked(connection, account_id, user_ids)
    await db.outbox.append_all(connection, [MfaRequired(account_id=account_id, **asdict(each)) for each in asked])


async def tell_promoted(connection: Connection, account_id: UUID, user_id: UUID, before: Role, role: Role) -> None:
    """The same for somebody with another role than before, where it is the role that asks it of them."""
    if before in MANAGERS or role not in MANAGERS:
        return
    asked = await db.policy.asked(connection, account_id, [user_id], by_role=True)
    await db.outbox.append_all(connection, [MfaRequired(account_id=account_id, **asdict(each)) for each in asked])
