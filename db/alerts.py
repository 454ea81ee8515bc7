"""Alerts to an account's owners and admins: who gets which, whose turn it is, and what is gathered until the next one.

The row of a turn decides: whoever moves its end sends the alert, and everybody else's goes to what is gathered.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from rules.alerts import INTERVAL, MOST_LISTED, AlertKind, AlertSetting

AT_ONCE = 200
PRUNE_BATCH = 10_000


async def settings(connection: Connection, account_id: UUID) -> list[AlertSetting]:
    """What the account's owners have chosen; kinds that they left alone are not in it."""
    rows = await connection.fetch(
        "SELECT kind, email, email_admins FROM alert_settings WHERE account_id = $1", account_id
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
    """An owner or admin as one of an account."""

    account_id: UUID
    user_id: UUID


async def take_turns(
    connection: Connection,
    event_id: int,
    usual: AlertSetting,
    told: str,
    *,
    mailed: UUID | None,
    owners_are_mailed: bool,
) -> list[Recipient]:
    """Who gets the alert of this event at once; whoever had one of the kind within the hour gets it later.

    In every account where the event shows. Not who is `mailed` about it as the person whom it concerns, nor the owners
    where it has an email of its own to them.
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
        ), turned AS (
            INSERT INTO alert_turns AS turn (account_id, user_id, kind, until)
            SELECT account_id, user_id, $2, now() + $8::interval FROM wanted ORDER BY account_id, user_id
            ON CONFLICT (account_id, user_id, kind) DO UPDATE SET until = excluded.until
            -- what is gathered already goes first, and takes this along
            WHERE turn.until <= now() AND NOT EXISTS (SELECT FROM gathered_alerts AS earlier
                WHERE earlier.account_id = turn.account_id AND earlier.user_id = turn.user_id
                    AND earlier.kind = turn.kind)
            RETURNING account_id, user_id
        ), gathered AS (
            INSERT INTO gathered_alerts (account_id, user_id, kind, event_id, told)
            SELECT account_id, user_id, $2, $1, $5
            FROM (SELECT account_id, user_id FROM wanted EXCEPT SELECT account_id, user_id FROM turned) AS later
            ON CONFLICT DO NOTHING
        )
        SELECT account_id, user_id FROM turned ORDER BY account_id, user_id
        """,
        event_id,
        usual.kind,
        usual.email,
        usual.email_admins,
        told,
        mailed,
        owners_are_mailed,
        INTERVAL,
    )
    return [Recipient(**row) for row in rows]


@dataclass(frozen=True)
class Gathered:
    """What was gathered for one person, and whether they are still to get it: how many, and the newest's sentences."""

    account_id: UUID
    user_id: UUID
    kind: AlertKind
    count: int
    told: list[str]
    is_wanted: bool


async def take_gathered(connection: Connection, usual: list[AlertSetting]) -> list[Gathered]:
    """Take what is gathered for up to 200 turns that have ended, and begin the next of those who still want it."""
    rows = await connection.fetch(
        """
        WITH ended AS (
            SELECT turn.account_id, turn.user_id, turn.kind,
                role = 'OWNER' AND coalesce(chosen.email, usual.email)
                    OR role = 'ADMIN' AND coalesce(chosen.email_admins, usual.email_admins) AS is_wanted
            FROM alert_turns AS turn
            JOIN staff ON staff.account_id = turn.account_id AND staff.user_id = turn.user_id
            JOIN unnest($1::text[], $2::bool[], $3::bool[]) AS usual (kind, email, email_admins)
                ON usual.kind = turn.kind
            LEFT JOIN alert_settings AS chosen ON chosen.account_id = turn.account_id AND chosen.kind = turn.kind
            WHERE until <= now() AND EXISTS (SELECT FROM gathered_alerts AS waiting
                WHERE waiting.account_id = turn.account_id AND waiting.user_id = turn.user_id
                    AND waiting.kind = turn.kind)
            ORDER BY account_id, user_id, kind LIMIT $4
            FOR UPDATE OF turn SKIP LOCKED
        ), turned AS (
            UPDATE alert_turns AS turn SET until = now() + $5::interval FROM ended
            WHERE turn.account_id = ended.account_id AND turn.user_id = ended.user_id AND turn.kind = ended.kind
        ), taken AS (
            DELETE FROM gathered_alerts AS waiting USING ended
            WHERE waiting.account_id = ended.account_id AND waiting.user_id = ended.user_id
                AND waiting.kind = ended.kind
            RETURNING waiting.account_id, waiting.user_id, waiting.kind, event_id, told, is_wanted
        )
        SELECT account_id, user_id, kind, is_wanted, count(*) AS count,
            (array_agg(told ORDER BY event_id DESC))[:$6] AS told
        FROM taken GROUP BY account_id, user_id, kind, is_wanted ORDER BY account_id, user_id, kind
        """,
        [setting.kind for setting in usual],
        [setting.email for setting in usual],
        [setting.email_admins for setting in usual],
        AT_ONCE,
        INTERVAL,
        MOST_LISTED,
    )
    return [Gathered(**{**row, "kind": AlertKind(row["kind"])}) for row in rows]


async def prune(connection: Connection) -> None:
    """Forget up to 10,000 turns that have ended with nothing gathered."""
    await connection.execute(
        """
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
