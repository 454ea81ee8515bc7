"""Whoever may reset a person takes their identity at a provider away, too, and so does the operator."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.commands import Command
from tests.oidc.browser import browser_of, identities, problem, signed_in, viewer
from tests.oidc.operations import ALLOW_OF_STAFF, REMOVE_OF_STAFF, STAFF_IDENTITIES
from tests.operations import AUDIT, VIEWER
from tests.people import World, email

REFUSED = pytest.mark.parametrize("mutation", [REMOVE_OF_STAFF, ALLOW_OF_STAFF])


async def of(world: World, name: str, issuer: str) -> dict[str, str]:
    """The variables that name a member's identity."""
    return {"account": str(world.account_id), "staff": str(await world.staff_id(name)), "issuer": issuer}


async def seen(client: Client, whose: dict[str, str]) -> list[dict[str, Any]]:
    """The member's identities as this client sees them."""
    asked = {name: value for name, value in whose.items() if name != "issuer"}
    return list((await client.ask(STAFF_IDENTITIES, **asked))["account"]["staffIdentities"])


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_an_owner_or_admin_takes_it_away_and_allows_it_again(world: World, issuer: str, name: str) -> None:
    browser, mia, manager = await signed_in(world), await world.sign_in("mia"), await world.enrolled(name)
    whose = await of(world, "mia", issuer)
    (linked,) = await seen(manager, whose)
    assert (linked["issuer"], linked["title"], linked["removedAt"]) == (issuer, "Test", None)
    assert await manager.do(REMOVE_OF_STAFF, **whose) == {"__typename": "IdentityRemoved", "issuer": issuer}
    assert await viewer(browser) is None
    assert (await mia.ask(VIEWER))["viewer"]["email"] == email("mia")
    assert problem(await browser_of(world).sign_in(email("mia"))) == "removed"
    assert [each["linkedAt"] for each in await seen(manager, whose)] == [None]
    assert await manager.refusal(REMOVE_OF_STAFF, **whose) == "NOT_FOUND"
    assert await manager.do(ALLOW_OF_STAFF, **whose) == {"__typename": "IdentityAllowed", "issuer": issuer}
    assert await manager.refusal(ALLOW_OF_STAFF, **whose) == "NOT_FOUND"
    assert await viewer(await signed_in(world)) == email("mia")
    told = (await manager.ask(AUDIT, account=str(world.account_id), first=20))["account"]["auditLog"]["nodes"]
    assert [node["summary"] for node in told if "by Test" in node["summary"] and "now" not in node["summary"]] == [
        f"{email(name)} allowed {email('mia')} to sign in by Test again.",
        f"{email(name)} removed signing in by Test from {email('mia')}.",
    ]


async def test_it_is_taken_from_whoever_has_no_password_too_who_sets_one_by_a_link(world: World, issuer: str) -> None:
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    browser, olive = await signed_in(world), await world.enrolled("olive")
    assert (await olive.do(REMOVE_OF_STAFF, **await of(world, "mia", issuer)))["__typename"] == "IdentityRemoved"
    assert await viewer(browser) is None


@REFUSED
async def test_who_may_not_reset_them_takes_nothing_away(world: World, issuer: str, mutation: str) -> None:
    for name in ("mia", "olive"):
        await browser_of(world).sign_in(email(name))
    before = await identities(world)
    adam = await world.sign_in("adam")
    answer = await adam.do(mutation, **await of(world, "mia", issuer))
    assert (answer["__typename"], "Set up MFA for your own sign-in first" in answer["message"]) == (
        "NotPermitted",
        True,
    )
    await world.enroll(adam)
    for name in ("olive", "adam"):
        assert (await adam.do(mutation, **await of(world, name, issuer)))["__typename"] == "NotPermitted"
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.other_account_id,
        await world.user_id("mia"),
        email("mia"),
    )
    assert (await adam.do(mutation, **await of(world, "mia", issuer)))["__typename"] == "NotPermitted"
    assert (await identities(world), await world.events("IDENTITY_REMOVED")) == (before, [])


@REFUSED
async def test_members_strangers_and_old_proofs_find_nothing(world: World, issuer: str, mutation: str) -> None:
    await signed_in(world)
    whose = await of(world, "mia", issuer)
    assert await world.client().refusal(mutation, **whose) == "UNAUTHENTICATED"
    for name in ("mia", "sam"):
        client = await world.sign_in(name)
        assert await client.refusal(mutation, **whose) == "NOT_FOUND"
        assert await client.refusal(STAFF_IDENTITIES, account=whose["account"], staff=whose["staff"]) == "NOT_FOUND"
    sue = await world.enrolled("sue")
    assert (await sue.do(mutation, **whose))["__typename"] == "NotPermitted"
    assert len(await seen(sue, whose)) == 1
    olive = await world.sign_in("olive")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '16 minutes'")
    assert await olive.refusal(mutation, **whose) == "REAUTHENTICATION_REQUIRED"
    assert await identities(world) == [email("mia")]


async def test_an_operator_lists_takes_away_and_allows(world: World, issuer: str, operate: Command) -> None:
    browser = await signed_in(world)

    async def run(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(operate, "identities", *arguments)
        return done.returncode, done.stdout + done.stderr

    whose = ("--email", email("mia"))
    code, listed = await run("list", *whose)
    assert (code, listed.split("\t")[:2]) == (0, [issuer, "linked"])
    assert "no longer signs in" in (await run("remove", *whose, "--issuer", issuer))[1]
    assert await viewer(browser) is None
    assert problem(await browser_of(world).sign_in(email("mia"))) == "removed"
    assert (await run("list", *whose))[1].split("\t")[:2] == [issuer, "removed"]
    code, told = await run("remove", *whose, "--issuer", issuer)
    assert (code, "is not linked" in told) == (1, True)
    assert (await run("allow", *whose, "--issuer", issuer))[0] == 0
    code, told = await run("allow", *whose, "--issuer", issuer)
    assert (code, "was not removed" in told) == (1, True)
    assert await viewer(await signed_in(world)) == email("mia")
    assert "Nobody signs in" in (await run("list", "--email", "nobody@agency.example"))[1]
    for kind in ("IDENTITY_REMOVED", "IDENTITY_ALLOWED"):
        (event,) = await world.events(kind)
        assert (event["subject_id"], event["actor_id"]) == (await world.user_id("mia"), None)
        assert event["data"]["operator"]
