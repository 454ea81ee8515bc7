"""Whom a provider's answer signs in: who is linked, and by which provider."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.commands import command
from tests.databases import until_waiting
from tests.oidc.browser import PARTS, browser_of, identities, problem, signed_in, viewer
from tests.people import World, email
from tests.scim.directory import directory


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
        await until_waiting(world.database)
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
    if provider == "test":
        assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
        await world.database.execute("DELETE FROM confined_providers")
    assert await viewer(await signed_in(world)) == email("mia")


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE account_domains SET provider = 'own'",
        "DELETE FROM account_domains",
    ],
)
async def test_a_provider_that_was_bound_once_vouches_for_nobody_else_whatever_becomes_of_its_domain(
    world: World, ending: str
) -> None:
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ('only.example', $1, 'test')"
    await world.database.execute(bind, world.other_account_id)
    await world.database.execute(ending)
    assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
    assert await identities(world) == []


async def test_an_operator_trusts_a_provider_again_that_has_no_domain(world: World, database_url: str) -> None:
    def trust(provider: str = "test") -> str:
        settings = {f"oidc_test_{part}": "https://x.example" for part in PARTS}
        done = command("domains", "trust", "--provider", provider, database_url=database_url, **settings)
        return done.stdout + done.stderr

    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ('only.example', $1, 'test')"
    assert "not confined" in await asyncio.to_thread(trust)
    await world.database.execute(bind, world.account_id)
    assert "release its domains first" in await asyncio.to_thread(trust)
    assert problem(await browser_of(world).sign_in(email("mia"))) == "refused"
    await world.database.execute("DELETE FROM account_domains")
    assert "no provider" in await asyncio.to_thread(trust, "none")
    assert "all domains" in await asyncio.to_thread(trust)
    assert await viewer(await signed_in(world)) == email("mia")
