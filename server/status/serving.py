"""The status port: probes and metrics from a thread of their own, whatever the part itself is busy with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.status.figures import DatabaseFigures
from server.status.readiness import Readiness
from server.status.routes import probes
from server.transport.sockets import listen
from settings import Settings
from telemetry import metrics

MOST_AT_ONCE = 50


@contextmanager
def status(settings: Settings, *, needs_database: bool = True) -> Iterator[None]:
    """Answer on the status port, where one is set, for as long as the part runs. Raises ListenError."""
    if not settings.status_port:
        yield
        return
    listener = listen(settings.status_host, settings.status_port)
    config = uvicorn.Config(
        application(settings, needs_database=needs_database),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="status", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True


def application(settings: Settings, *, needs_database: bool) -> Starlette:
    """What the status port answers."""
    figures = DatabaseFigures(settings.database_url) if needs_database else None

    async def show_metrics(request: Request) -> Response:
        metrics.FIGURES.metrics = await figures.metrics() if figures else ()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    readiness = Readiness(settings, needs_database=needs_database)
    return Starlette(routes=[*probes(readiness), Route("/metrics", show_metrics)])
