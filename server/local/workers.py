"""`gatehouse serve --workers N`: processes that share one listening socket, each started again when it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from server.local import forking
from server.local.imported import API, API_BROKER
from server.local.processes import Child, finish
from server.transport.serving import GRACEFUL_SHUTDOWN_S
from settings import Settings

LOOK_EVERY_S = 0.1
# Who ends at once again is given time; who has run this long begins anew.
FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S = 0.5, 30.0, 60.0
ENDING_S = GRACEFUL_SHUTDOWN_S + 2

logger = logging.getLogger("gatehouse.api")


@dataclass
class _Worker:
    """One of the processes; `child` is None between its end and its next start."""

    index: int
    child: Child | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S


class _Asked:
    """Whether we were asked to end."""

    def __init__(self) -> None:
        self.to_end = False

    def end(self, _number: int, _frame: FrameType | None) -> None:
        self.to_end = True


def run(settings: Settings, listener: socket.socket, count: int) -> None:
    """Keep `count` processes running on the socket until SIGINT or SIGTERM, then end them as each ends by itself."""
    workers = [_Worker(index) for index in range(count)]
    forking.load((*API, API_BROKER) if settings.broker_url else API)
    with _signals() as asked:
        try:
            while not asked.to_end:
                for worker in workers:
                    _look_after(worker, settings, listener)
                time.sleep(LOOK_EVERY_S)
        finally:
            _end([worker.child for worker in workers if worker.child], settings.drain_seconds + ENDING_S)


def _look_after(worker: _Worker, settings: Settings, listener: socket.socket) -> None:
    now = time.monotonic()
    if worker.child is None:
        if now >= worker.start_at:
            worker.child, worker.started_at = _start(worker.index, settings, listener), now
    elif (status := worker.child.poll()) is not None:
        worker.pause_s = FIRST_PAUSE_S if now - worker.started_at > STEADY_S else worker.pause_s
        logger.error("Worker %s has ended with status %s; it is started again.", worker.index, status)
        worker.child, worker.start_at = None, now + worker.pause_s
        worker.pause_s = min(worker.pause_s * 2, LONGEST_PAUSE_S)


def _start(index: int, settings: Settings, listener: socket.socket) -> Child:
    serve = ["serve", f"--host={settings.host}", f"--listener={listener.fileno()}"]
    status_port = settings.status_port + index if settings.status_port else 0
    environment = os.environ | {"GATEHOUSE_STATUS_PORT": str(status_port)}
    return forking.start(serve, environment, inherit=[listener.fileno()])


def _end(children: list[Child], grace_s: float) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    until = time.monotonic() + grace_s
    for child in children:
        finish(child, until - time.monotonic())


@contextmanager
def _signals() -> Iterator[_Asked]:
    asked = _Asked()
    before = {number: signal.signal(number, asked.end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
