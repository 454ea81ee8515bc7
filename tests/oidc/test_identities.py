"""A linked identity is seen, taken away, and stays away whatever the provider says, until it is allowed again."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from rules.links import Purpose
from rules.service_keys import Right
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.databases import until_waiting
from tests.oidc.browser import browser_of, identities, problem, signed_in, viewer
from tests.oidc.operations import ALLOW_AGAIN, IDENTITIES, REMOVE, REMOVE_ONCE
from tests.operations import AUDIT, COMPLETE, REAUTHENTICATE, VIEWER
from tests.people import PASSWORD, World, email
from tests.service.operations import SERVICE_SIGN_IN, backend

NOBODYS = "https://nobody.example"


async def removed(client: Client, issuer: str) -> str:
    """Take it away; what came of it."""
    return str((await client.do(REMOVE, issuer=issuer))["__typename"])


async def test_whoever_takes_it_away_ends_what_it_began_and_is_signed_in_by_it_no_more(
    world: World, issuer: str
) -> None:
    browser, mia = await signed_in(world), await world.sign_in("mia")
    (linked,) = (await mia.ask(IDENTITIES))["viewer"]["identities"]
    assert (linked["issuer"], linked["title"], linked["removedAt"]) == (issuer, "Test", None)
    assert linked["linkedAt"]
    assert await removed(mia, issuer) == "IdentityRemoved"
    assert await viewer(browser) is None
    assert (await mia.ask(VIEWER))["viewer"]["email"] == email("mia")
    (gone,) = (await mia.ask(IDENTITIES))["viewer"]["identities"]
    assert (gone["issuer"], gone["title"], gone["linkedAt"]) == (issuer, "Test", None)
    assert gone["removedAt"]
    # Neither the same subject nor another one with the address is believed, however often it is said.
    for who in (email("mia"), f"{email('mia')}|somebody-else", email("mia")):
        assert problem(await browser_of(world).sign_in(who)) == "removed"
    assert await identities(world) == []
    (event,) = await world.events("IDENTITY_REMOVED")
    assert (event["subject_id"], event["actor_id"]) == (await world.user_id("mia"),) * 2
    assert await mia.refusal(REMOVE, issuer=issuer) == "NOT_FOUND"
    page = await world.client().http.get("/sign-in?problem=removed&provider=test")
    assert "Signing in by Test was removed from your sign-in here." in page.text


async def test_once_allowed_again_it_is_linked_as_at_first(world: World, issuer: str) -> None:
    await signed_in(world)
    mia = await world.sign_in("mia")
    assert await mia.refusal(ALLOW_AGAIN, issuer=issuer) == "NOT_FOUND"
    await removed(mia, issuer)
    assert await mia.do(ALLOW_AGAIN, issuer=issuer) == {"issuer": issuer}
    assert (await mia.ask(IDENTITIES))["viewer"]["identities"] == []
    assert await viewer(await signed_in(world)) == email("mia")
    kinds = [event["type"] for event in await world.events() if "IDENTITY" in event["type"]]
    assert kinds == ["IDENTITY_LINKED", "IDENTITY_REMOVED", "IDENTITY_ALLOWED", "IDENTITY_LINKED"]
    olive = await world.sign_in("olive")
    told = (await olive.ask(AUDIT, account=str(world.account_id), first=10))["account"]["auditLog"]["nodes"]
    assert [node["summary"] for node in told if "by Test" in node["summary"]] == [
        f"{email('mia')} can now sign in by Test.",
        f"{email('mia')} allowed {email('mia')} to sign in by Test again.",
        f"{email('mia')} removed signing in by Test from {email('mia')}.",
        f"{email('mia')} can now sign in by Test.",
    ]


async def test_taken_away_in_the_session_that_it_began_it_signs_out(world: World, issuer: str) -> None:
    browser = await signed_in(world)
    assert await removed(Client(browser.http), issuer) == "IdentityRemoved"
    assert await viewer(browser) is None
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_what_a_product_calls_by_that_name_is_none_of_it_and_goes_on(world: World, issuer: str) -> None:
    await signed_in(world)
    service, mia = await backend(world, Right.SIGN_IN), world.client()
    begun = await service.do(SERVICE_SIGN_IN, input={"email": email("mia"), "amr": ["oidc"]})
    mia.token = begun["sessionToken"]
    assert (await mia.do(REAUTHENTICATE, password=PASSWORD))["__typename"] == "Reauthenticated"
    assert await removed(mia, issuer) == "IdentityRemoved"
    assert (await mia.ask(VIEWER))["viewer"]["email"] == email("mia")


async def test_nobody_takes_away_their_only_way_in(world: World, issuer: str) -> None:
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    browser = await signed_in(world)
    mia = Client(browser.http)
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '1 hour'")
    answer = await mia.do(REMOVE, issuer=issuer)
    assert (answer["__typename"], "Set a password first" in answer["message"]) == ("NotPermitted", True)
    assert (await identities(world), await world.events("IDENTITY_REMOVED")) == ([email("mia")], [])
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=PASSWORD))["__typename"] == "PasswordSet"
    assert await removed(await world.sign_in("mia"), issuer) == "IdentityRemoved"


async def test_whose_it_is_signs_in_by_it_as_themselves_once_the_other_has_taken_it_away(
    world: World, issuer: str
) -> None:
    link = "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, $2, $3)"
    await world.database.execute(link, issuer, email("adam"), await world.user_id("mia"))
    browser = browser_of(world)
    await browser.sign_in(email("adam"))
    assert await viewer(browser) == email("mia")
    await removed(await world.sign_in("mia"), issuer)
    await (again := browser_of(world)).sign_in(email("adam"))
    assert await viewer(again) == email("adam")


async def test_a_sign_in_that_is_under_way_as_it_is_taken_away_comes_to_nothing(
    world: World, issuer: str, database_url: str
) -> None:
    await signed_in(world)
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE", email("mia"))
        coming = asyncio.create_task(browser.back(url))
        await until_waiting(world.database)
        await other.execute("DELETE FROM identities")
    assert problem(await coming) == "removed"
    await other.close()


async def test_a_first_sign_in_that_is_under_way_as_another_is_taken_away_links_nobody(
    world: World, issuer: str, database_url: str
) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE", email("mia"))
        coming = asyncio.create_task(browser.back(url))
        await until_waiting(world.database)
        refuse = "INSERT INTO refused_identities (user_id, issuer) VALUES ($1, $2)"
        await other.execute(refuse, await world.user_id("mia"), issuer)
    assert (problem(await coming), await identities(world)) == ("removed", [])
    await other.close()


async def test_no_statement_links_what_was_taken_away(world: World, issuer: str) -> None:
    """A version of before, which runs beside this one or after it again, links nobody either."""
    await signed_in(world)
    await removed(await world.sign_in("mia"), issuer)
    await world.database.execute(
        "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, 'x', $2)", issuer, await world.user_id("mia")
    )
    assert await identities(world) == []


async def test_a_challenge_that_it_opened_is_over(world: World, issuer: str) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    answer = await browser_of(world).sign_in(email("mia"))
    token = urlsplit(answer.headers["location"]).fragment.removeprefix("challenge=")
    assert await removed(mia, issuer) == "IdentityRemoved"
    done = await world.client().do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert done["__typename"] == "ChallengeExpired"


@pytest.mark.parametrize("mutation", [REMOVE, ALLOW_AGAIN])
async def test_what_is_not_there_or_anothers_is_not_found(world: World, issuer: str, mutation: str) -> None:
    await signed_in(world)
    await removed(await world.sign_in("mia"), issuer)
    adam = await world.sign_in("adam")
    for asked in (issuer, NOBODYS, ""):
        assert await adam.refusal(mutation, issuer=asked) == "NOT_FOUND"
    assert await world.client().refusal(mutation, issuer=issuer) == "UNAUTHENTICATED"
    assert len(await world.events("IDENTITY_REMOVED")) == 1


async def test_of_many_at_once_one_takes_it_away(world: World, issuer: str) -> None:
    await signed_in(world)
    mia = await world.sign_in("mia")
    await asyncio.gather(*(mia.raw(REMOVE, issuer=issuer) for _ in range(5)))
    assert len(await world.events("IDENTITY_REMOVED")) == 1


async def test_asked_again_under_its_key_it_answers_as_before(world: World, issuer: str) -> None:
    await signed_in(world)
    mia, key = await world.sign_in("mia"), str(uuid4())
    for _ in range(2):
        answer = await mia.do(REMOVE_ONCE, issuer=issuer, key=key)
        assert answer == {"__typename": "IdentityRemoved", "issuer": issuer}
    assert len(await world.events("IDENTITY_REMOVED")) == 1


async def test_of_it_linked_removed_and_allowed_over_and_over_five_an_hour_are_mailed(
    world: World, issuer: str
) -> None:
    mia = await world.sign_in("mia")
    for _ in range(6):
        await signed_in(world)
        assert await removed(mia, issuer) == "IdentityRemoved"
        assert await mia.do(ALLOW_AGAIN, issuer=issuer) == {"issuer": issuer}
    for kind in ("IDENTITY_LINKED", "IDENTITY_REMOVED", "IDENTITY_ALLOWED"):
        assert [event["data"]["isMailed"] for event in await world.events(kind)] == [True] * 5 + [False]
