"""Celery: the work that messages ask for, the timetable, and the worker and beat processes.

The database is the queue: a message holds a row's id or a queue's name and nothing else, so that one lost or doubled
costs a delay. Hence no acknowledgements, no results, no countdowns, and a sweep.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from celery import Celery, Task
from celery.beat import Scheduler
from celery.signals import worker_ready, worker_shutting_down
from celery.worker.consumer import Consumer
from kombu.exceptions import OperationalError
from kombu.transport.redis import Channel
from redis.exceptions import RedisError

from db import deliveries, housekeeping, webhooks
from db.seldom import Seldom
from rules.events.mailing import BULK, SECURITY
from rules.failures import ServiceUnavailable
from settings import Settings
from telemetry import life, logs
from workers.planning import Planned, Planner
from workers.reminders import plan_due
from workers.runtime import Runtime
from workers.sending import send_batch
from workers.webhooks import Pump

PLAN = "plan"
QUEUES = {name: f"gatehouse.{name}" for name in (SECURITY, PLAN, BULK)}
SWEEP_EVERY_S = 5.0
SWEEP_AT_MOST_EVERY_S = 1.0
PLAN_REMINDERS_EVERY_S = 900.0
PRUNE_EVERY_S = 60.0
PLAN_S = 120.0
LOOK_FOR_END_EVERY_S = 0.25
RECONNECT_AFTER_S = 1.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

# A replica that was the broker a moment ago answers that it takes no writes.
BROKER_AWAY = (OperationalError, OSError, RedisError)

log = logging.getLogger("gatehouse.worker")
trouble = Seldom(log)


class PatientConsumer(Consumer):
    """Celery's, which connects again at once, however often it is refused in a second."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Take a breath first."""
        super().on_connection_error_after_connected(exc)
        time.sleep(RECONNECT_AFTER_S)


class Patient(Task):  # type: ignore[type-arg]
    """A task that leaves what the database does not do now to the sweep and the relay, who will ask for it again."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        try:
            return super().__call__(*args, **kwargs)
        except (ServiceUnavailable, TimeoutError) as error:
            trouble.warning("%s is left for later: the database does not answer (%s).", self.name, type(error).__name__)


def make_app(settings: Settings) -> Celery:
    """A Celery application that can publish; `add_tasks` makes it work."""
    app = Celery("gatehouse", broker=settings.broker_url, set_as_current=False, task_cls="workers.app:Patient")
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue=QUEUES[PLAN],
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        broker_channel_error_retry=True,  # what a broker answers that is a replica by now, or full
        worker_consumer="workers.app:PatientConsumer",
        broker_transport_options={
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 5,
            # A message is gone once it is received: telling the broker more, after it went away, ends a worker.
            "ack_emulation": False,
        },
        beat_schedule={
            "sweep": _entry("gatehouse.sweep", SWEEP_EVERY_S),
            "plan reminders": _entry("gatehouse.plan_reminders", PLAN_REMINDERS_EVERY_S),
            "prune": _entry("gatehouse.prune", PRUNE_EVERY_S),
        },
    )
    return app


def publish(app: Celery, task: str, *arguments: object, queue: str) -> None:
    """Ask for work, by queue SECURITY, PLAN or BULK. Raises BROKER_AWAY within seconds."""
    app.send_task(f"gatehouse.{task}", arguments, queue=QUEUES[queue], retry=False, ignore_result=True)


def add_tasks(app: Celery, runtime: Runtime) -> None:
    """The tasks. Each may come twice, and does its work once; none takes long, since messages behind it wait."""
    _add_mail_tasks(app, runtime)
    _add_timed_tasks(app, runtime)
    pump = Pump(runtime)

    @app.task(name="gatehouse.webhooks")
    def deliver_webhooks() -> None:
        pump.start()


def _add_mail_tasks(app: Celery, runtime: Runtime) -> None:
    planner = Planner()

    @app.task(name="gatehouse.plan_event")
    def plan_event(event_id: int) -> None:
        async def run() -> Planned:
            return await planner.plan(await runtime.database(), event_id)

        planned = runtime.run(run(), PLAN_S)
        if planned.queue is not None:
            _wake(app, "send", planned.queue, queue=planned.queue)
        if planned.is_unfinished:
            _wake(app, "plan_event", event_id, queue=PLAN)

    @app.task(name="gatehouse.send")
    def send(queue: str) -> None:
        def go_on() -> None:
            if not runtime.is_stopping:
                _wake(app, "send", queue, queue=queue)

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

    @app.task(name="gatehouse.sweep")
    def sweep() -> None:
        if time.monotonic() - last_sweep[0] < SWEEP_AT_MOST_EVERY_S:
            return  # beat has asked all the while that no worker ran
        last_sweep[0] = time.monotonic()
        for queue in runtime.query(deliveries.due_queues):
            _wake(app, "send", queue, queue=queue)
        if runtime.query(webhooks.take_over):
            _wake(app, "webhooks", queue=PLAN)

    @app.task(name="gatehouse.plan_reminders")
    def plan_reminders() -> None:
        async def run() -> int:
            return await plan_due(await runtime.database(), runtime.settings.reminder_thresholds)

        if planned := runtime.run(run(), PLAN_S):
            log.info("Planned %s reminders.", planned)

    @app.task(name="gatehouse.prune")
    def prune() -> None:
        runtime.query(deliveries.prune, runtime.settings.delivery_retention_days)
        runtime.query(housekeeping.prune, runtime.settings.time_limits.session_idle)
        runtime.query(webhooks.prune)
        if runtime.settings.event_retention_days:
            runtime.query(housekeeping.prune_events, runtime.settings.event_retention_days)


def _wake(app: Celery, task: str, *arguments: object, queue: str) -> None:
    try:
        publish(app, task, *arguments, queue=queue)
    except BROKER_AWAY as error:
        trouble.warning("The broker does not answer (%s); what is due will be found again.", type(error).__name__)


def worker_main(settings: Settings) -> None:
    """Work until SIGTERM, then end what is under way and give back the rest. SystemExit when Celery gives up."""
    # What is received and not begun is not given back either, for the same reason: no message is worth it here.
    Channel.do_restore = False
    app, runtime = make_app(settings), Runtime(settings)
    add_tasks(app, runtime)

    def say_ready(sender: Any, **_: Any) -> None:
        # Celery looks whether it is to end when something wakes it, which may be 5 s later.
        sender.hub.call_repeatedly(LOOK_FOR_END_EVERY_S, life.turn)
        logs.announce("worker ready")

    def stop(**_: Any) -> None:
        life.end()
        runtime.stop()

    worker_ready.connect(say_ready)
    worker_shutting_down.connect(stop)
    worker = app.Worker(
        pool="threads",
        concurrency=settings.worker_concurrency + 1,
        queues=list(QUEUES.values()),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel=settings.log_level,
        quiet=True,
    )
    try:
        worker.start()
    finally:
        runtime.close()
    if not runtime.is_stopping:
        raise SystemExit("The worker cannot go on: see above.")


class Timetable(Scheduler):
    """Celery's own, which tells that it turns."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Ask for what is due."""
        life.turn()
        pause: float = super().tick(*arguments, **options)
        return pause


def beat_main(settings: Settings) -> None:
    """Ask for the timetable's tasks until SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    app = make_app(settings)
    beat = app.Beat(scheduler_cls="workers.app:Timetable", loglevel=settings.log_level, quiet=True, max_interval=5)
    # Celery's own handlers save the timetable first, which fails amid a start; ours has nothing to save.
    beat.install_sync_handler = lambda service: None  # type: ignore[method-assign]
    logs.announce("beat ready")
    beat.run()


def _entry(task: str, every_s: float) -> dict[str, Any]:
    # Due at once when beat starts: it keeps no file of what it did before.
    return {"task": task, "schedule": every_s, "last_run_at": LONG_AGO, "options": {"queue": QUEUES[PLAN]}}
