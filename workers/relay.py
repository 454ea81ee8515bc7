"""The relay: hands undispatched events to Celery, woken by the bell or by itself every second. Any number may run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from celery import Celery

import db.dispatching
import db.listening
import db.pool
import db.webhook_sending
from db.pool import Database
from db.seldom import Seldom
from rules.events.catalogue import QUIET_TYPES, QUIET_UNLESS_OWNER, SECURITY_TYPES
from rules.events.mailing import SECURITY
from rules.failures import ServiceUnavailable
from settings import Settings
from telemetry import life, logs
from workers.app import BROKER_AWAY, QUEUES, WORK, make_app, publish

LOOK_EVERY_S = 1.0
# Messages of a queue, beyond which nothing is asked for once more: no worker has come to them yet.
MOST_WAITING = 1_000

trouble = Seldom(logging.getLogger("gatehouse.relay"))


def relay_main(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping, rung = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        life.end()
        stopping.set()
        rung.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    database = await db.pool.open_database(
        settings.database_url, 2, "gatehouse-relay", through_pooler=settings.is_pooled
    )
    listener = asyncio.create_task(db.listening.listen(settings.direct_url, rung, "gatehouse-relay"))
    turning = asyncio.create_task(life.keep_turning())
    app = make_app(settings)
    logs.announce("relay ready")
    try:
        while not stopping.is_set():
            rung.clear()
            try:
                handed = await relay_once(database, app)
            except ServiceUnavailable:
                handed = 0  # the pool has said why
            if not handed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), LOOK_EVERY_S)
    finally:
        turning.cancel()
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener
        await database.close()


async def relay_once(database: Database, app: Celery) -> int:
    """Hand over what is undispatched, security first; return how many events were handed over or need no worker."""
    async with database.connection() as connection:
        done = await db.dispatching.dispatch_quiet(connection, QUIET_TYPES, QUIET_UNLESS_OWNER)
    has_room = False
    for queue, of_these in ((SECURITY, True), (WORK, False)):
        has_room = await asyncio.to_thread(_has_room, app, queue)
        async with database.connection() as connection:
            claimed = await db.dispatching.claim_for_hand_over(
                connection, SECURITY_TYPES, of_these=of_these, once_more=has_room
            )
        handed = await asyncio.to_thread(_publish_all, app, claimed, queue)
        if left := claimed[handed:]:
            async with database.connection() as connection:
                await db.dispatching.take_back(connection, left)
            break
        done += handed
    if has_room:
        await _wake_webhooks(database, app)
    return done


def _has_room(app: Celery, queue: str) -> bool:
    """Whether so few messages wait that more may be repeated; not while the broker is away."""
    try:
        with app.producer_or_acquire() as producer:
            waiting: int = producer.channel.queue_declare(QUEUES[queue]).message_count
    except BROKER_AWAY:
        return False  # handing over says so
    return waiting < MOST_WAITING


async def _wake_webhooks(database: Database, app: Celery) -> None:
    async with database.connection() as connection:
        if not await db.webhook_sending.is_due(connection):
            return
    with contextlib.suppress(*BROKER_AWAY):  # the next look asks again
        await asyncio.to_thread(publish, app, "webhooks", queue=WORK)


def _publish_all(app: Celery, event_ids: list[int], queue: str) -> int:
    """Publish in order; return how many the broker took."""
    for index, event_id in enumerate(event_ids):
        try:
            publish(app, "dispatch", event_id, queue=queue)
        except BROKER_AWAY as error:
            trouble.warning("The broker does not answer (%s); trying again.", type(error).__name__)
            return index
    return len(event_ids)
