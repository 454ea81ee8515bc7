"""The feed: events in the order in which they became certain, for whoever follows them.

A reader that follows ids misses what commits late. This one stays below the oldest running transaction, and misses
nothing; a long transaction makes it wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from db.pool import Connection

BATCH = 1000


@dataclass(frozen=True, order=True)
class Position:
    """How far a reader has come: a transaction's id, and an event's within it."""

    transaction_id: int
    event_id: int


@dataclass(frozen=True)
class FeedEvent:
    """An event, and the accounts whose pages it changes."""

    position: Position
    type: str
    subject_id: UUID | None
    account_ids: frozenset[UUID]


async def now(connection: Connection) -> Position:
    """The position behind everything that is certain."""
    oldest: int = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return Position(oldest - 1, 2**63 - 1)


async def has_begun_anew(connection: Connection, reached: Position) -> bool:
    """Whether the database is another one by now, as out of a backup, that counts transactions from before `reached`.

    In one and the same nobody reaches what is not certain yet.
    """
    return (await now(connection)).transaction_id < reached.transaction_id


async def read(connection: Connection, after: Position) -> list[FeedEvent]:
    """Up to 1,000 events behind `after` that are certain by now.

    A person's event concerns every account they are staff of, also where it was recorded for one of them.
    """
    rows = await connection.fetch(
        """
        SELECT id, transaction_id::text::bigint AS transaction_id, type, subject_id,
            ARRAY(SELECT account_id FROM account_events WHERE event_id = events.id)
            || ARRAY(SELECT account_id FROM staff WHERE user_id = subject_id) AS account_ids
        FROM events
        WHERE (transaction_id, id) > ($1::text::xid8, $2::bigint)
            AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY transaction_id, id
        LIMIT $3
        """,
        str(after.transaction_id),
        after.event_id,
        BATCH,
    )
    return [
        FeedEvent(
            Position(row["transaction_id"], row["id"]), row["type"], row["subject_id"], frozenset(row["account_ids"])
        )
        for row in rows
    ]


@dataclass(frozen=True)
class WatcherState:
    """Whether a watcher may go on: signed in, and, where an account is watched, allowed to see its page."""

    is_live: bool
    may_view: bool
    is_blocked: bool


async def standings(
    connection: Connection, token_hashes: list[bytes | None], account_ids: list[UUID | None], session_idle: timedelta
) -> list[WatcherState]:
    """How each watcher, a session's token and the account it watches, stands now; in the order given."""
    rows = await connection.fetch(
        """
        SELECT sessions.id IS NOT NULL AS is_live,
            watcher.account_id IS NULL
                OR coalesce(users.is_super_admin OR manages(staff.role), false) AS may_view,
            watcher.account_id IS NOT NULL AND factors.user_id IS NULL AND (
                users.reenrollment_required_at IS NOT NULL
                OR coalesce(staff.id IS NOT NULL AND mfa_deadline(accounts, staff) <= now(), false)
                    AND NOT EXISTS (
                        SELECT FROM account_mfa_providers AS allowed
                        WHERE allowed.account_id = watcher.account_id AND allowed.provider = sessions.provider_mfa
                    )
                OR users.is_super_admin AND manages(staff.role) IS NOT TRUE
            ) AS is_blocked
        FROM unnest($1::bytea[], $2::uuid[]) WITH ORDINALITY AS watcher (token_hash, account_id, number)
        LEFT JOIN sessions ON sessions.token_hash = watcher.token_hash
            AND sessions.expires_at > now() AND sessions.last_used_at > now() - $3::interval
        LEFT JOIN users ON users.id = sessions.user_id
        LEFT JOIN factors ON factors.user_id = users.id
        LEFT JOIN staff ON staff.account_id = watcher.account_id AND staff.user_id = users.id AND invited_at IS NULL
        LEFT JOIN accounts ON accounts.id = watcher.account_id
        ORDER BY watcher.number
        """,
        token_hashes,
        account_ids,
        session_idle,
    )
    return [WatcherState(**row) for row in rows]
