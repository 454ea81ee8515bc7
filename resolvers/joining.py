"""Who joins an account that requires MFA, or is asked for it anew, is told so, with their deadline."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

import db.often
import db.outbox
import db.policy
import rules.often
from db.policy import Asked
from db.pool import Connection
from rules.events.policy import MfaRequired
from rules.often import JOININGS_MAILED, SPAN
from rules.people import MANAGERS, Role


async def tell_joined(connection: Connection, account_id: UUID, user_ids: list[UUID]) -> None:
    """Record for each of these, who have just joined, that they have to enroll, if so. Under the account's lock."""
    asked = await db.policy.asked(connection, account_id, user_ids)
    await _tell(connection, account_id, asked)


async def tell_promoted(connection: Connection, account_id: UUID, user_id: UUID, before: Role, role: Role) -> None:
    """The same for somebody with another role than before, where it is the role that asks it of them."""
    if before in MANAGERS or role not in MANAGERS:
        return
    asked = await db.policy.asked(connection, account_id, [user_id], by_role=True)
    await _tell(connection, account_id, asked)


async def tell_excepted_no_more(connection: Connection, account_id: UUID, user_id: UUID) -> None:
    """The same for somebody whose exception was ended by hand, while they have time: they may not know how much.

    The account's mails of its deadline passed over them while the exception held, and that of its end names none.
    """
    asked = await db.policy.asked(connection, account_id, [user_id], ahead=True)
    await _tell(connection, account_id, asked)


async def _tell(connection: Connection, account_id: UUID, asked: list[Asked]) -> None:
    keys = {each.subject_id: rules.often.joining_key(account_id, each.subject_id) for each in asked}
    mailed = await db.often.count(connection, keys.values(), JOININGS_MAILED, SPAN) if keys else set()
    told = [
        MfaRequired(account_id=account_id, is_mailed=keys[each.subject_id] in mailed, **asdict(each)) for each in asked
    ]
    await db.outbox.append_all(connection, told)
