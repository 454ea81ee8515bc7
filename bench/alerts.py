"""How soon an owner hears: from an event's commit to the alert at the mail server and at a channel of Slack, at rest.

One event after another, each of an account of its own, with pauses of uneven length, through relay, broker and worker.
Beside it a bare listener: it LISTENs, reads the event, and sends a mail by smtplib and a message by httpx.
Promise: 99 of 100 owners and channels hear within a second.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import smtplib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from uuid import UUID

import asyncpg
import httpx

import db.outbox
from bench import parts
from bench.mail import Server, made, worker
from bench.webhooks import Endpoints
from db.bell import CHANNEL
from db.pool import Database, open_database
from resolvers.webhooks import insert
from rules.chat import Format, Message, written
from rules.events.policy import PolicyDisabled
from rules.sealing import KeyRing
from settings import parse_secret_keys

ALERTS, BEFORE = 200, 20
PAUSES_S = 0.05, 0.35
MOST_S = 1.0
PATIENCE_S = 60.0
Measured = dict[str, list[tuple[float, float]]]
MESSAGE = Message("olive@agency.example stopped requiring MFA.", "Agency", "https://gatehouse.example", "Open")


class Receivers:
    """The mail server and the channel, and when each of them heard."""

    def __init__(self) -> None:
        self.mail, self.channel = Server(is_quick=False), Endpoints()

    async def hear(self) -> tuple[float, float]:
        """When the next mail and the next message came."""
        heard: list[list[float]] = [[], []]
        until = time.monotonic() + PATIENCE_S
        while not all(heard):
            if time.monotonic() > until:
                sys.exit(f"Not told within {PATIENCE_S:.0f} s; mails and messages came at {heard}.")
            await asyncio.sleep(0.002)
            heard = [old + new for old, new in zip(heard, (self.mail.arrived(), self.channel.arrived()), strict=True)]
        assert [len(each) for each in heard] == [1, 1], heard
        return heard[0][0], heard[1][0]

    def stop(self) -> None:
        """End both."""
        self.mail.stop()
        self.channel.stop()


async def prepare(database: Database, url: str) -> list[UUID]:
    """As many accounts with an owner who hears of everything, and a channel that does."""
    ring = KeyRing(parse_secret_keys(parts.SECRET_KEYS))
    accounts = []
    async with database.connection() as connection:
        for number in range(BEFORE + ALERTS):
            accounts.append(await parts.add_account(connection, f"agency{number}", 1, 2))
            await insert(connection, ring, accounts[-1], url, None, Format.SLACK)
        await connection.execute("UPDATE staff SET role = 'OWNER'")
        await parts.settle(connection)
    return accounts


async def tell(database: Database, receivers: Receivers, accounts: list[UUID]) -> list[tuple[float, float]]:
    """Let it happen in one account after another: how long each one's mail and message took from the commit."""
    times, pauses = [], random.Random(7)
    for account_id in accounts:
        await asyncio.sleep(pauses.uniform(*PAUSES_S))
        async with database.transaction() as connection:
            await db.outbox.append(connection, PolicyDisabled(account_id=account_id))
        committed = time.monotonic()
        times.append(tuple(heard - committed for heard in await receivers.hear()))
    return [(mail, message) for mail, message in times[BEFORE:]]


@asynccontextmanager
async def bare_listener(url: str, receivers: Receivers) -> AsyncIterator[None]:
    """Whoever listens to the database, and sends at once what it hears of."""
    connection, rung = await asyncpg.connect(url), asyncio.Event()
    await connection.add_listener(CHANNEL, lambda *_: rung.set())
    mail, body = made(1).as_bytes(policy=policy.SMTP), json.dumps(written(Format.SLACK, MESSAGE)).encode()
    smtp = smtplib.SMTP("127.0.0.1", receivers.mail.port)

    async def listen() -> None:
        newest = await connection.fetchval("SELECT coalesce(max(id), 0) FROM events")
        async with httpx.AsyncClient() as client:
            while await rung.wait():
                rung.clear()
                for row in await connection.fetch("SELECT id, data FROM events WHERE id > $1 ORDER BY id", newest):
                    newest = row["id"]
                    sent = asyncio.to_thread(smtp.sendmail, "a@gatehouse.example", "b@gatehouse.example", mail)
                    await asyncio.gather(sent, client.post(receivers.channel.urls[0], content=body))

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        listening.cancel()
        smtp.close()
        await connection.close()


async def measure(url: str, receivers: Receivers) -> Measured:
    """Both, over the same accounts."""
    database = await open_database(url, 2)
    accounts = await prepare(database, receivers.channel.urls[0])
    async with bare_listener(url, receivers):
        bare = await tell(database, receivers, accounts)
    async with database.connection() as connection:
        await connection.execute("UPDATE events SET dispatched_at = now()")
        await connection.execute("DELETE FROM webhook_deliveries")
    with worker(url, receivers.mail.port, ("worker", "beat", "relay"), webhook_allow_private="true"):
        parts.come_first(os.getpid())
        ours = await tell(database, receivers, accounts)
    await database.close()
    return {"a bare listener": bare, "relay, broker and worker": ours}


def main() -> None:
    """Measure both, and say how they compare."""
    parts.come_first(os.getpid())
    receivers = Receivers()
    with parts.database() as url:
        measured = asyncio.run(measure(url, receivers))
    receivers.stop()
    rows, ours = [], {}
    bare_p99 = [parts.percentile(times, 0.99) for times in zip(*measured["a bare listener"], strict=True)]
    for name, pairs in measured.items():
        for column, (receiver, times) in enumerate(zip(("mail", "Slack"), zip(*pairs, strict=True), strict=True)):
            p99 = parts.percentile(times, 0.99)
            ours[receiver] = p99
            rows.append(
                [f"{name}, {receiver}", parts.median_ms(times), p99 * 1000, max(times) * 1000, p99 / bare_p99[column]]
            )
    parts.table(["commit to receiver", "p50 ms", "p99 ms", "slowest ms", "p99 over bare"], rows)
    parts.judge(
        {f"99 of 100 hear by {name} in {p99:.2f} s ({MOST_S:.0f} at most)": p99 <= MOST_S for name, p99 in ours.items()}
    )


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn", force=True)
    main()
