"""What every reset takes of a person besides their factor, whoever resets them."""

from __future__ import annotations

from uuid import UUID

import db.challenges
import db.enrollment
import db.given
import db.links
import db.resets
import db.sessions
import db.throttles
import db.users
import rules.often
import rules.throttling
from db.pool import Connection
from rules.clients import NO_CLIENT, Client
from rules.events.mfa import MfaEnabled
from rules.links import AFTER_RESET


async def end_everything(
    connection: Connection, user_id: UUID, actor_id: UUID | None, client: Client = NO_CLIENT
) -> None:
    """End sessions, challenges, enrollment and lock of the person, who must enroll anew.

    What they gave or asked for ends as well, since somebody else may have: `actor_id` has declined what was asked for,
    an operator if None. Under the locks of db.given.lock.
    """
    await db.users.require_reenrollment(connection, user_id)
    await db.sessions.end_all(connection, user_id)
    await db.challenges.drop_all(connection, user_id)
    await db.enrollment.drop(connection, user_id)
    await db.links.void(connection, user_id, AFTER_RESET)
    await db.resets.tell(connection, await db.resets.end_all_of(connection, user_id), actor_id, client)
    await db.given.take_back(connection, user_id, actor_id, client)
    # Whoever enrolls now is told of, with the link against it, however often MFA was turned on before.
    await db.throttles.clear(connection, rules.often.own_act_key(MfaEnabled.type(), user_id))
    await db.throttles.clear(connection, rules.throttling.second_factor_key(user_id))
