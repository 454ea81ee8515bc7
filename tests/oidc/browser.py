"""A browser that signs in at a provider: it follows what it is sent to, and keeps the cookies of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.client import Client, http_client
from tests.operations import VIEWER_EMAIL
from tests.people import World, email

REDIRECT_URI = "http://localhost:8000/sign-in/with/test/callback"
PARTS = ("issuer", "client_id", "client_secret")


@dataclass
class Browser:
    """One browser; `at_provider` is its side there."""

    world: World
    http: httpx.AsyncClient
    at_provider: httpx.AsyncClient

    async def begin(
        self, provider: str = "test", wanted: str = "/account/security", how: dict[str, str] | None = None
    ) -> str:
        """Choose the provider on the page; where that leads."""
        answer = await self.http.get(f"/sign-in/with/{provider}", params={"next": wanted, **(how or {})})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def authorize(self, url: str, who: str) -> str:
        """Be `who` there; the address that the provider sends back to."""
        url = f"{url}&login_hint={who}"
        while not url.startswith(REDIRECT_URI):
            answer = await self.at_provider.get(url)
            assert answer.is_redirect, answer.text
            url = str(answer.url.join(answer.headers["location"]))
        return url

    async def back(self, url: str) -> httpx.Response:
        """Come back; what is answered."""
        parts = urlsplit(url)
        return await self.http.get(f"{parts.path}?{parts.query}")

    async def sign_in(self, who: str, *, spoil: str = "", how: dict[str, str] | None = None) -> httpx.Response:
        """All of it; `spoil` names a wrong answer for the provider to give."""
        url = await self.authorize(await self.begin(how=how), who)
        if spoil:
            await spoiled(url, spoil)
        return await self.back(url)


async def spoiled(url: str, how: str) -> None:
    """Let the provider that the answer came from give this wrong answer next."""
    issuer = parse_qs(urlsplit(url).query)["iss"][0]
    async with http_client() as http:
        await http.get(f"{issuer}/spoil", params={"how": how})


def browser_of(world: World) -> Browser:
    """A new browser."""
    return Browser(world, world.client().http, world.client().http)


def problem(answer: httpx.Response) -> str:
    """What the page is told went wrong; nothing but the page may come of it."""
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert parts.path == "/sign-in"
    assert not any(cookie.startswith("gatehouse=") for cookie in answer.headers.get_list("set-cookie"))
    return parse_qs(parts.query)["problem"][0]


async def viewer(browser: Browser) -> str | None:
    """Who is signed in there."""
    found = (await Client(browser.http).raw(VIEWER_EMAIL)).get("data") or {}
    return found["viewer"]["email"] if found.get("viewer") else None


async def identities(world: World) -> list[str]:
    """The subjects that are somebody's here."""
    return [row["subject"] for row in await world.database.fetch("SELECT subject FROM identities ORDER BY subject")]


async def signed_in(world: World) -> Browser:
    """Mia's browser, come back from the provider."""
    browser = browser_of(world)
    await browser.sign_in(email("mia"))
    return browser
