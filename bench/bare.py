"""A bare JSON route that sends one SELECT: what bench.api holds the API against. `python -m bench.bare` serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import settings
from db.pool import open_database
from server.transport import serving
from server.transport.sockets import listen


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Hold the pool."""
    app.state.database = await open_database(settings.load().database_url)
    yield
    await app.state.database.close()


async def person(request: Request) -> JSONResponse:
    """The person of an email."""
    body = await request.json()
    async with request.app.state.database.connection() as connection:
        row = await connection.fetchrow("SELECT id::text, email FROM users WHERE email = $1", body["email"])
    return JSONResponse({"data": {"viewer": row and dict(row)}})


async def health(request: Request) -> JSONResponse:
    """Say that it runs."""
    return JSONResponse({})


app = Starlette(routes=[Route("/", person, methods=["POST"]), Route("/healthz", health)], lifespan=lifespan)

if __name__ == "__main__":
    serving.run(app, listen("127.0.0.1", settings.load().port))
