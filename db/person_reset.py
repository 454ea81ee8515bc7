"""What every reset takes of a person besides their factor, whoever resets them."""

from __future__ import annotations

from uuid import UUID

import db.challenges
import db.enrollment
import db.links
import db.resets
import db.sessions
import db.throttles
import db.users
import rules.throttling
from db.pool import Connection
from rules.links import AFTER_RESET


async def end_everything(connection: Connection, user_id: UUID) -> None:
    """End sessions, challenges, enrollment and lock of the person, who must enroll anew. Under their lock."""
    await db.users.require_reenrollment(connection, user_id)
    await db.sessions.end_all(connection, user_id)
    await db.challenges.drop_all(connection, user_id)
    await db.enrollment.drop(connection, user_id)
    await db.links.void(connection, user_id, AFTER_RESET)
    await db.resets.drop(connection, user_id)
    await db.throttles.clear(connection, rules.throttling.second_factor_key(user_id))
