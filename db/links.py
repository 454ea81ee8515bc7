"""Links in emails that work once, kept by the hash of their token.

The token is made where the email is, just before it leaves, and is kept nowhere: a mail that goes out again carries
another one, and using any copy uses the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Found:
    """A link that holds: whose it is, which event's email carried it, and of an invitation the membership."""

    purpose: str
    user_id: UUID
    event_id: int
    staff_id: UUID | None
    made_at: datetime


async def mint(connection: Connection, delivery_id: int, purpose: str, token_hash: bytes, lifetime: timedelta) -> bool:
    """Let a token hold that is about to leave with this delivery; false when its event is overtaken.

    Any link is overtaken once it is too old or used, or its address is not the person's any more: then it was to
    an address that a change waits for. Beyond that each purpose has its own reasons:

    - an invitation was replaced, revoked or accepted, its sender may not invite any more, or a password was set since;
    - there is no reset any more to dispute or to stop;
    - there is no account recovery any more to begin or to stop;
    - nobody is still to enroll after a reset in an account that has enrolling confirmed.
    """
    return bool(
        await connection.fetchval(
            """
            INSERT INTO links (token_hash, purpose, user_id, event_id, staff_id, made_at, expires_at)
            SELECT $3, $2, users.id, event_id, invited.id, occurred_at, occurred_at + $4
            FROM deliveries
            JOIN events ON events.id = event_id
            JOIN users ON users.id = deliveries.user_id AND users.email = deliveries.email
            LEFT JOIN staff AS invited ON $2 = 'INVITATION' AND invited.account_id = events.account_id
                AND invited.user_id = users.id AND invited_at = occurred_at
            WHERE deliveries.id = $1 AND occurred_at + $4 > now()
                AND NOT EXISTS (SELECT FROM links AS used
                    WHERE used.event_id = events.id AND used.user_id = users.id AND used.purpose = $2
                        AND used_at IS NOT NULL)
                AND ($2 <> 'INVITATION' OR invited.id IS NOT NULL AND inviter_may_invite(invited))
                AND ($2 <> 'PASSWORD_RESET' OR coalesce(password_set_at < occurred_at, true))
                AND ($2 <> 'NOT_ME' OR EXISTS (SELECT FROM reset_history
                    WHERE reset_history.user_id = users.id AND valid_from > occurred_at - $4))
                AND ($2 <> 'STOP_RESET' OR EXISTS (SELECT FROM reset_requests
                    WHERE reset_requests.user_id = events.subject_id AND requested_at = occurred_at))
                AND ($2 <> 'START_RECOVERY' OR account_recovery_days(users.id) IS NOT NULL
                    AND coalesce(password_set_at < occurred_at, true))
                AND ($2 <> 'STOP_RECOVERY' OR EXISTS (SELECT FROM account_recoveries
                    WHERE account_recoveries.user_id = events.subject_id AND started_at <= occurred_at))
                AND ($2 <> 'ENROLLMENT' OR reenrollment_required_at <= occurred_at AND enrollment_stopped_at IS NULL
                    AND EXISTS (SELECT FROM staff JOIN accounts ON accounts.id = account_id
                        WHERE user_id = users.id AND staff.invited_at IS NULL AND confirm_reset_by_email))
            FOR KEY SHARE OF users
            RETURNING true
            """,
            delivery_id,
            purpose,
            token_hash,
            lifetime,
        )
    )


async def find(connection: Connection, token_hash: bytes, purposes: Sequence[str]) -> Found | None:
    """The link with this token, if it holds and is for one of these purposes."""
    row = await connection.fetchrow(
        """
        SELECT purpose, user_id, event_id, staff_id, made_at FROM links
        WHERE token_hash = $1 AND purpose = ANY ($2) AND used_at IS NULL AND expires_at > now()
        """,
        token_hash,
        purposes,
    )
    return Found(**row) if row else None


async def may_set_password(connection: Connection, invitation: Found, lifetime: timedelta) -> bool:
    """Whether the link of an invitation, which holds for days, may set the person's password.

    It sets that of whoever has none; of whoever has one for this lifetime, and none that was set since.
    """
    return bool(
        await connection.fetchval(
            """
            SELECT password_hash IS NULL OR $2 > now() - $3::interval AND coalesce(password_set_at < $2, true)
            FROM users WHERE id = $1
            """,
            invitation.user_id,
            invitation.made_at,
            lifetime,
        )
    )


async def use(connection: Connection, found: Found) -> bool:
    """Use the link up, under the person's lock; false when another request was first or its time is over."""
    used: int = await connection.fetchval(
        """
        WITH used AS (
            UPDATE links SET used_at = now()
            WHERE event_id = $1 AND user_id = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > now()
            RETURNING 1
        )
        SELECT count(*) FROM used
        """,
        found.event_id,
        found.user_id,
        found.purpose,
    )
    return used > 0


async def first_since_reset(connection: Connection, found: Found) -> int:
    """The event of the person's first link of this one's purpose since their latest reset: of its own mail, if it left.

    Whoever sets up MFA again and again since then is mailed another each time.
    """
    event_id: int = await connection.fetchval(
        """
        SELECT min(event_id) FROM links
        WHERE user_id = $1 AND purpose = $2 AND (event_id = $3
            OR made_at >= (SELECT max(valid_from) FROM reset_history WHERE reset_history.user_id = $1))
        """,
        found.user_id,
        found.purpose,
        found.event_id,
    )
    return event_id


async def void(connection: Connection, user_id: UUID, purposes: Sequence[str] | None) -> None:
    """Let none of the person's links for these purposes hold any more; for none at all (None)."""
    await connection.execute(
        """
        UPDATE links SET used_at = now()
        WHERE user_id = $1 AND ($2::text[] IS NULL OR purpose = ANY ($2)) AND used_at IS NULL
        """,
        user_id,
        purposes,
    )
