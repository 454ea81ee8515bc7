"""Owners decide whose second factor counts for their account alone, and ask for domains that operators bind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from db import users
from rules.service_keys import Right
from tests.client import Client
from tests.commands import command
from tests.databases import until_waiting
from tests.oidc.browser import browser_of, problem
from tests.oidc.operations import ALLOW, PROVIDERS, RELEASE, REQUEST
from tests.operations import ACCOUNT_NAME, AUDIT, NOTICE, RESET
from tests.people import World, email, require_mfa
from tests.service.operations import backend

PROVIDER = {f"oidc_test_{part}": "https://x.example" for part in ("issuer", "client_id", "client_secret")}


async def came(world: World, name: str, spoil: str = "mfa-said") -> Client:
    """Somebody who has come by the provider, which says that it has asked for a second factor."""
    browser = browser_of(world)
    await browser.sign_in(email(name), spoil=spoil)
    return Client(browser.http)


async def is_stopped(client: Client, account_id: object) -> bool:
    """Whether the gate is closed, which banner and account say alike."""
    notice = (await client.ask(NOTICE))["viewer"]["mfaNotice"]
    answer = await client.raw(ACCOUNT_NAME, account=str(account_id))
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert codes in ([], ["MFA_ENROLLMENT_REQUIRED"])
    assert bool(codes) == bool(notice and notice["blocking"])
    return bool(codes)


async def allow(client: Client, account_id: object, *, allowed: bool = True, provider: str = "test") -> dict[str, Any]:
    """Let the provider's second factor count, or not."""
    return await client.do(ALLOW, input={"accountId": str(account_id), "provider": provider, "allowed": allowed})


async def test_it_counts_where_an_owner_has_allowed_it_and_as_long(world: World) -> None:
    olive = await world.enrolled("olive")
    await require_mfa(world.database, world.account_id, days_ago=8, grace_days=7)
    said, silent, by_password = await came(world, "mia"), await came(world, "mia", ""), await world.sign_in("mia")
    everybody = (said, silent, by_password)
    assert [await is_stopped(each, world.account_id) for each in everybody] == [True] * 3
    assert (await allow(olive, world.account_id))["provider"] == {"name": "test", "mfaAllowed": True}
    assert [await is_stopped(each, world.account_id) for each in everybody] == [False, True, True]
    # Who came by it is enrolled nowhere: a code of the product's own is what the roster counts, and changes ask for.
    assert (await said.ask(NOTICE))["viewer"]["mfa"]["enabled"] is False
    await allow(olive, world.account_id)
    await allow(olive, world.account_id, allowed=False)
    assert [await is_stopped(each, world.account_id) for each in everybody] == [True] * 3
    told = (await olive.ask(AUDIT, account=str(world.account_id), first=2))["account"]["auditLog"]["nodes"]
    assert [node["summary"] for node in told] == [
        f"{email('olive')} no longer lets a second factor shown at Test satisfy the MFA requirement.",
        f"{email('olive')} lets a second factor shown at Test satisfy the MFA requirement.",
    ]


async def test_one_accounts_word_is_no_others(world: World) -> None:
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.other_account_id,
        await world.user_id("mia"),
        email("mia"),
    )
    for account_id in (world.account_id, world.other_account_id):
        await require_mfa(world.database, account_id, days_ago=8, grace_days=7)
    await allow(await world.enrolled("olive"), world.account_id)
    mia = await came(world, "mia")
    assert (await mia.raw(ACCOUNT_NAME, account=str(world.account_id)))["data"]["account"] == {"name": "Agency"}
    assert await is_stopped(mia, world.other_account_id)


async def test_neither_a_reset_nor_a_factor_of_ones_own_is_passed_by(world: World) -> None:
    olive = await world.enrolled("olive")
    await allow(olive, world.account_id)
    await world.enroll(await world.sign_in("mia"))
    answer = await browser_of(world).sign_in(email("mia"), spoil="mfa-said")
    assert "#challenge=gh_c_" in answer.headers["location"]
    reset = await olive.do(RESET, account=str(world.account_id), staff=str(await world.staff_id("mia")))
    assert reset["__typename"] == "StaffMfaReset"
    assert await is_stopped(await came(world, "mia"), world.account_id)


@pytest.mark.parametrize("how", ["mfa-in-capitals", "other-methods"])
async def test_only_the_registered_word_counts(world: World, how: str) -> None:
    await allow(await world.enrolled("olive"), world.account_id)
    await require_mfa(world.database, world.account_id, days_ago=8, grace_days=7)
    assert await is_stopped(await came(world, "mia", how), world.account_id)


@pytest.mark.parametrize(
    ("who", "outcome"),
    [("adam", "NotPermitted"), ("mia", "NOT_FOUND"), ("sam", "NOT_FOUND"), ("", "UNAUTHENTICATED")],
)
async def test_nobody_but_an_owner_decides(world: World, who: str, outcome: str) -> None:
    client = await world.sign_in(who) if who else world.client()
    account = {"accountId": str(world.account_id)}
    asked = {
        ALLOW: {**account, "provider": "test", "allowed": True},
        REQUEST: {**account, "domain": "agency.example", "provider": "test"},
        RELEASE: {**account, "domain": "agency.example"},
    }
    for mutation, given in asked.items():
        answer = await client.raw(mutation, input=given)
        (value,) = answer["data"].values()
        assert outcome == (value["__typename"] if value else answer["errors"][0]["extensions"]["code"])
    seen = await client.raw(PROVIDERS, id=str(world.account_id))
    assert bool((seen["data"].get("account") or {}).get("signInProviders")) == (who == "adam")
    assert await world.database.fetchval("SELECT count(*) FROM account_mfa_providers") == 0
    assert {event["type"] for event in await world.events()} <= {"SIGN_IN_SUCCEEDED"}


async def test_it_asks_for_a_fresh_proof_and_a_provider_that_there_is(world: World) -> None:
    olive = await world.sign_in("olive")
    refused = await allow(olive, world.account_id, provider="nobody")
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "provider")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '16 minutes'")
    given = {"accountId": str(world.account_id), "provider": "test", "allowed": True}
    assert await olive.refusal(ALLOW, input=given) == "REAUTHENTICATION_REQUIRED"
    service = await backend(world, *Right)
    assert await service.refusal(ALLOW, input=given) == "FORBIDDEN"


async def ask(client: Client, world: World, domain: str, provider: str = "test") -> dict[str, Any]:
    """Ask for a domain."""
    return await client.do(REQUEST, input={"accountId": str(world.account_id), "domain": domain, "provider": provider})


async def test_a_domain_is_asked_for_and_bound_by_an_operator_alone(world: World, database_url: str) -> None:
    async def domains(*arguments: str) -> str:
        done = await asyncio.to_thread(command, "domains", *arguments, database_url=database_url, **PROVIDER)
        return done.stdout + done.stderr

    account = ("--account", str(world.account_id))
    olive = await world.sign_in("olive")
    asked = await ask(olive, world, "Only.Example")
    assert asked["provider"] == {"domains": [], "requestedDomains": ["only.example"]}
    await ask(olive, world, "only.example")
    # Until then nothing is different: the provider is believed of everybody else's addresses.
    assert (await came(world, "mia")).http.cookies["gatehouse"]
    told = (await domains("requests")).split("\t")
    assert told[:-1] == [str(world.account_id), "Agency", "only.example", "test", email("olive")]
    assert "alone" in await domains("bind", *account, "--domain", "only.example", "--provider", "test")
    assert await domains("requests") == ""
    (_, test) = (await olive.ask(PROVIDERS, id=str(world.account_id)))["account"]["signInProviders"]
    assert (test["domains"], test["requestedDomains"]) == (["only.example"], [])
    assert problem(await browser_of(world).sign_in(email("adam"))) == "refused"
    released = await olive.do(RELEASE, input={"accountId": str(world.account_id), "domain": "only.example"})
    assert released == {"__typename": "DomainReleased"}
    # An owner lets nobody's provider be believed of everybody else's addresses: only an operator does.
    assert problem(await browser_of(world).sign_in(email("adam"))) == "refused"
    assert "all domains" in await domains("trust", "--provider", "test")
    assert (await came(world, "adam")).http.cookies["gatehouse"]
    await ask(olive, world, "mail.example")
    assert "refused" in await domains("refuse", *account, "--domain", "mail.example")
    assert "not asked for" in await domains("refuse", *account, "--domain", "mail.example")
    kinds = [event["type"] for event in await world.events() if "DOMAIN" in event["type"]]
    assert kinds == ["DOMAIN_REQUESTED", "DOMAIN_BOUND", "DOMAIN_RELEASED", "DOMAIN_REQUESTED", "DOMAIN_REQUEST_ENDED"]


@pytest.mark.parametrize("domain", ["", "example", "a@agency.example", "agency.example/x", "раураl.example", "x" * 300])
async def test_what_is_no_domain_is_refused_by_its_field(world: World, domain: str) -> None:
    answer = await ask(await world.sign_in("olive"), world, domain)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "domain")


async def test_beside_a_change_of_the_owners_address_it_is_asked_for_all_the_same(world: World) -> None:
    olive = await world.enrolled("olive")
    olive.patient = False
    owner = await world.user_id("olive")
    async with world.database.transaction():
        await users.lock_whole(world.database, owner)
        asking = asyncio.create_task(ask(olive, world, "agency.example"))
        await until_waiting(world.database)
        await users.replace_email(world.database, owner, "olive@new.example", None)
    assert (await asking)["__typename"] == "DomainRequested"
    assert len(await world.events("DOMAIN_REQUESTED")) == 1


async def test_an_account_asks_for_twenty_at_once_at_most(world: World) -> None:
    olive = await world.sign_in("olive")
    answers = await asyncio.gather(*(ask(olive, world, f"n{number}.example") for number in range(25)))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["DomainRequested"] * 20 + ["InvalidInput"] * 5
    assert await world.database.fetchval("SELECT count(*) FROM domain_requests") == 20
