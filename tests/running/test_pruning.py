"""Workers delete what is over, and what cannot be deleted keeps nothing else."""

from __future__ import annotations

import asyncpg
import pytest

from tests.people import World
from tests.running.timed import RunTask, run_task

__all__ = ["run_task"]


async def test_what_cannot_be_deleted_keeps_nothing_else(world: World, run_task: RunTask) -> None:
    await world.database.execute("INSERT INTO webhooks (url, secret_sealed, secret_key_id) VALUES ('', '', 'k')")
    await world.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, state, created_at) SELECT id, 'failed', '2000-01-01' FROM webhooks"
    )
    await world.database.execute("ALTER TABLE throttles RENAME TO elsewhere")
    with pytest.raises(asyncpg.UndefinedTableError):
        await run_task("prune")
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
