"""Resets of MFA that wait for a second owner or admin: one row each, which whatever ends it deletes, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.outbox
from db.pool import Connection
from rules.clients import NO_CLIENT, Client
from rules.events.resets import MfaResetDeclined, MfaResetEnded, MfaResetExpired
from rules.resets import REQUEST_LIFETIME


@dataclass(frozen=True)
class Request:
    """A reset that waits."""

    id: UUID
    account_id: UUID
    user_id: UUID
    requester_id: UUID
    requester_email: str
    reason: str | None
    requested_at: datetime
    expires_at: datetime


async def needs_approval(connection: Connection, user_id: UUID) -> bool:
    """Whether an account of the person asks for a second one: a reset is one in all, also where they may be back."""
    return bool(
        await connection.fetchval(
            """
            SELECT true FROM roles_to_reckon_with($1) JOIN accounts ON accounts.id = account_id
            WHERE reset_needs_approval(reset_approval, role)
            LIMIT 1
            """,
            user_id,
        )
    )


async def ask(
    connection: Connection, account_id: UUID, user_id: UUID, requester_id: UUID, reason: str | None
) -> UUID | None:
    """Let a reset wait; its id. None when one waits already."""
    request_id: UUID | None = await connection.fetchval(
        """
        INSERT INTO reset_requests (account_id, user_id, requester_id, reason, expires_at)
        VALUES ($1, $2, $3, $4, now() + $5::interval)
        ON CONFLICT (user_id) DO NOTHING
        RETURNING id
        """,
        account_id,
        user_id,
        requester_id,
        reason,
        REQUEST_LIFETIME,
    )
    return request_id


async def waiting(
    connection: Connection,
    *,
    account_id: UUID | None = None,
    user_id: UUID | None = None,
    request_id: UUID | None = None,
) -> list[Request]:
    """What waits in the account, for the person, or under this id, the oldest first."""
    rows = await connection.fetch(
        """
        SELECT reset_requests.id, account_id, user_id, requester_id, email AS requester_email, reason, requested_at,
            expires_at
        FROM reset_requests CROSS JOIN LATERAL address_known_to(account_id, requester_id)
        WHERE ($1::uuid IS NULL OR account_id = $1) AND ($2::uuid IS NULL OR user_id = $2)
            AND ($3::uuid IS NULL OR reset_requests.id = $3) AND expires_at > now()
        ORDER BY requested_at, reset_requests.id
        """,
        account_id,
        user_id,
        request_id,
    )
    return [Request(**row) for row in rows]


async def is_told(connection: Connection, request_id: UUID) -> bool:
    """Whether the mails about it have left: all that could be delivered, and one at least."""
    return bool(
        await connection.fetchval(
            """
            SELECT true FROM reset_requests CROSS JOIN LATERAL (
                -- one, and among the person's newest
                SELECT events.id, dispatched_at FROM events
                WHERE subject_id = user_id AND events.account_id = reset_requests.account_id
                    AND type = 'MFA_RESET_REQUESTED' AND occurred_at = requested_at
                ORDER BY events.id DESC LIMIT 1
            ) AS asked
            WHERE reset_requests.id = $1 AND dispatched_at IS NOT NULL
                AND EXISTS (SELECT FROM deliveries WHERE event_id = asked.id AND state = 'sent')
                AND NOT EXISTS (SELECT FROM deliveries WHERE event_id = asked.id AND state IN ('pending', 'sending'))
            """,
            request_id,
        )
    )


async def take(connection: Connection, request_id: UUID, *, to_approve: bool) -> bool:
    """End what waits; false when something else has ended it, of which the database lets one win.

    It is approved as long as whoever asked for it might still ask for it.
    """
    status = await connection.execute(
        """
        DELETE FROM reset_requests WHERE id = $1 AND expires_at > now()
            AND (NOT $2 OR may_reset(requester_id, user_id, account_id, requested_at))
        """,
        request_id,
        to_approve,
    )
    return status == "DELETE 1"


@dataclass(frozen=True)
class Ended:
    """What waits no more: whose reset it was, in which account, and who had asked for it."""

    account_id: UUID
    user_id: UUID
    email: str
    requester_id: UUID
    requester_email: str
    has_run_out: bool = False


async def stop(connection: Connection, event_id: int) -> Ended | None:
    """End what this event asked for; None when something else has ended it."""
    row = await connection.fetchrow(
        """
        WITH ended AS (
            DELETE FROM reset_requests USING events
            WHERE events.id = $1 AND reset_requests.account_id = events.account_id AND user_id = subject_id
                AND requested_at = occurred_at AND expires_at > now()
            RETURNING reset_requests.account_id, user_id, requester_id
        )
        SELECT ended.*, users.email, requester.email AS requester_email
        FROM ended JOIN users ON users.id = user_id JOIN users AS requester ON requester.id = requester_id
        """,
        event_id,
    )
    return Ended(**row) if row else None


async def end_all_of(connection: Connection, user_id: UUID) -> list[Ended]:
    """The person is reset: nothing waits for them any more, nor what they asked for, which is returned."""
    rows = await connection.fetch(
        """
        WITH waiting AS (
            -- in one order, since two of whom each asked for the other's may be reset at once
            SELECT id FROM reset_requests WHERE user_id = $1 OR requester_id = $1 AND expires_at > now()
            ORDER BY id FOR UPDATE
        ), ended AS (
            DELETE FROM reset_requests USING waiting WHERE reset_requests.id = waiting.id
            RETURNING account_id, user_id, requester_id
        )
        SELECT ended.*, users.email, requester.email AS requester_email
        FROM ended JOIN users ON users.id = user_id JOIN users AS requester ON requester.id = requester_id
        WHERE requester_id = $1
        """,
        user_id,
    )
    return [Ended(**row) for row in rows]


async def end_asked_by(connection: Connection, requester_ids: Sequence[UUID], since: datetime | None) -> list[Ended]:
    """End what these people have asked for since then, or (None) ever."""
    rows = await connection.fetch(
        """
        WITH waiting AS (
            -- in one order, as where people are reset
            SELECT id FROM reset_requests
            WHERE requester_id = ANY ($1) AND expires_at > now() AND ($2::timestamptz IS NULL OR requested_at >= $2)
            ORDER BY id FOR UPDATE
        ), ended AS (
            DELETE FROM reset_requests USING waiting WHERE reset_requests.id = waiting.id
            RETURNING account_id, user_id, requester_id
        )
        SELECT ended.*, users.email, requester.email AS requester_email
        FROM ended JOIN users ON users.id = user_id JOIN users AS requester ON requester.id = requester_id
        """,
        requester_ids,
        since,
    )
    return [Ended(**row) for row in rows]


async def expire(connection: Connection, asked_anew: UUID | None = None) -> list[Ended]:
    """End those that nobody has approved in time, and this person's where whoever asked might not ask for it any more.

    Nobody can approve that one, and it would stand in the way of whoever asks now.
    """
    rows = await connection.fetch(
        """
        WITH over AS (
            -- in one order, as above
            SELECT id FROM reset_requests
            WHERE expires_at <= now()
                OR user_id = $1 AND may_reset(requester_id, user_id, account_id, requested_at) IS NOT TRUE
            ORDER BY id FOR UPDATE
        ), ended AS (
            DELETE FROM reset_requests USING over WHERE reset_requests.id = over.id
            RETURNING account_id, user_id, requester_id, expires_at <= now() AS has_run_out
        )
        SELECT ended.*, users.email, requester.email AS requester_email
        FROM ended JOIN users ON users.id = user_id JOIN users AS requester ON requester.id = requester_id
        """,
        asked_anew,
    )
    return [Ended(**row) for row in rows]


async def tell(
    connection: Connection, ended: list[Ended], actor_id: UUID | None = None, client: Client = NO_CLIENT
) -> None:
    """Record of each what has ended it: its time, or else what `actor_id` did, an operator if None, who declined it."""
    await db.outbox.append_all(connection, [_told(each, actor_id, client) for each in ended])


def _told(ended: Ended, actor_id: UUID | None, client: Client) -> MfaResetEnded:
    if ended.has_run_out:
        return MfaResetExpired(
            account_id=ended.account_id,
            subject_id=ended.user_id,
            subject_email=ended.email,
            requester_id=ended.requester_id,
            requester_email=ended.requester_email,
        )
    return MfaResetDeclined(
        account_id=ended.account_id,
        subject_id=ended.user_id,
        actor_id=actor_id,
        client=client,
        subject_email=ended.email,
        requester_id=ended.requester_id,
        requester_email=ended.requester_email,
    )
