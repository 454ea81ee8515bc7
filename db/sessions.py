"""Sessions: kept by the hash of their token, for a while, and a shorter one when idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection
from rules.clients import Client
from rules.devices import LIFETIME
from rules.oidc import Vouched
from rules.people import MOST_SESSIONS
from rules.service_keys import BegunBy


@dataclass(frozen=True)
class Session:
    """A live session as its owner sees it."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str | None
    ip_address: str | None


@dataclass(frozen=True)
class Started:
    """A session that has just begun: when it ends at the latest, and the database's time."""

    session_id: UUID
    expires_at: datetime
    now: datetime
    # Whether it is on a device that was not seen lately, and how many the person had been seen on before it.
    is_new_device: bool
    devices_before: int


async def start(
    connection: Connection,
    user_id: UUID,
    token_hash: bytes,
    client: Client,
    amr: Sequence[str],
    lifetime: timedelta,
    vouched: Vouched | None = None,
    *,
    device: bytes | None = None,
    device_before: bytes | None = None,
    replaced: bytes | None = None,
    is_recovery: bool = False,
    begun_by: BegunBy | None = None,
    has_second_factor: bool = False,
) -> Started:
    """Start a session of somebody just recognised by `amr`, under their lock, in their oldest's place if too many.

    - `vouched` is what a provider has said of them: the proof of the session is as old as that.
    - `device`, a digest, is seen from now on, and devices not seen for long are forgotten. It is not new while the
      person's `device_before` counts for it.
    - A session of theirs whose token is `replaced` ends.
    - `is_recovery`: a recovery pass has started it, and it only replaces the factor.
    - `has_second_factor`: one was shown here. What a provider says in `amr` of its own is none.

    It begins once the lock is held, not when the transaction began: of two sessions the one is later that starts later.
    """
    row = await connection.fetchrow(
        """
        WITH ended AS (
            DELETE FROM sessions WHERE id IN (
                (SELECT id FROM sessions WHERE user_id = $1 AND token_hash IS DISTINCT FROM $18
                ORDER BY last_used_at DESC, id OFFSET $8 - 1)
                UNION ALL SELECT id FROM sessions WHERE user_id = $1 AND token_hash = $18
            )
        ), forgotten AS (
            DELETE FROM seen_devices
            WHERE user_id = $1 AND digest <> $10::bytea AND last_seen_at < now() - $13::interval
        ), seen AS (
            INSERT INTO seen_devices AS seen (user_id, digest, bearers_until)
            SELECT $1, $10::bytea, NULL WHERE $10::bytea IS NOT NULL
            ON CONFLICT (user_id, digest) DO UPDATE SET last_seen_at = now(), first_seen_at =
                CASE WHEN seen.last_seen_at < now() - $13::interval THEN now() ELSE seen.first_seen_at END
            RETURNING first_seen_at = now() AND NOT EXISTS (
                SELECT FROM seen_devices WHERE user_id = $1 AND digest = $17 AND bearers_until > now()
                    AND last_seen_at >= now() - $13::interval) AS is_new
        )
        INSERT INTO sessions
            (user_id, token_hash, password_at, second_factor_at, user_agent, ip_address, amr, created_at, expires_at,
            provider_mfa, is_recovery, begun_by_key, begun_by_account, service_key)
        SELECT $1, $2, coalesce($15, now()), CASE WHEN $14 THEN now() END, $3, $4, $5, began_at,
            began_at + $6::interval, $7, $9, $11, $12, $16
        FROM clock_timestamp() AS began_at
        RETURNING id AS session_id, expires_at, now(), coalesce((SELECT is_new FROM seen), false) AS is_new_device,
            (SELECT count(*) FROM seen_devices WHERE user_id = $1) AS devices_before
        """,
        user_id,
        token_hash,
        client.user_agent,
        client.ip_address,
        amr,
        lifetime,
        vouched and vouched.mfa_by,
        MOST_SESSIONS,
        is_recovery,
        device,
        begun_by and begun_by.key_id,
        begun_by and begun_by.account_id,
        LIFETIME,
        has_second_factor,
        vouched and vouched.shown_at,
        begun_by and begun_by.name,
        device_before,
        replaced,
    )
    assert row is not None
    return Started(**row)


async def is_live(connection: Connection, session_id: UUID) -> bool:
    """Whether the session still stands; asked again after taking the person's lock."""
    return bool(await connection.fetchval("SELECT true FROM sessions WHERE id = $1", session_id))


async def hold(connection: Connection, session_id: UUID) -> bool:
    """Keep the session from ending before this transaction does; false when it has ended."""
    held = await connection.fetchval("SELECT true FROM sessions WHERE id = $1 FOR KEY SHARE", session_id)
    return bool(held)


async def renew_password(connection: Connection, session_id: UUID) -> bool:
    """The password was shown again; false when the session has ended."""
    status = await connection.execute("UPDATE sessions SET password_at = now() WHERE id = $1", session_id)
    return status == "UPDATE 1"


async def renew_second_factor(connection: Connection, session_id: UUID) -> None:
    """The second factor was shown, again or for the first time."""
    await connection.execute("UPDATE sessions SET second_factor_at = now() WHERE id = $1", session_id)


async def confirm_enrollment(connection: Connection, session_id: UUID) -> None:
    """The session showed the link of an email that enrolling after a reset needs."""
    await connection.execute("UPDATE sessions SET enrollment_confirmed_at = now() WHERE id = $1", session_id)


async def replace_token(connection: Connection, session_id: UUID, before: bytes | None, token_hash: bytes) -> bool:
    """Let the session go on under another token; the one before is nobody's. False when that had been replaced."""
    status = await connection.execute(
        "UPDATE sessions SET token_hash = $3 WHERE id = $1 AND token_hash = $2", session_id, before, token_hash
    )
    return status == "UPDATE 1"


async def end_of(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End one session of this person; false when there is none."""
    status = await connection.execute("DELETE FROM sessions WHERE id = $2 AND user_id = $1", user_id, session_id)
    return status == "DELETE 1"


async def end_since(connection: Connection, user_id: UUID, since: datetime) -> None:
    """End every session of the person that has begun since then."""
    await connection.execute("DELETE FROM sessions WHERE user_id = $1 AND created_at >= $2", user_id, since)


async def end_begun_by(connection: Connection, user_id: UUID, method: str) -> None:
    """End every session of the person that was begun by this method, in the words of its `amr`, and by no service key.

    What a product calls its own way in is none of ours.
    """
    await connection.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND $2 = ANY (amr) AND begun_by_key IS NULL", user_id, method
    )


async def end_all(connection: Connection, user_id: UUID) -> None:
    """End every session of the person."""
    await connection.execute("DELETE FROM sessions WHERE user_id = $1", user_id)


async def end_of_outsider(connection: Connection, user_id: UUID) -> None:
    """End every session of somebody who has nothing anywhere any more, under their lock."""
    await connection.execute("DELETE FROM sessions WHERE user_id = $1 AND belongs_nowhere($1)", user_id)


async def end_of_uninvited(connection: Connection, user_ids: Sequence[UUID]) -> None:
    """End every session of those whom nothing lets in any more, an invitation neither, under their locks."""
    await connection.execute("DELETE FROM sessions WHERE user_id = ANY ($1) AND is_let_in_nowhere(user_id)", user_ids)


async def end_others(connection: Connection, user_id: UUID, session_id: UUID, idle: timedelta) -> int:
    """End every session of the person but this one; return how many live ones that were."""
    ended: int = await connection.fetchval(
        """
        WITH ended AS (
            DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING expires_at, last_used_at
        )
        SELECT count(*) FROM ended WHERE expires_at > now() AND last_used_at > now() - $3::interval
        """,
        user_id,
        session_id,
        idle,
    )
    return ended


async def live(connection: Connection, user_id: UUID, current: UUID, idle: timedelta) -> list[Session]:
    """The person's live sessions, newest use first. The current one is in use now."""
    rows = await connection.fetch(
        """
        SELECT id, created_at, CASE WHEN id = $2 THEN now() ELSE last_used_at END AS last_used_at, expires_at,
            user_agent, ip_address
        FROM sessions
        WHERE user_id = $1 AND expires_at > now() AND last_used_at > now() - $3::interval
        ORDER BY last_used_at DESC, id
        """,
        user_id,
        current,
        idle,
    )
    return [Session(**row) for row in rows]
