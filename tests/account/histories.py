"""Histories of an account and four people: changes, each as the product's own statements make it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from db import exceptions, policy
from db.pool import Connection
from rules.policy import RequiredOf, Wanted
from rules.standing import ExceptionKind

Step = tuple[str, int, int]
CHANGES = ["require", "lift", "join", "invite", "leave", "enroll", "disable", "reset", "extend", "exempt", "end"]
STEP = st.tuples(st.sampled_from(CHANGES), st.integers(0, 3), st.integers(0, 3))


async def people(connection: Connection) -> list[UUID]:
    """Four people who are staff of nothing yet."""
    rows = await connection.fetch(
        "INSERT INTO users (email, password_hash) SELECT gen_random_uuid() || '@crowd.example', 'x' "
        "FROM generate_series(1, 4) RETURNING id"
    )
    return [row["id"] for row in rows]


async def take(connection: Connection, account_id: UUID, people: list[UUID], step: Step) -> None:
    """One change of the account, or of one of the people, the more so the larger its last number."""
    what, who, much = step
    user_id = people[who]
    match what:
        case "require":
            wanted = Wanted(much * 2, much, RequiredOf.OWNERS_AND_ADMINS if who else RequiredOf.EVERYONE)
            await policy.save(connection, account_id, wanted)
        case "lift":
            await policy.save(connection, account_id, Wanted(None))
        case "join" | "invite":
            await connection.execute(
                "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
                "SELECT $1, id, email, $3, CASE WHEN $4 THEN now() END FROM users WHERE id = $2 "
                "ON CONFLICT (account_id, user_id) DO UPDATE SET role = $3, invited_at = NULL",
                account_id,
                user_id,
                ["OWNER", "ADMIN", "MEMBER", "MEMBER"][much],
                what == "invite",
            )
        case "leave":
            await connection.execute("DELETE FROM staff WHERE account_id = $1 AND user_id = $2", account_id, user_id)
        case "enroll":
            await connection.execute(
                "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
                "VALUES ($1, '', 'k', 0, $2, 'k') ON CONFLICT DO NOTHING",
                user_id,
                bytes(16),
            )
            await connection.execute("UPDATE users SET reenrollment_required_at = NULL WHERE id = $1", user_id)
        case "disable":
            await connection.execute("DELETE FROM factors WHERE user_id = $1", user_id)
        case "reset":
            await connection.execute("DELETE FROM factors WHERE user_id = $1", user_id)
            await connection.execute("UPDATE users SET reenrollment_required_at = now() WHERE id = $1", user_id)
        case "end":
            for each in await exceptions.listed(connection, account_id, None, with_ended=False, limit=1):
                await exceptions.end(connection, account_id, each.id, None)
        case _:
            await _except(connection, account_id, user_id, ExceptionKind.EXTENDED if what == "extend" else None, much)


async def _except(
    connection: Connection, account_id: UUID, user_id: UUID, kind: ExceptionKind | None, days: int
) -> None:
    """Give the person an exception, as far as they are a member."""
    until: datetime = await connection.fetchval("SELECT now() + $1::interval", timedelta(days=days, milliseconds=1))
    members = await connection.fetch(
        "SELECT user_id FROM staff WHERE account_id = $1 AND user_id = $2 AND invited_at IS NULL", account_id, user_id
    )
    await exceptions.give(
        connection,
        account_id,
        [member["user_id"] for member in members],
        kind or ExceptionKind.EXEMPTED,
        until=until,
        reason="-",
        author_id=None,
        is_break_glass=False,
    )
