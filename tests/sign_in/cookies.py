"""Who is signed in by a cookie, and who has got at a copy of it."""

from __future__ import annotations

from tests.client import Client
from tests.operations import WITH_COOKIE
from tests.people import PASSWORD, World, email


async def cookie_client(world: World, name: str) -> Client:
    """A client on which `name`, who has no factor, is signed in by cookie."""
    client = world.client()
    assert (await client.do(WITH_COOKIE, email=email(name), password=PASSWORD))["sessionToken"] is None
    return client


def copy(world: World, client: Client) -> Client:
    """Somebody who has got at a client's cookie."""
    thief = world.client()
    thief.http.cookies.update(client.http.cookies)
    return thief
