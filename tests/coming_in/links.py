"""Links as the worker makes them, for tests that need no email."""

from __future__ import annotations

import secrets
from uuid import UUID

from rules import tokens
from rules.links import Purpose
from tests.people import World


async def link_to(
    world: World,
    address: str,
    purpose: Purpose,
    *,
    about: str | None = None,
    minutes: float = 30,
    account_id: UUID | None = None,
) -> str:
    """The token of a link to this person, as if its email had left, which is about the latest event of that type.

    That of an invitation is of the one that is open, to this account if several are.
    """
    token = tokens.make(tokens.LINK_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    await world.database.execute(
        """
        INSERT INTO links (token_hash, purpose, user_id, event_id, staff_id, made_at, expires_at)
        SELECT $2, $3, users.id,
            CASE WHEN $5::text IS NULL THEN -1 ELSE (SELECT max(id) FROM events WHERE type = $5) END,
            staff.id,
            coalesce(invited_at, (SELECT occurred_at FROM events WHERE type = $5 ORDER BY id DESC LIMIT 1), now()),
            now() + $4 * interval '1 minute'
        FROM users LEFT JOIN staff ON $3 = 'INVITATION' AND staff.user_id = users.id AND invited_at IS NOT NULL
            AND ($6::uuid IS NULL OR account_id = $6)
        WHERE users.email = $1
        """,
        address,
        tokens.digest(tokens.LINK_PREFIX, token),
        purpose,
        minutes,
        about,
        account_id,
    )
    return token
