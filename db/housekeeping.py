"""What has ended and is of no use to anyone any more."""

from __future__ import annotations

from db.pool import Connection


async def prune(connection: Connection) -> None:
    """Delete ended sessions, challenges and enrollments, and throttles whose last failure no longer counts."""
    await connection.execute(
        "DELETE FROM sessions WHERE expires_at < now() OR last_used_at < now() - interval '7 days'"
    )
    await connection.execute("DELETE FROM challenges WHERE expires_at < now()")
    await connection.execute("DELETE FROM enrollments WHERE expires_at < now()")
    await connection.execute("DELETE FROM throttles WHERE updated_at < now() - interval '31 days'")
