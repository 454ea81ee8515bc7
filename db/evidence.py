"""What an auditor is shown of an account: its events of a window, its staff at the end, its policies and exceptions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db.pool import Connection
from rules.events.catalogue import SHOWN_WHEN_DISPATCHED
from rules.links import LONGEST

BATCH = 1000


async def account_name(connection: Connection, account_id: UUID) -> str | None:
    """The account's name; None when there is none."""
    name: str | None = await connection.fetchval("SELECT name FROM accounts WHERE id = $1", account_id)
    return name


async def pruned_until(connection: Connection, retention_days: int) -> datetime | None:
    """Until when events may be gone: of what was pruned, and of what is older than they are kept (0 days: for ever).

    They are kept as long as any link holds, however few days are asked for.
    """
    until: datetime | None = await connection.fetchval(
        """
        SELECT greatest((SELECT until FROM pruned_events),
            CASE WHEN $1 > 0 THEN now() - greatest(make_interval(days => $1), $2::interval) END)
        """,
        retention_days,
        LONGEST,
    )
    return until


@dataclass(frozen=True)
class Unsettled:
    """Why something may still come to have happened before an instant."""

    is_too_soon: bool
    is_under_way: bool
    # As whom nobody can tell; None where all is seen.
    hidden_from: str | None


async def unsettled(connection: Connection, end: datetime, margin: timedelta) -> Unsettled:
    """What may still come to happen before `end`; to be asked outside of any transaction.

    What a transaction tells happens when it begins, and is seen once it has committed. The margin is for whoever has
    begun one and does not show it yet. Of whoever works for another role PostgreSQL shows neither that nor of what
    kind they are, but to members of pg_read_all_stats; its own processes work for none.
    """
    row = await connection.fetchrow(
        """
        SELECT clock_timestamp() <= $1::timestamptz + $2::interval AS is_too_soon,
            coalesce(bool_or(xact_start < $1), false) AS is_under_way,
            CASE WHEN bool_or(backend_type IS NULL AND usesysid IS NOT NULL) THEN quote_ident(current_user) END
                AS hidden_from
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND coalesce(backend_type, 'client backend') = 'client backend'
        """,
        end,
        margin,
    )
    assert row is not None
    return Unsettled(**row)


async def is_to_show(connection: Connection, begin: datetime, end: datetime) -> bool:
    """Whether something that happened from `begin` to before `end` shows only once it is dispatched, and is not yet.

    Of whatever account: who is of one is looked at then. Set aside it may be tried again.
    """
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM events WHERE dispatched_at IS NULL AND failure IS NULL
                    AND type = ANY ($3) AND subject_id IS NOT NULL AND occurred_at >= $1 AND occurred_at < $2)
                OR EXISTS (SELECT FROM events WHERE failure IS NOT NULL AND dispatched_at IS NULL
                    AND type = ANY ($3) AND subject_id IS NOT NULL AND occurred_at >= $1 AND occurred_at < $2)
            """,
            begin,
            end,
            SHOWN_WHEN_DISPATCHED,
        )
    )


async def events(
    connection: Connection, account_id: UUID, begin: datetime, end: datetime
) -> AsyncIterator[asyncpg.Record]:
    """The account's events from `begin` to before `end`, in the order of their ids; for use inside a transaction."""
    rows = connection.cursor(
        """
        SELECT events.id, occurred_at, actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, subject_id, actor_id, data, service_key
        FROM account_events
        JOIN events ON events.id = event_id
        LEFT JOIN address_known_to($1, actor_id) AS actors ON true
        LEFT JOIN address_known_to($1, subject_id) AS subjects ON true
        WHERE account_events.account_id = $1 AND occurred_at >= $2 AND occurred_at < $3
        ORDER BY event_id
        """,
        account_id,
        begin,
        end,
        prefetch=BATCH,
    )
    async for row in rows:
        yield row


async def members(connection: Connection, account_id: UUID, instant: datetime) -> list[asyncpg.Record]:
    """The account's staff at an instant, by email, each with when they enrolled."""
    return await connection.fetch(
        """
        SELECT email, role, joined_at, (SELECT min(valid_from) FROM factor_history
            WHERE factor_history.user_id = member_history.user_id AND valid_from <= $2
                AND (valid_to IS NULL OR valid_to > $2)) AS enrolled_at
        FROM member_history
        WHERE account_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
        ORDER BY email
        """,
        account_id,
        instant,
    )


async def policies(connection: Connection, account_id: UUID, begin: datetime, end: datetime) -> list[asyncpg.Record]:
    """The policies that held within the window, oldest first."""
    return await connection.fetch(
        """
        SELECT required_since, grace_days, grace_deadline, joiner_days, required_of, valid_from, valid_to
        FROM policy_history
        WHERE account_id = $1 AND valid_from < $3 AND (valid_to IS NULL OR valid_to > $2)
            AND valid_from IS DISTINCT FROM valid_to
        ORDER BY valid_from
        """,
        account_id,
        begin,
        end,
    )


async def exceptions(connection: Connection, account_id: UUID, begin: datetime, end: datetime) -> list[asyncpg.Record]:
    """The exceptions that held within the window, oldest first."""
    return await connection.fetch(
        """
        SELECT people.email, kind, is_break_glass, reason, authors.email AS author_email,
            mfa_exceptions.created_at, until, ended_at
        FROM mfa_exceptions
        CROSS JOIN LATERAL address_known_to($1, user_id) AS people
        LEFT JOIN address_known_to($1, author_id) AS authors ON true
        WHERE account_id = $1 AND mfa_exceptions.created_at < $3 AND least(until, ended_at) > $2
        ORDER BY mfa_exceptions.created_at, mfa_exceptions.id
        """,
        account_id,
        begin,
        end,
    )
