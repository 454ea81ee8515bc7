"""The Celery application: its queues, its timetable, and how work is asked for.

The database is the queue: a message holds a row's id or a queue's name and nothing else, so that one lost or doubled
costs a delay. Hence no acknowledgements, no results, no countdowns, and a sweep.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from celery import Celery, Task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from db.seldom import Seldom
from rules.events.mailing import BULK, SECURITY
from rules.failures import ServiceUnavailable
from settings import Settings

WORK = "work"  # whatever is no mail, and events that are not urgent
QUEUES = {name: f"gatehouse.{name}" for name in (SECURITY, WORK, BULK)}
# What the version before this one asks for, and where: while parts of both run, and as long as its messages wait.
FORMER_QUEUE = "gatehouse.plan"
FORMER_NAMES = {"plan_event": "dispatch", "plan_reminders": "remind", "plan_digests": "digest"}
SWEEP_EVERY_S = 5.0
REMIND_EVERY_S = 900.0
DIGEST_EVERY_S = 900.0
PRUNE_EVERY_S = 60.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

# A replica that was the broker a moment ago answers that it takes no writes.
BROKER_AWAY = (OperationalError, OSError, RedisError)

log = logging.getLogger("gatehouse.worker")
trouble = Seldom(log)


def make_app(settings: Settings) -> Celery:
    """A Celery application that can publish; tasks.add_tasks makes it work."""
    app = Celery("gatehouse", broker=settings.broker_url, set_as_current=False, task_cls="workers.app:Patient")
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue=QUEUES[WORK],
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        broker_channel_error_retry=True,  # what a broker answers that is a replica by now, or full
        worker_consumer="workers.processes:PatientConsumer",
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
            "remind": _entry("gatehouse.remind", REMIND_EVERY_S),
            "digest": _entry("gatehouse.digest", DIGEST_EVERY_S),
            "prune": _entry("gatehouse.prune", PRUNE_EVERY_S),
        },
    )
    return app


def publish(app: Celery, task: str, *arguments: object, queue: str) -> None:
    """Ask for work, by queue SECURITY, WORK or BULK. Raises BROKER_AWAY within seconds."""
    app.send_task(f"gatehouse.{task}", arguments, queue=QUEUES[queue], retry=False, ignore_result=True)


def wake(app: Celery, task: str, *arguments: object, queue: str) -> None:
    """The same; leaves it to the sweep when the broker is away."""
    try:
        publish(app, task, *arguments, queue=queue)
    except BROKER_AWAY as error:
        trouble.warning("The broker does not answer (%s); what is due will be found again.", type(error).__name__)


class Patient(Task):  # type: ignore[type-arg]
    """A task that leaves what the database does not do now to the sweep and the relay, who will ask for it again."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except (ServiceUnavailable, TimeoutError) as error:
            trouble.warning("%s is left for later: the database does not answer (%s).", self.name, type(error).__name__)


def _entry(task: str, every_s: float) -> dict[str, Any]:
    # Due at once when beat starts: it keeps no file of what it did before.
    return {"task": task, "schedule": every_s, "last_run_at": LONG_AGO, "options": {"queue": QUEUES[WORK]}}
