"""Connections to the endpoints of webhooks: kept for a few seconds, each endpoint's apart from the others'."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from uuid import UUID

import certifi
import httpcore

import rules.webhooks
from workers.guarded_network import GuardedNetwork

KEPT_ALIVE_S = 5.0


class Connections:
    """A pool of connections for each endpoint, and what is idle closed.

    One pool for all would look at every connection of it, to whomever, for each request.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._network = GuardedNetwork(_any_address if allow_private else rules.webhooks.is_public)
        self._tls = ssl.create_default_context(cafile=certifi.where())
        self._pools: dict[UUID, httpcore.AsyncConnectionPool] = {}
        self._in_use: Counter[UUID] = Counter()
        self._used_at: dict[UUID, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    @contextmanager
    def to(self, webhook_id: UUID) -> Iterator[httpcore.AsyncConnectionPool]:
        """The connections to one endpoint, for one attempt."""
        pool = self._pools.get(webhook_id)
        if pool is None:
            pool = self._pools[webhook_id] = httpcore.AsyncConnectionPool(
                ssl_context=self._tls, keepalive_expiry=KEPT_ALIVE_S, network_backend=self._network
            )
        self._in_use[webhook_id] += 1
        try:
            yield pool
        finally:
            self._in_use[webhook_id] -= 1
            self._used_at[webhook_id] = time.monotonic()

    async def close_idle(self, unused_s: float = KEPT_ALIVE_S) -> None:
        """Close what nobody has used for a while."""
        until = time.monotonic() - unused_s
        idle = [each for each, used_at in self._used_at.items() if used_at < until and not self._in_use[each]]
        # All are taken out before any is closed, at which others go on: who comes meanwhile finds none of these.
        pools = [self._pools.pop(each) for each in idle]
        for webhook_id in idle:
            del self._used_at[webhook_id], self._in_use[webhook_id]
        for pool in pools:
            await pool.aclose()


def _any_address(_: str) -> bool:
    return True
