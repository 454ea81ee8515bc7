"""Workers delete what is over, and what cannot be deleted keeps nothing else."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from celery import Celery

from tests.client import settings_for
from tests.people import World
from workers.runtime import Runtime
from workers.tasks import add_tasks


async def test_what_cannot_be_deleted_keeps_nothing_else(world: World, database_url: str) -> None:
    await world.database.execute("INSERT INTO webhooks (url, secret_sealed, secret_key_id) VALUES ('', '', 'k')")
    await world.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, state, created_at) SELECT id, 'failed', '2000-01-01' FROM webhooks"
    )
    await world.database.execute("ALTER TABLE throttles RENAME TO elsewhere")
    runtime = Runtime(settings_for(database_url))
    app = Celery("pruning")
    add_tasks(app, runtime)
    with pytest.raises(asyncpg.UndefinedTableError):
        await asyncio.to_thread(app.tasks["gatehouse.prune"].run)
    await asyncio.to_thread(runtime.close)
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
