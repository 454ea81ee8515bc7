"""The paths that probes ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from server.status.readiness import Readiness
from telemetry import life


def probes(readiness: Readiness) -> list[BaseRoute]:
    """/livez and /readyz, and /healthz as readyz was called before."""

    async def livez(request: Request) -> Response:
        return _answer("ok", 200) if life.is_turning() else _answer("stuck", 503)

    async def readyz(request: Request) -> Response:
        report = await readiness.report()
        content = {
            "status": "ok" if report.is_ready else "not ready",
            "failed": report.failed,
            "checks": report.checks,
            "reported": report.beside,
        }
        return JSONResponse(content, 200 if report.is_ready else 503)

    paths: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/livez": livez,
        "/readyz": readyz,
        "/healthz": readyz,
    }
    return [Route(path, answer) for path, answer in paths.items()]


def _answer(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code)
