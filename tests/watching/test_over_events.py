"""Watching over server-sent events: a stream has its place until it ends, and ends when it may go on no more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from server.transport.admission import Room
from tests.client import CAPACITY, Client, serving, settings_for
from tests.coming_in.operations import CHANGE
from tests.operations import SIGN_OUT, WATCH_VIEWER
from tests.people import PASSWORD, World
from tests.waiting import soon, until

End = Callable[[Client, Client], Awaitable[object]]
NEXT, COMPLETE = "event: next", "event: complete"


async def sign_out(watching: Client, other: Client) -> None:
    """In the session that watches."""
    await watching.do(SIGN_OUT)


async def change_password(watching: Client, other: Client) -> None:
    """In another session, which ends the one that watches."""
    done = await other.do(CHANGE, current=PASSWORD, new="a wholly other phrase")
    assert done["__typename"] == "PasswordChanged", done


@asynccontextmanager
async def stream(client: Client) -> AsyncIterator[httpx.Response]:
    """Ask for a stream of what changes of the viewer."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {client.token}"}
    async with client.http.stream("POST", "/graphql", json={"query": WATCH_VIEWER}, headers=headers) as answer:
        yield answer


async def status_of(client: Client) -> int:
    """What asking for a stream is answered; it is left then."""
    async with stream(client) as answer:
        return answer.status_code


async def first_of(lines: AsyncIterator[str], wanted: str) -> str:
    """The data of the next event of this kind."""
    while await soon(anext(lines)) != wanted:
        pass
    return await soon(anext(lines))


@pytest.mark.parametrize("end", [sign_out, change_password])
async def test_a_stream_ends_with_its_session_and_gives_its_place_back(
    cast: World, database_url: str, end: End
) -> None:
    capacity = replace(CAPACITY, room=Room(most_owed_s=0.0, sockets_of_person=1))
    async with serving(settings_for(database_url), capacity) as cast.base_url:
        watching, other = await cast.sign_in("mia"), await cast.sign_in("mia")
        async with stream(watching) as answer:
            lines = answer.aiter_lines()
            await first_of(lines, NEXT)
            assert await status_of(other) == 429
            await end(watching, other)
            refusal = json.loads((await first_of(lines, NEXT)).removeprefix("data: "))
            assert refusal["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            await first_of(lines, COMPLETE)
            assert [line async for line in lines if line] == []
            again = await cast.sign_in("mia") if end is sign_out else other

            async def is_given_back() -> bool:
                return await status_of(again) == 200

            await until(is_given_back, "the place is given back while the client stays")
        for client in cast.clients:
            await client.aclose()
