"""Whoever is invited comes by a provider that has verified the address, as by the link of a first password."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from rules.links import Purpose
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import INVITE, SET
from tests.databases import until_waiting
from tests.oidc.browser import Browser, browser_of, problem, viewer
from tests.operations import ROLES
from tests.people import World, email, require_mfa

NEW = "new@agency.example"


async def invited(world: World, address: str = NEW) -> None:
    """Let Olive invite them."""
    olive = await world.sign_in("olive")
    answer = await olive.do(INVITE, account=str(world.account_id), email=address, role="ADMIN")
    assert answer["__typename"] == "StaffInvited"


async def memberships(browser: Browser) -> list[tuple[str, str]]:
    """What whoever is signed in there is in which account."""
    found = (await Client(browser.http).ask(ROLES))["viewer"]["memberships"]
    return [(each["role"], each["account"]["name"]) for each in found]


async def test_an_invited_person_comes_by_a_provider_and_the_invitation_is_over(world: World) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=7)
    await invited(world)
    token = await link_to(world, NEW, Purpose.INVITATION)
    browser = browser_of(world)
    assert (await browser.sign_in(NEW)).headers["location"] == "/account/security"
    assert await memberships(browser) == [("ADMIN", "Agency")]
    (added,) = await world.events("STAFF_ADDED")
    whose = await world.user_id("new")
    assert (added["subject_id"], added["actor_id"], added["account_id"]) == (whose, whose, world.account_id)
    assert added["data"]["role"] == "ADMIN"
    kinds = [event["type"] for event in await world.events() if event["subject_id"] == whose]
    assert kinds == ["STAFF_INVITED", "IDENTITY_LINKED", "STAFF_ADDED", "MFA_REQUIRED", "SIGN_IN_SUCCEEDED"]
    late = await world.client().do(SET, token=token, password="a password of nobody's 1")
    assert late["__typename"] == "LinkExpired"
    # Whoever is known by then joins nothing again.
    await browser_of(world).sign_in(NEW)
    assert len(await world.events("STAFF_ADDED")) == 1


async def test_whoever_was_there_before_and_is_invited_again_comes_by_the_identity_that_they_have(world: World) -> None:
    await invited(world)
    await browser_of(world).sign_in(NEW)
    await world.database.execute("DELETE FROM staff WHERE email = $1", NEW)
    await invited(world)
    browser = browser_of(world)
    await browser.sign_in(NEW)
    assert await memberships(browser) == [("ADMIN", "Agency")]


@pytest.mark.parametrize("case", ["has a password", "is staff elsewhere", "invited too long ago", "revoked", "moved"])
async def test_a_provider_accepts_no_other_invitation(world: World, case: str) -> None:
    address = email("sam") if case in {"has a password", "is staff elsewhere"} else NEW
    if case == "moved":
        await world.database.execute(
            "WITH new AS (INSERT INTO users (email) VALUES ($2) RETURNING id) "
            "INSERT INTO portal_users (account_id, user_id) SELECT $1, id FROM new",
            world.account_id,
            NEW,
        )
        await browser_of(world).sign_in(NEW)
        # What the provider has verified is an address that is theirs here no more.
        await world.database.execute("UPDATE users SET email = 'moved@agency.example' WHERE email = $1", NEW)
        await invited(world, "moved@agency.example")
    else:
        await invited(world, address)
    change = {
        "is staff elsewhere": "UPDATE users SET password_hash = NULL WHERE email LIKE 'sam@%'",
        "has a password": "DELETE FROM staff WHERE email LIKE 'sam@%' AND invited_at IS NULL",
        "invited too long ago": "UPDATE staff SET invited_at = invited_at - interval '7 days' WHERE email LIKE 'new@%'",
        "revoked": "DELETE FROM staff WHERE email LIKE 'new@%'",
    }
    await world.database.execute(change.get(case, "SELECT"))
    browser = browser_of(world)
    answer = await browser.sign_in(address)
    if case in {"invited too long ago", "revoked"}:  # who belong nowhere by then
        assert problem(answer) == "refused"
    else:
        assert await memberships(browser) == ([("OWNER", "Other")] if case == "is staff elsewhere" else [])
    assert await world.events("STAFF_ADDED") == []


async def test_no_word_that_is_not_believed_accepts_one(world: World) -> None:
    await invited(world)
    assert problem(await browser_of(world).sign_in(f"new.{NEW}")) == "unverified"
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ('agency.example', $1, 'own')"
    await world.database.execute(bind, world.account_id)
    assert problem(await browser_of(world).sign_in(NEW)) == "refused"
    assert await world.database.fetchval("SELECT count(*) FROM staff WHERE email = $1 AND invited_at IS NULL", NEW) == 0
    assert await world.events("STAFF_ADDED") == []


async def test_an_invitation_that_is_taken_back_amid_it_lets_nobody_join(world: World, database_url: str) -> None:
    await invited(world)
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), NEW)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE", NEW)
        coming = asyncio.create_task(browser.back(url))
        await until_waiting(world.database)
        await other.execute("DELETE FROM staff WHERE email = $1", NEW)
    assert problem(await coming) == "refused"
    assert await world.events("STAFF_ADDED") == []
    await other.close()


async def test_the_account_is_kept_as_it_is_before_the_person_is_locked(world: World, database_url: str) -> None:
    await invited(world)
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), NEW)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        # As whoever saves the policy holds it, who may lock the account's people next.
        await other.execute("SELECT FROM accounts WHERE id = $1 FOR NO KEY UPDATE", world.account_id)
        coming = asyncio.create_task(browser.back(url))
        await until_waiting(world.database, "FROM accounts")
        await other.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE NOWAIT", NEW)
    await coming
    assert await viewer(browser) == NEW
    assert len(await world.events("STAFF_ADDED")) == 1
    await other.close()


async def test_of_many_tabs_that_come_at_once_one_joins(world: World) -> None:
    await invited(world)
    browser = browser_of(world)
    urls = [await browser.authorize(await browser.begin(), NEW) for _ in range(4)]
    answers = await asyncio.gather(*(browser.back(url) for url in urls))
    assert [answer.headers["location"] for answer in answers] == ["/account/security"] * 4
    assert len(await world.events("STAFF_ADDED")) == 1
