"""Warnings about what goes on and on: written once a second at most, so that trouble does not fill a disk."""

from __future__ import annotations

import logging
import threading
import time

AT_MOST_EVERY_S = 1.0


class Seldom:
    """A logger's warnings of one kind."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._next_at = 0.0

    def warning(self, message: str, *arguments: object) -> None:
        """Write it, unless one was written within the last second."""
        now = time.monotonic()
        with self._lock:
            if now < self._next_at:
                return
            self._next_at = now + AT_MOST_EVERY_S
        self._log.warning(message, *arguments)
