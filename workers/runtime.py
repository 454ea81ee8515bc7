"""What the tasks of one worker process share: an event loop in a thread of its own, a pool, and the word to stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

import uvloop

import db.away
import db.pool
from db.pool import Database
from rules.failures import ServiceUnavailable
from settings import Settings
from workers.verdicts import Refusals

DATABASE_S = 40.0
RETRY_EVERY_S = 0.3
STOP_PATIENCE_S = 2.0
CLOSE_S = 3.0

Result = TypeVar("Result")


class Runtime:
    """Made where the tasks run, after any fork; one loop for the process's life, since a pool belongs to its loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping_since: float | None = None  # time.monotonic()
        # One thread more than these dispatches, whatever the mail server does; bulk mail never takes the last of them.
        self.sending_slots = threading.BoundedSemaphore(settings.worker_concurrency)
        self.bulk_slots = threading.BoundedSemaphore(settings.worker_concurrency - 1)
        self.refusals = Refusals()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._database: Database | None = None
        self._opening = asyncio.Lock()

    @property
    def is_stopping(self) -> bool:
        """Whether the process is to end: begin nothing any more."""
        return self.stopping_since is not None

    def stop(self) -> None:
        """Let everyone know that the process is to end."""
        self.stopping_since = self.stopping_since or time.monotonic()

    def start(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Begin a coroutine on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._started_loop())

    def run(self, coroutine: Coroutine[Any, Any, Result], within_s: float) -> Result:
        """Run on the loop from a task's thread. Raises TimeoutError, the coroutine being cancelled."""
        future = self.start(coroutine)
        try:
            return future.result(within_s)
        except FutureTimeoutError:
            future.cancel()
            raise

    def query(self, statement: Callable[..., Awaitable[Result]], *arguments: object, patience_s: float = 0) -> Result:
        """Call `statement(connection, *arguments)` from a task's thread.

        For `patience_s` it is tried again, unless the process is to end, whatever it fails with: the database may be
        restarting. Raises what the last try raised.
        """
        return self.run(self._query(statement, arguments, patience_s), patience_s + DATABASE_S)

    async def database(self) -> Database:
        """The process's pool, opened at its first use. Raises ServiceUnavailable."""
        if self._database is not None:
            return self._database
        async with self._opening:
            if self._database is None:
                url, size = self.settings.database_url, self.settings.worker_concurrency + 2
                try:
                    self._database = await db.pool.open_database(
                        url, size, "gatehouse-worker", through_pooler=self.settings.is_pooled
                    )
                except Exception as error:
                    if not db.away.is_away(error):
                        raise
                    raise ServiceUnavailable from error
        return self._database

    async def query_once(self, statement: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
        """Call `statement(connection, *arguments)` on the loop."""
        database = await self.database()
        async with database.connection() as connection:
            return await statement(connection, *arguments)

    async def _query(
        self, statement: Callable[..., Awaitable[Result]], arguments: tuple[object, ...], patience_s: float
    ) -> Result:
        give_up_at = time.monotonic() + patience_s
        while True:
            try:
                return await self.query_once(statement, *arguments)
            except Exception:
                if self.stopping_since is not None:
                    give_up_at = min(give_up_at, self.stopping_since + STOP_PATIENCE_S)
                if time.monotonic() >= give_up_at:
                    raise
                await asyncio.sleep(RETRY_EVERY_S)

    def close(self) -> None:
        """Close the pool and end the loop."""
        if self._loop is None:
            return
        if self._database is not None:
            try:
                self.run(self._database.close(), CLOSE_S)
            except FutureTimeoutError:
                self._database.pool.terminate()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()
            return self._loop
