"""The tasks: what a worker does when a message asks for it. Each may come twice, and does its work once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial

from celery import Celery

import db.deliveries
import db.webhook_sending
import workers.pruning
import workers.steps
from db.pool import Database
from rules.events.mailing import BULK
from workers.account_recovery import carry_on
from workers.alerts import tell_gathered
from workers.app import FORMER_NAMES, WORK, log, wake
from workers.check_up import remind_of_check_ups
from workers.digests import write_digests
from workers.dispatching import Dispatcher, Step
from workers.later_versions import revive_known
from workers.reminders import remind
from workers.resets import expire_resets
from workers.runtime import Runtime
from workers.sending import send_batch
from workers.webhooks import Pump

SWEEP_AT_MOST_EVERY_S = 1.0
STEP_S = 120.0


def add_tasks(app: Celery, runtime: Runtime) -> None:
    """Make the application work. None of its tasks takes long, since messages behind it wait."""
    _add_mail_tasks(app, runtime)
    _add_timed_tasks(app, runtime)
    pump = Pump(runtime)

    @app.task(name="gatehouse.webhooks")
    def deliver_webhooks() -> None:
        pump.start()

    for former, name in FORMER_NAMES.items():
        app.task(name=f"gatehouse.{former}")(app.tasks[f"gatehouse.{name}"].run)


def _add_mail_tasks(app: Celery, runtime: Runtime) -> None:
    dispatcher = Dispatcher()

    @app.task(name="gatehouse.dispatch")
    def dispatch(event_id: int) -> None:
        async def run() -> Step:
            return await dispatcher.dispatch(await runtime.database(), event_id)

        step = runtime.run(run(), STEP_S)
        if step.queue is not None:
            wake(app, "send", step.queue, queue=step.queue)
        if step.is_unfinished:
            wake(app, "dispatch", event_id, queue=WORK)

    @app.task(name="gatehouse.send")
    def send(queue: str) -> None:
        def go_on() -> None:
            if not runtime.is_stopping:
                wake(app, "send", queue, queue=queue)

        if runtime.is_stopping:
            return
        with ExitStack() as held:
            for slots in (runtime.bulk_slots, runtime.sending_slots) if queue == BULK else (runtime.sending_slots,):
                if not slots.acquire(blocking=False):
                    return  # those who have the slots go on until nothing is left
                held.callback(slots.release)
            may_be_more = send_batch(runtime, queue, go_on)
        if may_be_more:
            go_on()


def _add_timed_tasks(app: Celery, runtime: Runtime) -> None:
    last_sweep = [0.0]

    def run(*works: Callable[[Database], Awaitable[int]]) -> int:
        async def on_database() -> int:
            database = await runtime.database()
            return await workers.steps.each(*(partial(work, database) for work in works), within_s=STEP_S)

        return runtime.run(on_database(), STEP_S * (len(works) + 1))

    def wake_those_with_work() -> None:
        for queue in runtime.query(db.deliveries.due_queues):
            wake(app, "send", queue, queue=queue)
        if runtime.query(db.webhook_sending.take_over):
            wake(app, "webhooks", queue=WORK)

    @app.task(name="gatehouse.sweep")
    def sweep() -> None:
        if time.monotonic() - last_sweep[0] < SWEEP_AT_MOST_EVERY_S:
            return  # beat has asked all the while that no worker ran
        last_sweep[0] = time.monotonic()
        try:
            wake_those_with_work()
        finally:
            run(tell_gathered, expire_resets, carry_on)

    @app.task(name="gatehouse.remind")
    def record_reminders() -> None:
        thresholds = runtime.settings.reminder_thresholds
        if recorded := run(partial(remind, thresholds=thresholds), remind_of_check_ups):
            log.info("Recorded %s reminders.", recorded)

    @app.task(name="gatehouse.digest")
    def record_digests() -> None:
        run(write_digests)

    @app.task(name="gatehouse.prune")
    def prune() -> None:
        async def revive(database: Database) -> int:
            if revived := await revive_known(database):
                log.info("%s events that were set aside are known by now.", revived)
            return revived

        run(revive, partial(workers.pruning.prune, settings=runtime.settings))
