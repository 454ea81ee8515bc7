"""A worker's tasks, run in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest_asyncio
from celery import Celery

from tests.client import settings_for
from workers.runtime import Runtime
from workers.tasks import add_tasks

RunTask: TypeAlias = Callable[[str], Awaitable[object]]


class Alone(Celery):
    """An application whose tasks are no other's: each test of a process makes one."""

    def task(self, *arguments: Any, **options: Any) -> Any:
        """Make a task of this one alone."""
        return super().task(*arguments, **options | {"shared": False})


@pytest_asyncio.fixture
async def run_task(database_url: str) -> AsyncIterator[RunTask]:
    """Runs a task by its name."""
    runtime, app = Runtime(settings_for(database_url)), Alone("timed")
    add_tasks(app, runtime)
    yield lambda name: asyncio.to_thread(app.tasks[f"gatehouse.{name}"].run)
    await asyncio.to_thread(runtime.close)
