"""Bare JSON routes: what bench.api holds the API against. `python -m bench.bare` serves them, `… two` by two processes.

Each sends the very statements that the API sends for the like request, and answers with the same JSON, written by hand
from the rows: no schema, no guard, no bound.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import ceil
from signal import SIGTERM
from socket import socket
from typing import Any, cast
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import settings
from db import service_keys, staff, users
from db.pool import Connection, open_database
from rules import notice, tokens
from server.transport import serving
from server.transport.sockets import listen

DAY_S = 24 * 3600


class Overheard:
    """A statement of db/ and its values, with which it finds nothing."""

    query: str
    values: tuple[Any, ...]

    async def fetch(self, query: str, *values: Any, **_: object) -> list[asyncpg.Record]:
        """Keep it."""
        self.query, self.values = query, values
        return []

    async def fetchrow(self, query: str, *values: Any) -> None:
        """The same."""
        await self.fetch(query, *values)


async def overhear(call: Callable[[Connection], Awaitable[object]]) -> Overheard:
    """What a function of db/ sends."""
    overheard = Overheard()
    await call(cast("Connection", overheard))
    return overheard


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Hold the pool, and the statements."""
    configured, nobody = settings.load(), UUID(int=0)
    app.state.database = await open_database(configured.database_url)
    limits = configured.time_limits
    app.state.person = await overhear(lambda c: users.person_of_session(c, b"", limits))
    app.state.key = await overhear(lambda c: service_keys.find(c, b""))
    app.state.page = await overhear(lambda c: staff.page(c, nobody, staff.Filter(), None, 501))
    yield
    await app.state.database.close()


async def person_of(connection: Connection, request: Request, token: str) -> list[asyncpg.Record]:
    """The rows of whoever has the session."""
    statement = request.app.state.person
    return await connection.fetch(statement.query, tokens.digest(tokens.SESSION_PREFIX, token), *statement.values[1:])


def bearer(request: Request) -> str:
    """The token."""
    return request.headers["authorization"].partition(" ")[2]


def asked_of(rows: list[asyncpg.Record]) -> dict[str, Any] | None:
    """The notice of somebody in one account, which asks for MFA."""
    now, deadline = rows[0]["now"], rows[0]["mfa_deadline"]
    if deadline is None or rows[0]["mfa_enabled_at"] is not None:
        return None
    days = ceil((deadline - now).total_seconds() / DAY_S)
    return {
        "title": notice.TITLE,
        "message": f"{notice.LEAD} You have {days} days to set it up.",
        "deadline": written(deadline),
        "daysRemaining": days,
        "blocking": days == 0,
    }


def written(instant: datetime) -> str:
    """An instant as the API writes it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def viewer(request: Request) -> JSONResponse:
    """The person, their MFA and what is asked of them."""
    await request.json()
    async with request.app.state.database.connection() as connection:
        rows = await person_of(connection, request, bearer(request))
    first = rows[0]
    mfa = {"enabled": first["mfa_enabled_at"] is not None, "backupCodesRemaining": first["backup_codes_remaining"]}
    person = {"id": str(first["id"]), "email": first["email"], "mfa": mfa, "mfaNotice": asked_of(rows)}
    return JSONResponse({"data": {"viewer": person}})


async def session(request: Request) -> JSONResponse:
    """The same of another's session, for a service."""
    body, key = await request.json(), request.app.state.key
    async with request.app.state.database.connection() as connection:
        key_hash = tokens.digest(tokens.SERVICE_PREFIX, bearer(request))
        await connection.fetchrow(key.query, key_hash, *key.values[1:])
        rows = await person_of(connection, request, body["variables"]["token"])
    asked = asked_of(rows)
    found = {
        "userId": str(rows[0]["id"]),
        "amr": rows[0]["amr"],
        "authTime": written(rows[0]["password_at"]),
        "blocked": asked is not None and asked["blocking"],
        "mfaNotice": asked and {"message": asked["message"]},
    }
    return JSONResponse({"data": {"session": found}})


async def roster(request: Request) -> JSONResponse:
    """A page of 500."""
    body, page = await request.json(), request.app.state.page
    async with request.app.state.database.connection() as connection:
        (own,) = await person_of(connection, request, bearer(request))
        rows = await connection.fetch(page.query, UUID(body["variables"]["account"]), *page.values[1:])
    nodes = [
        {
            "id": str(row["id"]),
            "email": row["email"],
            "role": row["role"],
            "mfaEnabled": row["mfa_enabled_at"] is not None,
            "mfaState": row["mfa_state"],
            "canResetMfa": row["mfa_enabled_at"] is not None
            and row["user_id"] != own["id"]
            and own["mfa_enabled_at"] is not None
            and (row["role"] != "OWNER" or own["role"] == "OWNER")
            and not row["elsewhere"],
        }
        for row in rows[:500]
    ]
    return JSONResponse({"data": {"account": {"staff": {"nodes": nodes}}}})


async def health(request: Request) -> JSONResponse:
    """Say that it runs."""
    return JSONResponse({})


app = Starlette(
    routes=[
        *(Route(f"/{route.__name__}", route, methods=["POST"]) for route in (viewer, session, roster)),
        Route("/healthz", health),
    ],
    lifespan=lifespan,
)


def serve(listener: socket, *, by_two: bool) -> None:
    """Serve until SIGTERM."""
    other = os.fork() if by_two else None
    serving.run(app, listener)
    if other:
        os.kill(other, SIGTERM)
        os.waitpid(other, 0)


if __name__ == "__main__":
    serve(listen("127.0.0.1", settings.load().port), by_two="two" in sys.argv)
