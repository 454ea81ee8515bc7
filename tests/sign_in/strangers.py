"""Strangers as a proxy tells them: each a client at an address of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

from rules.throttling import MOST_CHALLENGES
from server.app import Capacity
from tests.client import CAPACITY, Client, serving, settings_for
from tests.operations import SIGN_IN
from tests.people import PASSWORD, World, email


@asynccontextmanager
async def proxied_server(world: World, database_url: str, capacity: Capacity = CAPACITY) -> AsyncIterator[None]:
    """A server behind the proxy, which may have less room than others."""
    settings = settings_for(database_url, trusted_proxies=(ip_network("127.0.0.1"),))
    async with serving(settings, capacity) as base_url:
        world.base_url = base_url
        yield


def at(world: World, address: str) -> Client:
    """A new client at this address."""
    return world.client(**{"x-forwarded-for": address})


async def guess(client: Client, name: str = "mia", password: str = "wrong") -> str:
    """One try at signing in; what came of it."""
    answer = await client.do(SIGN_IN, email=email(name), password=password)
    return str(answer["__typename"])


async def what_came_of(client: Client, address: str, password: str = "wrong") -> str:
    """One try at signing in, which may be refused for what else is under way."""
    body = await client.raw(SIGN_IN, email=address, password=password)
    errors: list[dict[str, Any]] = body.get("errors") or []
    return str(errors[0]["extensions"]["code"] if errors else body["data"]["signIn"]["__typename"])


async def challenged(client: Client) -> str:
    """The token of the challenge that Mia's password gets there."""
    answer = await client.do(SIGN_IN, email=email("mia"), password=PASSWORD)
    assert answer["__typename"] == "MfaChallenge", answer
    return str(answer["challengeToken"])


async def flood(world: World, client: Client | None = None) -> None:
    """Open more challenges of Mia than stand at once: from anywhere, or on this device."""
    for _ in range(MOST_CHALLENGES + 1):
        await challenged(client or world.client())
