"""What the tasks of one worker process share: an event loop in a thread of its own, a pool, and the word to stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from db.pool import Database, open_database
from rules.failures import ServiceUnavailable
from settings import Settings

DATABASE_S = 40.0

Result = TypeVar("Result")


class Runtime:
    """Made where the tasks run, after any fork; one loop for the process's life, since a pool belongs to its loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = threading.Event()
        self.bulk_slots = threading.BoundedSemaphore(settings.worker_concurrency - 1)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._database: Database | None = None

    def run(self, coroutine: Coroutine[Any, Any, Result], within_s: float) -> Result:
        """Run on the loop from a task's thread. Raises TimeoutError, the coroutine being cancelled."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started_loop())
        try:
            return future.result(within_s)
        except FutureTimeoutError:
            future.cancel()
            raise

    def query(self, statement: Callable[..., Awaitable[Result]], *arguments: object, patience_s: float = 0) -> Result:
        """Call `statement(connection, *arguments)` from a task's thread, in a transaction of its own.

        While the database is away it is tried again for `patience_s`. Raises ServiceUnavailable after that.
        """
        return self.run(self._query(statement, arguments, patience_s), patience_s + DATABASE_S)

    async def database(self) -> Database:
        """The process's pool, opened at its first use."""
        if self._database is None:
            size = self.settings.worker_concurrency + 1
            self._database = await open_database(self.settings.database_url, size, "gatehouse-worker")
        return self._database

    async def _query(
        self, statement: Callable[..., Awaitable[Result]], arguments: tuple[object, ...], patience_s: float
    ) -> Result:
        give_up_at = time.monotonic() + patience_s
        while True:
            try:
                database = await self.database()
                async with database.connection() as connection, connection.transaction():
                    return await statement(connection, *arguments)
            except (ServiceUnavailable, OSError):
                if time.monotonic() > give_up_at:
                    raise ServiceUnavailable from None
                await asyncio.sleep(0.5)

    def close(self) -> None:
        """Close the pool and end the loop."""
        if self._loop is None:
            return
        if self._database is not None:
            self.run(self._database.close(), 5)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()
            return self._loop
