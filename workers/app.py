"""Celery: the work that messages ask for, the timetable, and the worker and beat processes.

The database is the queue: a message holds a row's id or a queue's name and nothing else, so that one lost or doubled
costs a delay. Hence early acks, no results, no countdowns, and a sweep.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

from db import deliveries, housekeeping, reminders
from settings import Settings
from workers.planning import plan
from workers.runtime import Runtime
from workers.sending import send_batch

PLAN, SECURITY, BULK = "plan", "security", "bulk"
SWEEP_EVERY_S = 5.0
PLAN_REMINDERS_EVERY_S = 900.0
PRUNE_EVERY_S = 3600.0
TASK_S = 300.0

log = logging.getLogger("gatehouse.worker")


def make_app(settings: Settings) -> Celery:
    """A Celery application that can publish; `add_tasks` makes it work."""
    app = Celery("gatehouse", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue=PLAN,
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        broker_transport_options={
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "visibility_timeout": 3600,
        },
        beat_schedule={
            "sweep": _entry("gatehouse.sweep", SWEEP_EVERY_S),
            "plan reminders": _entry("gatehouse.plan_reminders", PLAN_REMINDERS_EVERY_S),
            "prune": _entry("gatehouse.prune", PRUNE_EVERY_S),
        },
    )
    return app


def publish(app: Celery, task: str, *arguments: object, queue: str) -> None:
    """Ask for work. Raises kombu's OperationalError within seconds when the broker does not answer."""
    app.send_task(f"gatehouse.{task}", arguments, queue=queue, retry=False, ignore_result=True)


def add_tasks(app: Celery, runtime: Runtime) -> None:
    """The tasks. Each may come twice, and does its work once."""

    def wake(queue: str) -> None:
        try:
            publish(app, "send", queue, queue=queue)
        except app.connection_for_write().recoverable_connection_errors as error:
            log.warning("The broker does not answer (%s); the sweep will find what is due.", type(error).__name__)

    @app.task(name="gatehouse.plan_event")
    def plan_event(event_id: int) -> None:
        async def run() -> list[str]:
            return await plan(await runtime.database(), event_id)

        for queue in runtime.run(run(), TASK_S):
            wake(queue)

    @app.task(name="gatehouse.send")
    def send(queue: str) -> None:
        if queue == BULK and not runtime.bulk_slots.acquire(blocking=False):
            return  # one thread stays free for security mail; the senders under way wake themselves
        try:
            claimed = send_batch(runtime, queue)
        finally:
            if queue == BULK:
                runtime.bulk_slots.release()
        if claimed and not runtime.stopping.is_set():
            wake(queue)

    @app.task(name="gatehouse.sweep")
    def sweep() -> None:
        for queue in runtime.query(deliveries.due_queues):
            wake(queue)

    @app.task(name="gatehouse.plan_reminders")
    def plan_reminders() -> None:
        planned = runtime.query(reminders.plan, [*runtime.settings.reminder_thresholds, 0])
        if planned:
            log.info("Planned the reminders of %s accounts.", planned)

    @app.task(name="gatehouse.prune")
    def prune() -> None:
        while runtime.query(deliveries.prune, runtime.settings.delivery_retention_days):
            if runtime.stopping.is_set():
                return
        runtime.query(housekeeping.prune)


def worker_main(settings: Settings) -> None:
    """Work until SIGTERM; then end what is under way, give back the rest, and return."""
    app, runtime = make_app(settings), Runtime(settings)
    add_tasks(app, runtime)

    def say_ready(**_: Any) -> None:
        print("worker ready", flush=True)  # noqa: T201 - whoever started us waits for it

    def stop(**_: Any) -> None:
        runtime.stopping.set()

    worker_ready.connect(say_ready)
    worker_shutting_down.connect(stop)
    worker = app.Worker(
        pool="threads",
        concurrency=settings.worker_concurrency,
        queues=[SECURITY, PLAN, BULK],
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


def beat_main(settings: Settings) -> None:
    """Ask for the timetable's tasks until SIGTERM."""
    app = make_app(settings)
    print("beat ready", flush=True)  # noqa: T201 - whoever started us waits for it
    app.Beat(scheduler_cls="celery.beat:Scheduler", loglevel=settings.log_level, quiet=True, max_interval=5).run()


def _entry(task: str, every_s: float) -> dict[str, Any]:
    # What nobody took in time is asked for again anyway.
    return {"task": task, "schedule": every_s, "options": {"queue": PLAN, "expires": every_s * 2}}
