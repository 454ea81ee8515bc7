"""The beat process, which loads nothing of what the tasks do."""

from __future__ import annotations

import signal
import sys
from typing import Any

from celery.beat import Scheduler

from settings import Settings
from telemetry import life, logs
from workers.app import make_app


class Timetable(Scheduler):
    """Celery's own, which tells that it turns."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Ask for what is due."""
        life.turn()
        pause: float = super().tick(*arguments, **options)
        return pause

    def _ensure_connected(self) -> Any:
        """Tell that the broker is waited for."""
        with life.waiting():
            return super()._ensure_connected()  # type: ignore[misc]


def beat_main(settings: Settings) -> None:
    """Ask for the timetable's tasks until SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    app = make_app(settings)
    beat = app.Beat(scheduler_cls="workers.beat:Timetable", loglevel=settings.log_level, quiet=True, max_interval=5)
    # Celery's own handlers save the timetable first, which fails amid a start; ours has nothing to save.
    beat.install_sync_handler = lambda service: None  # type: ignore[method-assign]
    logs.announce("beat ready")
    beat.run()
