"""Hearing the bell: LISTEN on a connection of its own, made again whenever it is lost."""

from __future__ import annotations

import asyncio

import asyncpg

import db.away
from db.bell import CHANNEL

RECONNECT_AFTER_S = 1.0


async def listen(url: str, rung: asyncio.Event, name: str) -> None:
    """Set `rung` whenever the bell is rung, and once after each connecting: rings may have been missed before."""
    while True:
        with db.away.while_there():
            await _listen_once(url, rung, name)
        await asyncio.sleep(RECONNECT_AFTER_S)


async def _listen_once(url: str, rung: asyncio.Event, name: str) -> None:
    lost = asyncio.Event()
    connection = await asyncpg.connect(url, timeout=3, server_settings={"application_name": name})
    try:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda *_: rung.set())
        rung.set()
        await lost.wait()
    finally:
        connection.terminate()
