"""What a worker does by the timetable: what fails of a step keeps nothing else of it from being done."""

from __future__ import annotations

import asyncpg
import pytest

from tests.people import World, require_mfa
from tests.running.timed import RunTask, run_task

__all__ = ["run_task"]


async def test_reminders_that_fail_keep_neither_grace_periods_from_ending_nor_check_ups_from_being_sent(
    cast: World, run_task: RunTask
) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=20, grace_days=7)
    await cast.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, enabled_at, backup_salt, "
        "backup_key_id) SELECT id, '', 'k', 0, now() - interval '2 years', $2, 'k' FROM users WHERE id = $1",
        await cast.user_id("mia"),
        bytes(16),
    )
    await cast.database.execute("ALTER TABLE own_reminders RENAME TO elsewhere")
    await cast.database.execute("UPDATE accounts SET joiner_days = 1")
    await cast.database.execute("UPDATE staff SET excepted_until = now() + interval '1 hour' WHERE role = 'OWNER'")
    with pytest.raises(asyncpg.UndefinedTableError):
        await run_task("remind")
    kinds = [event["type"] for event in await cast.events("GRACE_PERIOD_ENDED", "CHECK_UP_REMINDED")]
    assert sorted(kinds) == ["CHECK_UP_REMINDED", "GRACE_PERIOD_ENDED"]


@pytest.mark.parametrize("broken", ["deliveries", "gathered_alerts"])
async def test_what_fails_of_a_sweep_keeps_no_reset_from_expiring(cast: World, run_task: RunTask, broken: str) -> None:
    await cast.database.execute(
        "INSERT INTO reset_requests (account_id, user_id, requester_id, expires_at) VALUES ($1, $2, $3, now())",
        cast.account_id,
        await cast.user_id("mia"),
        await cast.user_id("adam"),
    )
    await cast.database.execute(f"ALTER TABLE {broken} RENAME TO elsewhere")
    with pytest.raises(asyncpg.UndefinedTableError):
        await run_task("sweep")
    assert await cast.database.fetchval("SELECT count(*) FROM reset_requests") == 0
