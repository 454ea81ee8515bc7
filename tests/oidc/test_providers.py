"""Signing in at an OpenID provider: a certified one, and what it would never answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest

from oidc import provider as oidc_provider
from rules.failures import RateLimited
from rules.oidc import RANDOM_BYTES, ProviderConfig, SignInProblem, begin
from tests.client import CAPACITY, Client, serving, settings_for
from tests.commands import command
from tests.oidc.browser import Browser, browser_of, problem, spoiled
from tests.operations import COMPLETE
from tests.people import World, email
from tests.scim.directory import directory
from tests.waiting import soon, until

VIEWER = "{ viewer { email } }"
SPOILT = [
    "nonce",
    "no-nonce",
    "alg-none",
    "hmac",
    "issuer",
    "audience",
    "audiences",
    "expired",
    "future",
    "signature",
    "no-subject",
    "long-subject",
    "nul-subject",
    "half-subject",
    "nul-email",
    "half-email",
    "long-email",
    "mfa-as-text",
    "huge",
]


async def viewer(browser: Browser) -> str | None:
    """Who is signed in there."""
    found = (await Client(browser.http).raw(VIEWER)).get("data") or {}
    return found["viewer"]["email"] if found.get("viewer") else None


async def identities(world: World) -> list[str]:
    """The subjects that are somebody's here."""
    return [row["subject"] for row in await world.database.fetch("SELECT subject FROM identities ORDER BY subject")]


async def test_a_person_comes_in_is_linked_once_and_told(world: World) -> None:
    browser = browser_of(world)
    begun = await browser.begin(wanted="/settings/security?account=1")
    asked = parse_qs(urlsplit(begun).query)
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    answer = await browser.back(await browser.authorize(begun, email("mia")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/security?account=1")
    assert await viewer(browser) == email("mia")
    again = browser_of(world)
    # It is by the subject that they are known now, whatever their address here.
    await world.database.execute("UPDATE users SET email = 'mia@new.example' WHERE email = $1", email("mia"))
    await again.sign_in(email("mia"))
    assert await viewer(again) == "mia@new.example"
    events = [(event["type"], event["data"].get("provider")) for event in await world.events()]
    assert events == [("IDENTITY_LINKED", "Test"), ("SIGN_IN_SUCCEEDED", None), ("SIGN_IN_SUCCEEDED", None)]
    assert [row["amr"] for row in await world.database.fetch("SELECT amr FROM sessions")] == [["oidc"], ["oidc"]]


async def test_the_second_factor_is_asked_for_whatever_the_provider_says_of_one(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    browser = browser_of(world)
    answer = await browser.sign_in(email("mia"), spoil="mfa-said")
    token = urlsplit(answer.headers["location"]).fragment.removeprefix("challenge=")
    assert token.startswith("gh_c_")
    assert await viewer(browser) is None
    done = await Client(browser.http).do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert done["__typename"] == "SignedIn"
    assert await viewer(browser) == email("mia")
    amr = await world.database.fetchval("SELECT amr FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert amr == ["oidc", "otp", "mfa"]


async def test_no_wrong_answer_signs_anybody_in(world: World) -> None:
    for how in SPOILT:
        browser = browser_of(world)
        assert problem(await browser.sign_in(email("mia"), spoil=how)) == "failed", how
        assert await viewer(browser) is None
    assert await identities(world) == []
    assert await world.events() == []


async def test_of_many_that_come_with_one_answer_at_once_one_is_signed_in_at_most(world: World) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    cookies = dict(browser.http.cookies)
    copies = [browser_of(world) for _ in range(10)]
    for copy in copies:
        copy.http.cookies.update(cookies)
    answers = await asyncio.gather(*(copy.back(url) for copy in copies))
    signed_in = [answer for answer in answers if answer.headers["location"] == "/account/security"]
    # The provider takes a code that comes twice for stolen, and back what it has given for it.
    assert len(signed_in) == len(await world.events("SIGN_IN_SUCCEEDED")) <= 1


async def test_an_answer_is_good_once_and_in_its_own_browser(world: World) -> None:
    browser, other = browser_of(world), browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    await other.begin()
    assert problem(await other.back(url)) == "failed"
    assert problem(await browser_of(world).back(url)) == "failed"
    cookie = browser.http.cookies["gatehouse-provider"]
    assert (await browser.back(url)).headers["location"] == "/account/security"
    assert "gatehouse-provider" not in browser.http.cookies
    browser.http.cookies.clear()
    browser.http.cookies.set("gatehouse-provider", cookie)
    # The same code with the same cookie, as somebody has it who read both on the way.
    assert problem(await browser.back(url)) == "failed"
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("iss=http", "iss=https"),
        lambda url: url.partition("&iss=")[0],
        lambda url: url.replace("/with/test/", "/with/other/"),
        lambda url: url.replace("state=", "state=x"),
        lambda url: f"{url}&state=x",
        lambda url: url.replace("code=", "code=x"),
        lambda url: url.replace("code=", "error=access_denied&c="),
        lambda url: url.replace("code=", "code=%00"),
        lambda url: url.replace("code=", "code=" + "x" * 5000),
    ],
    ids=["issuer", "no issuer", "provider", "state", "two states", "code", "error", "nul", "long"],
)
async def test_an_answer_that_was_changed_on_the_way_is_worth_nothing(world: World, change: object) -> None:
    assert callable(change)
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    assert problem(await browser.back(change(url))) == "failed"
    assert await viewer(browser) is None


async def test_a_provider_that_calls_itself_otherwise_is_not_asked(world: World) -> None:
    answer = await browser_of(world).http.get("/sign-in/with/other")
    assert problem(answer) == "failed"
    assert (await browser_of(world).http.get("/sign-in/with/nobody")).status_code == 404


async def test_keys_may_change_amid_it(world: World) -> None:
    browser = browser_of(world)
    await browser_of(world).sign_in(email("olive"))
    url = await browser.authorize(await browser.begin(), email("mia"))
    await spoiled(url, "rotated")
    await browser.back(url)
    assert await viewer(browser) == email("mia")
    await (after := browser_of(world)).sign_in(email("adam"))
    assert await viewer(after) == email("adam")


async def test_only_a_verified_address_of_somebody_here_is_linked_and_to_one_subject(world: World) -> None:
    assert problem(await browser_of(world).sign_in(f"new.{email('mia')}")) == "unverified"
    assert problem(await browser_of(world).sign_in("stranger@agency.example")) == "unknown"
    await browser_of(world).sign_in(email("mia"))
    assert problem(await browser_of(world).sign_in(f"{email('mia')}|somebody-else")) == "taken"
    assert await identities(world) == [email("mia")]
    page = await world.client().http.get("/sign-in?problem=taken&provider=test")
    assert "Somebody else has signed in here with this email address at Test." in page.text
    german = await world.client().http.get("/sign-in?problem=taken&provider=test", headers={"accept-language": "de"})
    assert "Jemand anderes hat sich hier mit dieser E-Mail-Adresse bei Test angemeldet." in german.text
    assert "Continue with Test" in page.text
    assert "<script>" not in (await world.client().http.get("/sign-in?problem=<script>&provider=<script>")).text


async def test_an_address_that_becomes_anothers_amid_it_links_nobody(world: World, database_url: str) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("UPDATE users SET email = 'mia@new.example' WHERE email = $1", email("mia"))
        coming = asyncio.create_task(browser.back(url))

        async def waits() -> object:
            return await world.database.fetchval(
                "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )

        await until(waits, "somebody waits for her lock")
    assert (problem(await coming), await identities(world)) == ("unknown", [])
    await other.close()


async def test_whom_a_directory_has_made_inactive_stays_out(world: World) -> None:
    okta = await directory(world)
    await browser_of(world).sign_in(email("mia"))
    await okta.patch(str(await world.user_id("mia")), {"op": "replace", "path": "active", "value": False})
    for name in ("mia", "adam"):
        browser = browser_of(world)
        answer = await browser.sign_in(email(name))
        assert (await viewer(browser) is None) == (name == "mia")
        assert (name == "mia") == ("problem=refused" in answer.headers["location"])


async def test_a_bound_domain_takes_the_word_of_its_provider_alone(world: World, database_url: str) -> None:
    def domains(*arguments: str) -> str:
        whose = ("--account", str(world.account_id))
        settings = {f"oidc_{name}_{part}": "https://x.example" for name in ("own", "test") for part in PARTS}
        done = command("domains", *arguments, *whose, database_url=database_url, **settings)
        return done.stdout + done.stderr

    assert "alone" in await asyncio.to_thread(domains, "bind", "--domain", "Agency.example", "--provider", "own")
    assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
    assert await asyncio.to_thread(domains, "list") == "agency.example\town\n"
    assert "no provider" in await asyncio.to_thread(domains, "bind", "--domain", "a.example", "--provider", "none")
    await asyncio.to_thread(domains, "release", "--domain", "agency.example")
    await asyncio.to_thread(domains, "bind", "--domain", "only.example", "--provider", "test")
    # A provider with a domain of its own is believed nothing of others.
    assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
    kinds = [event["type"] for event in await world.events()]
    assert kinds == ["DOMAIN_BOUND", "DOMAIN_RELEASED", "DOMAIN_BOUND"]


@pytest.mark.parametrize(("domain", "provider"), [("agency.example", "own"), ("only.example", "test")])
async def test_whoever_a_provider_has_linked_before_comes_in_by_it_no_more(
    world: World, domain: str, provider: str
) -> None:
    assert await viewer(await signed_in(world)) == email("mia")
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ($1, $2, $3)"
    await world.database.execute(bind, domain, world.other_account_id, provider)
    assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
    await world.database.execute("DELETE FROM account_domains")
    assert await viewer(await signed_in(world)) == email("mia")


async def signed_in(world: World) -> Browser:
    """Mia's browser, come back from the provider."""
    browser = browser_of(world)
    await browser.sign_in(email("mia"))
    return browser


PARTS = ("issuer", "client_id", "client_secret")


async def test_a_provider_that_hangs_is_not_taken_up_by_one_address() -> None:
    released = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    provider = oidc_provider.Provider(ProviderConfig("bad", issuer, "x", "y"), "http://localhost/callback", 0.3)
    pending = begin("bad", "/", datetime.now(UTC), bytes(RANDOM_BYTES))
    asked = ["198.51.100.1"] * 15 + ["198.51.100.2"] * 3
    outcomes = await asyncio.gather(
        *(provider.authorization_url(pending, who) for who in asked), return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [SignInProblem] * 10 + [RateLimited] * 5 + [SignInProblem] * 3
    (later,) = await asyncio.gather(provider.authorization_url(pending, asked[0]), return_exceptions=True)
    assert isinstance(later, SignInProblem)  # what was given up counts no more
    await provider.close()
    released.set()
    server.close()


async def test_ten_addresses_together_keep_nobody_from_a_provider_that_hangs() -> None:
    released = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    provider = oidc_provider.Provider(ProviderConfig("bad", issuer, "x", "y"), "http://localhost/callback")
    pending = begin("bad", "/", datetime.now(UTC), bytes(RANDOM_BYTES))

    def ask(who: str) -> asyncio.Task[str]:
        return asyncio.create_task(provider.authorization_url(pending, who))

    held = [ask(f"203.0.113.{n}") for n in range(10) for _ in range(10)]
    others = [ask(f"198.51.100.{n}") for n in range(5)]
    # Each newcomer has the place of the oldest of whoever held most, and nobody else loses one.
    displaced = held[:50:10]
    given_up = await soon(asyncio.gather(*displaced, return_exceptions=True))
    assert [type(each) for each in given_up] == [SignInProblem] * 5
    assert not any(task.done() for task in [*held, *others] if task not in displaced)
    for task in [*held, *others]:
        task.cancel()
    await asyncio.gather(*held, *others, return_exceptions=True)
    # Where all hold as little, the newcomer is the one to wait.
    held = [ask(f"203.0.113.{n}") for n in range(100)]
    (refused,) = await soon(asyncio.gather(ask("198.51.100.1"), return_exceptions=True))
    assert isinstance(refused, RateLimited)
    assert not any(task.done() for task in held)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    await provider.close()
    released.set()
    server.close()


@pytest.mark.parametrize("how", ["hangs", "drips", "floods", "lies"])
async def test_a_provider_that_is_no_good_holds_nobody_up(
    database_url: str,
    database: asyncpg.Connection[asyncpg.Record],
    how: str,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        body = {"floods": b" " * 1_000_000, "lies": b"[1]", "drips": b" "}.get(how, b"")
        writer.write(head % (3 if how == "lies" else 1_000_000) + body)
        with suppress(ConnectionError):
            if how in {"hangs", "drips"}:
                await reader.read()  # until it is given up
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    known = (ProviderConfig("bad", issuer, "x", "y"),)
    capacity = replace(CAPACITY, exchange_s=0.3) if how in {"hangs", "drips"} else CAPACITY
    async with serving(settings_for(database_url, oidc=known), capacity) as base_url:
        world = World(base_url, database, UUID(int=1), UUID(int=2), [])
        browser = browser_of(world)
        begun, alive = await asyncio.gather(browser.http.get("/sign-in/with/bad"), browser.http.get("/livez"))
        assert problem(begun) == "failed"
        assert alive.status_code == 200
        for client in world.clients:
            await client.aclose()
    server.close()
