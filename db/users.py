"""People as they sign in: found by email, known by session, locked before their factor is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db.pool import Connection
from rules.account_recovery import Recovery
from rules.people import Account, Membership, Person, Role, TimeLimits
from rules.policy import Policy, RequiredOf
from rules.resets import ResetApproval

USE_RECORDED_EVERY = timedelta(minutes=1)
BEFORE_ALL = UUID(int=0)  # whoever pages through people by id begins behind it
# By what stands in a row: an enumeration's own look-up takes eight times as long, and every request makes three.
ROLES = {each.value: each for each in Role}
REQUIRED = {each.value: each for each in RequiredOf}
APPROVALS = {each.value: each for each in ResetApproval}


@dataclass(frozen=True)
class Credentials:
    """What a password is checked against as of `now`, the database's clock; no hash while they have set none.

    Devices are known that have seen the person since `devices_since`; all of them until they set a password here.
    Whoever `has_rejected` a sign-in has signed in before, even where no device is left that was seen.
    """

    now: datetime
    id: UUID
    email: str
    password_hash: str | None
    devices_since: datetime | None
    has_rejected: bool


async def credentials(connection: Connection, email: str) -> Credentials | None:
    """Whom `email` (lower-case) belongs to."""
    row = await connection.fetchrow(
        """
        SELECT now(), id, email, password_hash, greatest(password_set_at, devices_forgotten_at) AS devices_since,
            devices_forgotten_at IS NOT NULL AS has_rejected
        FROM users WHERE email = $1
        """,
        email,
    )
    return Credentials(**row) if row else None


async def credentials_of(connection: Connection, user_id: UUID) -> Credentials | None:
    """The same, by the person's id."""
    row = await connection.fetchrow(
        """
        SELECT now(), id, email, password_hash, greatest(password_set_at, devices_forgotten_at) AS devices_since,
            devices_forgotten_at IS NOT NULL AS has_rejected
        FROM users WHERE id = $1
        """,
        user_id,
    )
    return Credentials(**row) if row else None


async def lock(connection: Connection, user_id: UUID) -> bool:
    """Make all changes and uses of this person's factor queue behind this transaction; false when unknown."""
    return bool(await connection.fetchval("SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id))


async def lock_whole(connection: Connection, user_id: UUID) -> None:
    """The same, and make whoever would give the person a role or anything else wait, too."""
    await connection.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)


async def lock_if_unchanged(connection: Connection, checked: Credentials) -> bool:
    """The same, for whoever has checked a password: false when it was changed meanwhile."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM users WHERE id = $1 AND password_hash = $2 FOR NO KEY UPDATE",
            checked.id,
            checked.password_hash,
        )
    )


async def lock_all(connection: Connection, user_ids: list[UUID]) -> None:
    """The same for many people, in one order, so that two who act on each other do not wait for each other."""
    await connection.execute("SELECT FROM users WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", user_ids)


async def keep(connection: Connection, user_id: UUID) -> None:
    """Keep the person from being deleted or getting another address until this transaction ends.

    Before anything of theirs is held that changes with the address, for what is to refer to them afterwards.
    """
    await connection.execute("SELECT FROM users WHERE id = $1 FOR KEY SHARE", user_id)


async def replace_password_hash(connection: Connection, user_id: UUID, old: str, new: str) -> None:
    """Store a rehash of the same password, unless the password was changed meanwhile."""
    await connection.execute(
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", user_id, old, new
    )


async def set_password_hash(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Store the hash of a new password, under the person's lock: set after whatever the one before has let in."""
    await connection.execute(
        "UPDATE users SET password_hash = $2, password_set_at = clock_timestamp() WHERE id = $1", user_id, password_hash
    )


async def change_password_hash(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """The same, where the password before let it in and no link to their mailbox: it is whose that one was.

    What was theirs under another address, which ends with it where migration 0310 says so, goes on being that.
    """
    await connection.execute(
        """
        WITH instant AS MATERIALIZED (SELECT clock_timestamp() AS at)
        UPDATE users SET password_hash = $2, password_set_at = instant.at,
            readdressed_at = CASE WHEN readdressed_by IS NULL OR password_set_at > readdressed_at
                THEN readdressed_at ELSE instant.at END
        FROM instant WHERE id = $1
        """,
        user_id,
        password_hash,
    )


async def replace_email(connection: Connection, user_id: UUID, email: str, by_account: UUID | None) -> str | None:
    """Give the person another address, and what waits to be sent to them; the one before, None when it is the same.

    Where a directory calls them by it, that follows. By a key of one account it is remembered: see migration 0310.
    Raises UniqueViolationError when it is somebody else's.
    """
    previous: str | None = await connection.fetchval(
        """
        WITH before AS (
            SELECT id, email FROM users WHERE id = $1 AND email <> $2
        ), changed AS (
            UPDATE users SET email = $2, readdressed_by = coalesce($3, readdressed_by),
                readdressed_at = CASE WHEN $3::uuid IS NULL THEN readdressed_at ELSE clock_timestamp() END
            FROM before WHERE users.id = before.id
        ), redirected AS (
            UPDATE deliveries SET email = $2 FROM before
            WHERE deliveries.user_id = before.id AND deliveries.email = before.email AND state = 'pending'
                AND holds_while IS DISTINCT FROM 'FORMER_ADDRESS'
        ), named AS (
            UPDATE directory_people SET user_name = $2 FROM before
            WHERE directory_people.user_id = before.id AND user_name = before.email
        )
        SELECT email FROM before
        """,
        user_id,
        email,
        by_account,
    )
    return previous


async def require_reenrollment(connection: Connection, user_id: UUID) -> None:
    """From the next sign-in on, nothing but enrolling, which is stopped no more."""
    await connection.execute(
        "UPDATE users SET reenrollment_required_at = now(), enrollment_stopped_at = NULL WHERE id = $1", user_id
    )


async def stop_enrolling(connection: Connection, user_id: UUID) -> None:
    """Let nobody enroll as this person, and so do anything, until the next reset."""
    await connection.execute(
        """
        UPDATE users SET enrollment_stopped_at = now(),
            reenrollment_required_at = coalesce(reenrollment_required_at, now())
        WHERE id = $1
        """,
        user_id,
    )


async def is_enrolling_stopped(connection: Connection, user_id: UUID) -> bool:
    """Whether the person said of a reset that it was not their wish, and nobody has reset them since."""
    return bool(
        await connection.fetchval("SELECT true FROM users WHERE id = $1 AND enrollment_stopped_at IS NOT NULL", user_id)
    )


async def person_of_session(
    connection: Connection, token_hash: bytes, limits: TimeLimits, *, is_recovery: bool = False
) -> Person | None:
    """Everything that a request asks of its person, in one round trip; keeps the session from idling out.

    A session that a recovery pass started is none, except to whoever asks for such a one.
    """
    rows = await connection.fetch(
        """
        WITH session AS (
            SELECT id, user_id, password_at, second_factor_at, last_used_at, amr, expires_at,
                enrollment_confirmed_at, provider_mfa
            FROM sessions
            WHERE token_hash = $1 AND expires_at > now() AND last_used_at > now() - $2::interval
                AND is_recovery = $4
        ), kept_alive AS (
            UPDATE sessions SET last_used_at = now() FROM session
            WHERE sessions.id = session.id AND session.last_used_at < now() - $3::interval
        )
        SELECT now(), session.id AS session_id, session.password_at, session.second_factor_at,
            session.amr, session.expires_at, session.enrollment_confirmed_at,
            users.id, users.email, users.is_super_admin, users.reenrollment_required_at, users.enrollment_stopped_at,
            factors.enabled_at AS mfa_enabled_at, coalesce(factors.last_step, 0) AS last_step,
            (SELECT count(*) FROM backup_codes WHERE backup_codes.user_id = users.id) AS backup_codes_remaining,
            recovery.started_at AS recovery_started_at, CASE WHEN recovery.user_id IS NOT NULL
                THEN account_recovery_due_at(recovery) END AS recovery_ends_at,
            staff.id AS staff_id, staff.role,
            CASE WHEN session.provider_mfa IS NULL OR NOT EXISTS (
                SELECT FROM account_mfa_providers AS allowed
                WHERE allowed.account_id = accounts.id AND allowed.provider = session.provider_mfa
            ) THEN mfa_deadline(accounts, staff) END AS mfa_deadline,
            coalesce(staff.is_exempt AND staff.excepted_until > now(), false) AS is_exempt,
            accounts.id AS account_id, accounts.name AS account_name,
            accounts.required_since, accounts.grace_days, accounts.grace_deadline, accounts.policy_updated_at,
            accounts.joiner_days, accounts.required_of, accounts.confirm_reset_by_email,
            accounts.reset_approval
        FROM session
        JOIN users ON users.id = session.user_id
        LEFT JOIN factors ON factors.user_id = users.id
        LEFT JOIN account_recoveries AS recovery ON recovery.user_id = users.id
        LEFT JOIN staff ON staff.user_id = users.id AND invited_at IS NULL
        LEFT JOIN accounts ON accounts.id = staff.account_id
        ORDER BY accounts.name, accounts.id
        """,
        token_hash,
        limits.session_idle,
        USE_RECORDED_EVERY,
        is_recovery,
    )
    return _person(rows, limits) if rows else None


def account_from(row: asyncpg.Record) -> Account:
    """An account from a row with account_id, account_name and the policy's columns."""
    policy = Policy(
        row["required_since"],
        row["grace_days"],
        row["grace_deadline"],
        row["policy_updated_at"],
        row["joiner_days"],
        REQUIRED[row["required_of"]],
        row["confirm_reset_by_email"],
        APPROVALS[row["reset_approval"]],
    )
    return Account(row["account_id"], row["account_name"], policy)


def _person(rows: Sequence[asyncpg.Record], limits: TimeLimits) -> Person:
    first = rows[0]
    return Person(
        now=first["now"],
        session_id=first["session_id"],
        password_at=first["password_at"],
        second_factor_at=first["second_factor_at"],
        proof_lifetime=limits.proof,
        amr=tuple(first["amr"]),
        expires_at=first["expires_at"],
        id=first["id"],
        email=first["email"],
        is_super_admin=first["is_super_admin"],
        mfa_enabled_at=first["mfa_enabled_at"],
        backup_codes_remaining=first["backup_codes_remaining"],
        reenrollment_required_at=first["reenrollment_required_at"],
        enrollment_stopped_at=first["enrollment_stopped_at"],
        enrollment_confirmed_at=first["enrollment_confirmed_at"],
        memberships=tuple(
            Membership(row["staff_id"], ROLES[row["role"]], account_from(row), row["mfa_deadline"], row["is_exempt"])
            for row in rows
            if row["staff_id"] is not None
        ),
        last_step=first["last_step"],
        recovery=Recovery(first["recovery_started_at"], first["recovery_ends_at"])
        if first["recovery_ends_at"]
        else None,
    )
