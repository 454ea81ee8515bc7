"""Alerts to an account's owners and admins: who gets which, whose turn it is, and what is gathered until the next one.

The row of an hour decides: whoever moves its end sends the alert, and everybody else's goes to what is gathered. It is
a person's, of all accounts that they look after together; what is gathered is kept by account, which they may leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import db.outbox
from db.pool import Connection
from rules.alerts import INTERVAL, MOST_KNOWN, MOST_LISTED, AlertKind, AlertSetting
from rules.events.stored import Stored

AT_ONCE = 200
PRUNE_BATCH = 10_000


async def settings(connection: Connection, account_id: UUID) -> list[AlertSetting]:
    """What the account's owners have chosen; kinds that they left alone are not in it, nor any of a later version."""
    rows = await connection.fetch(
        "SELECT kind, email, email_admins FROM alert_settings WHERE account_id = $1 AND kind = ANY ($2)",
        account_id,
        list(AlertKind),
    )
    return [AlertSetting(AlertKind(row["kind"]), row["email"], row["email_admins"]) for row in rows]


async def save(connection: Connection, account_id: UUID, chosen: list[AlertSetting]) -> None:
    """Let these settings hold."""
    await connection.execute(
        """
        INSERT INTO alert_settings (account_id, kind, email, email_admins)
        SELECT $1, kind, email, email_admins
        FROM unnest($2::text[], $3::bool[], $4::bool[]) AS chosen (kind, email, email_admins)
        ON CONFLICT (account_id, kind) DO UPDATE SET email = excluded.email, email_admins = excluded.email_admins
        """,
        account_id,
        [setting.kind for setting in chosen],
        [setting.email for setting in chosen],
        [setting.email_admins for setting in chosen],
    )


async def names(connection: Connection, actor_id: UUID | None, subject_id: UUID | None) -> tuple[str | None, ...]:
    """The emails of who did it and whom it concerns."""
    row = await connection.fetchrow(
        "SELECT (SELECT email FROM users WHERE id = $1) AS actor, (SELECT email FROM users WHERE id = $2) AS subject",
        actor_id,
        subject_id,
    )
    assert row is not None
    return row["actor"], row["subject"]


@dataclass(frozen=True)
class Recipient:
    """An owner or admin, and one of the accounts that they hear of."""

    account_id: UUID
    user_id: UUID


async def take_turns(
    connection: Connection,
    event_id: int,
    usual: AlertSetting,
    told: str,
    *,
    but: UUID | None,
    owners_are_mailed: bool,
) -> list[Recipient]:
    """Who gets the alert of this event at once; whoever had one of the kind within the hour gets it later.

    In every account where the event shows. Left out are the person whom it concerns, as `but` if they hear of it
    otherwise, and the owners, if it has an email of its own to them.
    """
    rows = await connection.fetch(
        """
        WITH wanted AS (
            SELECT staff.account_id, staff.user_id
            FROM account_events JOIN staff USING (account_id)
            LEFT JOIN alert_settings AS chosen ON chosen.account_id = staff.account_id AND chosen.kind = $2
            WHERE event_id = $1 AND invited_at IS NULL AND user_id IS DISTINCT FROM $6
                AND (role = 'OWNER' AND NOT $7 AND coalesce(chosen.email, $3)
                    OR role = 'ADMIN' AND coalesce(chosen.email_admins, $4))
            ORDER BY account_id, user_id
            FOR KEY SHARE OF staff
        ), begun AS (
            INSERT INTO alert_hours AS hour (user_id, kind, until)
            SELECT DISTINCT user_id, $2, now() + $8::interval FROM wanted ORDER BY user_id
            ON CONFLICT (user_id, kind) DO UPDATE SET until = excluded.until
            -- what is gathered already goes first, and takes this along
            WHERE hour.until <= now() AND NOT EXISTS (SELECT FROM gathered_alerts AS earlier
                WHERE earlier.user_id = hour.user_id AND earlier.kind = hour.kind)
            RETURNING user_id
        ), later AS (
            SELECT account_id, user_id FROM wanted WHERE user_id NOT IN (SELECT user_id FROM begun)
        ), turned AS (
            INSERT INTO alert_turns (account_id, user_id, kind, until)
            SELECT account_id, user_id, $2, now() + $8::interval FROM later ORDER BY account_id, user_id
            ON CONFLICT (account_id, user_id, kind) DO UPDATE SET until = excluded.until
        ), gathered AS (
            INSERT INTO gathered_alerts (account_id, user_id, kind, event_id, told)
            SELECT account_id, user_id, $2, $1, $5 FROM later
            ON CONFLICT DO NOTHING
        )
        SELECT DISTINCT ON (user_id) account_id, user_id FROM wanted JOIN begun USING (user_id)
        ORDER BY user_id, account_id
        """,
        event_id,
        usual.kind,
        usual.email,
        usual.email_admins,
        told,
        but,
        owners_are_mailed,
        INTERVAL,
    )
    return [Recipient(**row) for row in rows]


@dataclass(frozen=True)
class Gathered:
    """What was gathered for one person and is still wanted: how many, and of the newest which, words and account."""

    account_id: UUID
    user_id: UUID
    kind: AlertKind
    count: int
    told: list[str]
    event_ids: list[int]


async def take_gathered(connection: Connection, usual: list[AlertSetting]) -> tuple[list[Gathered], bool]:
    """Take what is gathered of up to 200 hours that have ended, and begin the next; whether there may be more.

    What is of no kind in `usual` stays for the workers of a later version.
    """
    rows = await connection.fetch(
        """
        WITH ended AS (
            INSERT INTO alert_hours AS hour (user_id, kind, until)
            SELECT DISTINCT user_id, kind, now() + $5::interval FROM gathered_alerts AS waiting
            WHERE kind = ANY ($1) AND NOT EXISTS (SELECT FROM alert_hours AS lasting
                WHERE lasting.user_id = waiting.user_id AND lasting.kind = waiting.kind AND lasting.until > now())
            ORDER BY user_id, kind LIMIT $4
            ON CONFLICT (user_id, kind) DO UPDATE SET until = excluded.until WHERE hour.until <= now()
            RETURNING user_id, kind
        ), taken AS (
            DELETE FROM gathered_alerts AS waiting USING ended
            WHERE waiting.user_id = ended.user_id AND waiting.kind = ended.kind
            RETURNING waiting.account_id, waiting.user_id, waiting.kind, event_id, told
        ), wanted AS (
            -- what shows in two accounts of theirs is one thing
            SELECT DISTINCT ON (taken.user_id, taken.kind, event_id)
                taken.account_id, taken.user_id, taken.kind, event_id, told
            FROM taken
            JOIN staff ON staff.account_id = taken.account_id AND staff.user_id = taken.user_id
            JOIN unnest($1::text[], $2::bool[], $3::bool[]) AS usual (kind, email, email_admins)
                ON usual.kind = taken.kind
            LEFT JOIN alert_settings AS chosen ON chosen.account_id = taken.account_id AND chosen.kind = taken.kind
            WHERE role = 'OWNER' AND coalesce(chosen.email, usual.email)
                OR role = 'ADMIN' AND coalesce(chosen.email_admins, usual.email_admins)
            ORDER BY taken.user_id, taken.kind, event_id, taken.account_id
        )
        SELECT user_id, kind, count(event_id) AS count,
            (array_agg(account_id ORDER BY event_id DESC))[1] AS account_id,
            (array_agg(told ORDER BY event_id DESC))[:$6] AS told,
            (array_agg(event_id ORDER BY event_id DESC))[:$7] AS event_ids
        FROM ended LEFT JOIN wanted USING (user_id, kind) GROUP BY user_id, kind ORDER BY user_id, kind
        """,
        [setting.kind for setting in usual],
        [setting.email for setting in usual],
        [setting.email_admins for setting in usual],
        AT_ONCE,
        INTERVAL,
        MOST_LISTED,
        MOST_KNOWN,
    )
    found = [row for row in rows if row["account_id"] is not None]
    gathered = [
        Gathered(row["account_id"], row["user_id"], AlertKind(row["kind"]), row["count"], row["told"], row["event_ids"])
        for row in found
    ]
    return gathered, len(rows) == AT_ONCE


@dataclass(frozen=True)
class Heard:
    """What an alert tells of: an event, and the accounts of whoever hears of it in which it shows, by their names.

    It is one of so many.
    """

    stored: Stored
    actor_email: str | None
    subject_email: str | None
    account_names: tuple[str, ...]
    of_all: int


async def heard(connection: Connection, user_id: UUID, event_ids: Sequence[int]) -> list[Heard]:
    """The first ten of these events, in this order, that are of accounts that the person looks after now."""
    rows = await connection.fetch(
        """
        SELECT type, events.account_id, subject_id, actor_id, data, service_key,
            actors.email AS actor_email, subjects.email AS subject_email, account_names, count(*) OVER () AS of_all
        FROM unnest($2::bigint[]) WITH ORDINALITY AS given (id, place)
        JOIN events ON events.id = given.id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = subject_id
        CROSS JOIN LATERAL (
            SELECT array_agg(accounts.name ORDER BY accounts.name, accounts.id) AS account_names
            FROM account_events
            JOIN staff ON staff.account_id = account_events.account_id AND staff.user_id = $1
            JOIN accounts ON accounts.id = staff.account_id
            WHERE event_id = events.id AND manages(role) AND invited_at IS NULL
        ) AS own
        WHERE account_names IS NOT NULL
        ORDER BY place LIMIT $3
        """,
        user_id,
        event_ids,
        MOST_LISTED,
    )
    return [
        Heard(
            db.outbox.stored_from(row),
            row["actor_email"],
            row["subject_email"],
            tuple(row["account_names"]),
            row["of_all"],
        )
        for row in rows
    ]


async def prune(connection: Connection) -> None:
    """Forget up to 10,000 hours, and as many turns, that have ended with nothing gathered."""
    await connection.execute(
        """
        WITH ended AS (
            DELETE FROM alert_hours WHERE (user_id, kind) IN (
                SELECT user_id, kind FROM alert_hours AS hour
                WHERE until < now() - $1::interval AND NOT EXISTS (SELECT FROM gathered_alerts AS waiting
                    WHERE waiting.user_id = hour.user_id AND waiting.kind = hour.kind)
                LIMIT $2 FOR UPDATE SKIP LOCKED
            )
        )
        DELETE FROM alert_turns WHERE (account_id, user_id, kind) IN (
            SELECT account_id, user_id, kind FROM alert_turns AS turn
            WHERE until < now() - $1::interval AND NOT EXISTS (SELECT FROM gathered_alerts AS waiting
                WHERE waiting.account_id = turn.account_id AND waiting.user_id = turn.user_id
                    AND waiting.kind = turn.kind)
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        INTERVAL,
        PRUNE_BATCH,
    )
