"""The bell: NOTIFY after commit, coalesced, on a connection of its own.

Inside the transaction NOTIFY would make commits queue behind one another. A ring that is lost costs the readers their
next look, a second, never an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextvars import Context

import asyncpg

import db.away

CHANNEL = "gatehouse_events"
RETRY_AFTER_S = 1.0
MOMENT_S = 0.002
LAST_RING_S = 0.5

log = logging.getLogger("gatehouse.bell")


class Bell:
    """Rings CHANNEL soon after `ring`, once for all rings that came meanwhile."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._rung = asyncio.Event()
        self._told = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Ask for a NOTIFY; returns at once and never fails."""
        self._rung.set()
        self._told.clear()
        if self._task is None or self._task.done():
            # Everybody's: it is no part of the request that happens to begin it.
            self._task = asyncio.create_task(self._toll(), context=Context(), name="bell")

    async def close(self) -> None:
        """Give a ring that is under way half a second, then stop."""
        if self._task is None:
            return
        # A command ends as soon as it has committed, often before the bell has connected.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), LAST_RING_S)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _toll(self) -> None:
        while True:
            with db.away.while_there():
                connection = await asyncpg.connect(self._url, timeout=3, command_timeout=3)
                try:
                    while True:
                        await self._rung.wait()
                        # Whoever has committed answers first, and what others commit meanwhile rings along.
                        await asyncio.sleep(MOMENT_S)
                        self._rung.clear()
                        await connection.execute(f"NOTIFY {CHANNEL}")
                        if not self._rung.is_set():
                            self._told.set()
                finally:
                    connection.terminate()
            log.debug("The bell's connection is gone; it is made again.")
            await asyncio.sleep(RETRY_AFTER_S)
