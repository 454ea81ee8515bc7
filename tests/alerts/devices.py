"""Sign-ins from devices: with cookies and without, and what is told of them."""

from __future__ import annotations

import secrets

from db import links
from db.pool import Database
from rules import tokens
from rules.links import NOT_MY_SIGN_IN, Purpose
from tests.alerts.hearing import settle
from tests.client import Client
from tests.operations import SIGN_IN, WITH_COOKIE
from tests.people import PASSWORD, World, email

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"


async def sign_in(world: World, user_agent: str, client: Client | None = None, name: str = "mia") -> Client:
    """Sign in by a program, which keeps cookies if it is the same client."""
    client = client or world.client()
    client.headers = {"user-agent": user_agent}
    client.token = (await client.do(SIGN_IN, email=email(name), password=PASSWORD))["sessionToken"]
    return client


async def told(world: World) -> int:
    """How many sign-ins from new devices there were."""
    return len(await world.events("NEW_DEVICE_SIGNED_IN"))


async def link_of(world: World, pool: Database) -> str:
    """The token of the newest email's link, made as the worker makes it."""
    await settle(world, pool)
    token = tokens.make(tokens.LINK_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.LINK_PREFIX, token)
    assert token_hash is not None
    delivery_id = await world.database.fetchval("SELECT max(id) FROM deliveries WHERE message = 'new_device_signed_in'")
    async with pool.connection() as connection:
        assert await links.mint(connection, delivery_id, Purpose.NOT_MY_SIGN_IN, token_hash, NOT_MY_SIGN_IN.lifetime)
    return token


async def by_browser(world: World, client: Client | None = None, name: str = "mia") -> Client:
    """Sign in on a page, in the browser that everybody in the office has; anew if no client is given."""
    client = client or world.client()
    client.headers = {"user-agent": FIREFOX.format(145)}
    await client.do(WITH_COOKIE, email=email(name), password=PASSWORD)
    return client
