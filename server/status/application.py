"""What the status port answers."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.status.figures import DatabaseFigures
from server.status.readiness import Readiness
from server.status.routes import probes
from settings import Settings
from telemetry import metrics


def application(settings: Settings, *, needs_database: bool) -> Starlette:
    """What the status port answers."""
    figures = DatabaseFigures(settings.database_url) if needs_database else None

    async def show_metrics(request: Request) -> Response:
        metrics.FIGURES.metrics = await figures.metrics() if figures else ()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    readiness = Readiness(settings, needs_database=needs_database)
    return Starlette(routes=[*probes(readiness), Route("/metrics", show_metrics)])
