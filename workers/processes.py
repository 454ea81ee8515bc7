"""The worker process."""

from __future__ import annotations

import sys
import time
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from celery.worker.consumer import Consumer
from kombu.transport.redis import Channel

from settings import Settings
from telemetry import life, logs
from workers.app import FORMER_QUEUE, QUEUES, make_app
from workers.runtime import Runtime
from workers.tasks import add_tasks

LOOK_FOR_END_EVERY_S = 0.25
RECONNECT_AFTER_S = 1.0
# A sender waits for its mark, which the loop's thread makes: each hands the interpreter over at once, not after 5 ms.
SWITCH_S = 0.0005


class PatientConsumer(Consumer):
    """Celery's, which connects again at once, however often it is refused in a second."""

    def ensure_connected(self, conn: Any) -> Any:
        """Tell that the broker is waited for."""
        with life.waiting():
            return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Take a breath first."""
        super().on_connection_error_after_connected(exc)
        time.sleep(RECONNECT_AFTER_S)


def worker_main(settings: Settings) -> None:
    """Work until SIGTERM, then end what is under way and give back the rest. SystemExit when Celery gives up."""
    sys.setswitchinterval(SWITCH_S)
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
        queues=[*QUEUES.values(), FORMER_QUEUE],
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
