"""A product with passwords of its own lets Gatehouse do the rest: sign-in, challenge, and whose session it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

import db.sessions
import db.sign_in
from rules.clients import Client as Origin
from rules.service_keys import Right
from tests.account.acts import move_deadline, save
from tests.client import Client, serving, settings_for
from tests.operations import COMPLETE, SIGN_OUT, VIEWER_EMAIL
from tests.people import World
from tests.service.operations import PROVISION, SERVICE_SIGN_IN, SESSION, SESSIONS, backend, invite_elsewhere
from tests.waiting import until

WAITS = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
CLIENT = {"ipAddress": "203.0.113.9", "userAgent": "Firefox/145.0"}


async def test_whoever_has_no_factor_is_signed_in_where_they_are(world: World) -> None:
    web = await backend(world, Right.SIGN_IN)
    answer = await web.do(SERVICE_SIGN_IN, input={"email": " Mia@Agency.example", "client": CLIENT})
    assert answer["viewer"]["email"] == "mia@agency.example"
    assert answer["viewer"]["sessions"] == [CLIENT]
    mia = world.client()
    mia.token = answer["sessionToken"]
    assert (await mia.ask(VIEWER_EMAIL))["viewer"]["email"] == "mia@agency.example"
    (event,) = await world.events("SIGN_IN_SUCCEEDED")
    assert (event["service_key"], event["data"]) == ("web", CLIENT | {"amr": "pwd"})


@pytest.mark.parametrize("by", ["backend", "browser"])
@pytest.mark.parametrize("kind", ["totp", "backupCode"])
async def test_whoever_has_one_is_challenged_as_after_a_password(world: World, by: str, kind: str) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    web = await backend(world, Right.SIGN_IN)
    answer = await web.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example", "client": CLIENT, "amr": ["fed"]})
    assert answer["__typename"] == "MfaChallenge"
    completing = web if by == "backend" else world.client()
    code = await factor.code() if kind == "totp" else factor.backup_codes[0]
    done = await completing.do(COMPLETE, token=answer["challengeToken"], code={kind: code})
    assert done["__typename"] == "SignedIn"
    session = (await web.ask(SESSION, token=done["sessionToken"]))["session"]
    assert session["amr"] == ["fed", *({"totp": ["otp", "mfa"], "backupCode": ["backup_code", "mfa"]}[kind])]
    assert session["mfaEnabled"] is True
    event = (await world.events("SIGN_IN_SUCCEEDED"))[-1]
    assert event["service_key"] == "web"
    assert event["data"]["amr"] == " ".join(session["amr"])
    assert (CLIENT.items() <= event["data"].items()) == (by == "backend")


async def test_several_fields_that_need_the_key_at_once_wait_for_no_connection_of_each_other(
    world: World, database_url: str
) -> None:
    mia = await world.sign_in("mia")
    async with serving(settings_for(database_url, pool_size=1)) as world.base_url:
        web = await backend(world)
        for _ in range(2):  # the second time it is known who asks, and only the fields look at the key
            answer = await web.ask(SESSIONS, token=mia.token, account=str(world.account_id))
            assert [answer[name]["email"] for name in ("one", "two", "three")] == ["mia@agency.example"] * 3
            assert (answer["two"]["externalId"], answer["three"]["amr"]) == (None, ["pwd"])
            assert answer["account"] == {"name": "Agency"}


async def test_wrong_codes_lock_as_after_a_password(world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    web = await backend(world, Right.SIGN_IN)
    kinds = []
    for _ in range(3):
        token = (await web.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}))["challengeToken"]
        kinds += [(await web.do(COMPLETE, token=token, code={"totp": "000000"}))["__typename"] for _ in range(4)]
    assert kinds == ["InvalidCode"] * 10 + ["TooManyAttempts"] * 2


async def test_one_of_email_user_id_and_external_id_says_who(world: World) -> None:
    web = await backend(world)
    provisioned = await web.do(
        PROVISION,
        input={"accountId": str(world.account_id), "externalId": "42", "email": "mia@agency.example", "role": "MEMBER"},
    )
    for who in ({"externalId": "42"}, {"userId": provisioned["userId"]}, {"email": "mia@agency.example"}):
        answer = await web.do(SERVICE_SIGN_IN, input=who)
        session = (await web.ask(SESSION, token=answer["sessionToken"]))["session"]
        assert (session["userId"], session["externalId"]) == (provisioned["userId"], "42")
    both = {"externalId": "42", "email": "mia@agency.example"}
    for wrong in ({}, both, {"email": "mia@agency.example", "amr": []}, {"externalId": "42", "amr": ["PASSWORD!"]}):
        assert await web.refusal(SERVICE_SIGN_IN, input=wrong) == "BAD_USER_INPUT"
    address = {"externalId": "42", "client": {"ipAddress": "localhost"}}
    assert await web.refusal(SERVICE_SIGN_IN, input=address) == "BAD_USER_INPUT"


@pytest.mark.parametrize("word", ["otp", "backup_code", "recovery_pass", "mfa"])
async def test_a_key_of_one_account_vouches_for_no_second_factor(world: World, word: str) -> None:
    agency = await backend(world, account_id=world.account_id)
    claimed = {"email": "mia@agency.example", "amr": ["pwd", word]}
    assert await agency.refusal(SERVICE_SIGN_IN, input=claimed) == "BAD_USER_INPUT"
    assert await world.events("SIGN_IN_SUCCEEDED") == []


async def test_what_the_product_says_of_a_second_factor_of_its_own_is_told_and_proves_nothing_here(
    world: World,
) -> None:
    web = await backend(world)
    answer = await web.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example", "amr": ["pwd", "otp", "mfa"]})
    session = (await web.ask(SESSION, token=answer["sessionToken"]))["session"]
    assert session["amr"] == ["pwd", "otp", "mfa"]
    assert await world.database.fetchval("SELECT second_factor_at FROM sessions") is None


@pytest.mark.parametrize("who", [{"email": "nobody@agency.example"}, {"externalId": "nobody"}, {"userId": "nobody"}])
async def test_nobody_is_signed_in_as_somebody_unknown(world: World, who: dict[str, str]) -> None:
    web = await backend(world)
    assert (await web.do(SERVICE_SIGN_IN, input=who))["__typename"] == "InvalidCredentials"


async def test_a_key_of_one_account_signs_in_only_those_who_are_of_no_other(world: World) -> None:
    agency = await backend(world, account_id=world.account_id)
    other = await backend(world, account_id=world.other_account_id)
    kinds = {}
    for name in ("mia", "petra", "sam", "sue"):
        answer = await agency.do(SERVICE_SIGN_IN, input={"email": f"{name}@agency.example"})
        kinds[name] = answer["__typename"]
    assert kinds == {
        "mia": "SignedIn",
        "petra": "SignedIn",
        "sam": "InvalidCredentials",
        "sue": "InvalidCredentials",
    }
    shared = {"externalId": "1", "email": "mia@agency.example", "role": "MEMBER"}
    assert (await other.do(PROVISION, input=shared))["__typename"] == "StaffProvisioned"
    for key in (agency, other):
        answer = await key.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
        assert answer["__typename"] == "InvalidCredentials"


async def test_an_invitation_of_another_account_keeps_no_key_from_signing_in(world: World) -> None:
    agency = await backend(world, account_id=world.account_id)
    held = await begun_by(agency, world, "mia")
    await invite_elsewhere(world, "mia")
    assert (await held.ask(VIEWER_EMAIL))["viewer"] == {"email": "mia@agency.example"}
    await begun_by(agency, world, "mia")


async def begun_by(key: Client, world: World, name: str) -> Client:
    """A client in the session that the key has begun for the person."""
    client, answer = world.client(), await key.do(SERVICE_SIGN_IN, input={"email": f"{name}@agency.example"})
    assert answer["__typename"] == "SignedIn", answer
    client.token = answer["sessionToken"]
    return client


async def join_other_staff(world: World) -> None:
    given = {"externalId": "1", "email": "mia@agency.example", "role": "OWNER"}
    other = await backend(world, account_id=world.other_account_id)
    assert (await other.do(PROVISION, input=given))["__typename"] == "StaffProvisioned"


async def join_other_portal(world: World) -> None:
    await world.database.execute(
        "INSERT INTO portal_users (account_id, user_id) VALUES ($1, $2)",
        world.other_account_id,
        await world.user_id("mia"),
    )


async def become_operator(world: World) -> None:
    await world.database.execute("UPDATE users SET is_super_admin = true WHERE id = $1", await world.user_id("mia"))


@pytest.mark.parametrize("join", [join_other_staff, join_other_portal, become_operator])
async def test_what_a_key_of_one_account_has_begun_ends_once_they_are_more_than_that_accounts(
    world: World, join: Callable[[World], Awaitable[None]]
) -> None:
    agency = await backend(world, Right.SIGN_IN, account_id=world.account_id)
    held = await begun_by(agency, world, "mia")
    factor = await world.enroll(held)
    challenge = await agency.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
    await join(world)
    assert (await held.ask(VIEWER_EMAIL))["viewer"] is None
    late = await world.client().do(COMPLETE, token=challenge["challengeToken"], code={"totp": await factor.code(1)})
    assert late["__typename"] == "ChallengeExpired"
    assert (await agency.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}))[
        "__typename"
    ] == "InvalidCredentials"


@pytest.mark.parametrize("join", [join_other_staff, join_other_portal, become_operator])
async def test_what_it_has_begun_ends_so_as_well_where_it_has_been_revoked_before(
    world: World, join: Callable[[World], Awaitable[None]]
) -> None:
    agency, mia = await backend(world, Right.SIGN_IN, account_id=world.account_id), await world.sign_in("mia")
    held = await begun_by(agency, world, "mia")
    factor = await world.enroll(mia)
    challenge = await agency.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
    # Enrolling has ended the other session: the next one is that of the challenge before.
    first = await world.client().do(COMPLETE, token=challenge["challengeToken"], code={"totp": await factor.code()})
    held.token = first["sessionToken"]
    challenge = await agency.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
    await world.database.execute("DELETE FROM service_keys")
    assert (await held.ask(VIEWER_EMAIL))["viewer"]
    await join(world)
    assert (await held.ask(VIEWER_EMAIL))["viewer"] is None
    late = await world.client().do(COMPLETE, token=challenge["challengeToken"], code={"totp": await factor.code(1)})
    assert late["__typename"] == "ChallengeExpired"
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] == {"email": "mia@agency.example"}


async def test_what_it_has_begun_in_the_moment_in_which_they_join_ends_too(world: World, database_url: str) -> None:
    await backend(world, Right.SIGN_IN, account_id=world.account_id)
    mia = await world.user_id("mia")
    signing_in = await asyncpg.connect(database_url)
    try:
        async with signing_in.transaction():
            await db.sign_in.arrive(signing_in, mia)
            joining = asyncio.create_task(join_other_portal(world))
            await until(lambda: has_come_to_it(joining, signing_in), "they have joined, or wait")
            await db.sessions.start(signing_in, mia, bytes(32), Origin(None, None), ["pwd"], timedelta(days=1))
        await joining
    finally:
        await signing_in.close()
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0


async def has_come_to_it(task: asyncio.Task[None], connection: asyncpg.Connection[asyncpg.Record]) -> bool:
    return task.done() or bool(await connection.fetchval(WAITS))


async def test_who_was_signed_in_by_no_such_key_stays_so_in_another_account(world: World) -> None:
    await backend(world, Right.PROVISION, Right.SCIM, account_id=world.account_id)
    mia = await begun_by(await backend(world, Right.SIGN_IN), world, "mia")
    await join_other_staff(world)
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] == {"email": "mia@agency.example"}


async def test_whoever_joins_another_account_in_the_same_moment_is_signed_in_by_no_key_of_the_first(
    world: World, database_url: str
) -> None:
    agency, mia = await backend(world, Right.SIGN_IN, account_id=world.account_id), await world.user_id("mia")
    joining = await asyncpg.connect(database_url)
    try:
        async with joining.transaction():
            await joining.execute(
                "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, 'mia@agency.example', 'MEMBER')",
                world.other_account_id,
                mia,
            )
            signing_in = asyncio.create_task(agency.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}))
            await until(lambda: world.database.fetchval(WAITS), "it waits for the person")
        assert (await signing_in)["__typename"] == "InvalidCredentials"
    finally:
        await joining.close()
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a_session_is_told_with_what_the_gate_asks_until_it_ends(world: World) -> None:
    await save(await world.sign_in("olive"), world, True, 7)
    mia, web = await world.sign_in("mia"), await backend(world, Right.SIGN_IN)
    session = (await web.ask(SESSION, token=mia.token))["session"]
    assert (session["amr"], session["blocked"], session["mfaNotice"]["daysRemaining"]) == (["pwd"], False, 7)
    assert [(m["account"]["name"], m["role"], m["blocked"]) for m in session["memberships"]] == [
        ("Agency", "MEMBER", False)
    ]
    await move_deadline(world, "now() - interval '1 s'")
    session = (await web.ask(SESSION, token=mia.token))["session"]
    assert (session["blocked"], session["mfaNotice"]["blocking"]) == (True, True)
    await mia.ask(SIGN_OUT)
    assert (await web.ask(SESSION, token=mia.token))["session"] is None


async def test_a_key_of_one_account_sees_sessions_of_its_people_alone(world: World) -> None:
    mia = await world.sign_in("mia")
    agency = await backend(world, account_id=world.account_id)
    other = await backend(world, account_id=world.other_account_id)
    assert (await agency.ask(SESSION, token=mia.token))["session"]["email"] == "mia@agency.example"
    assert (await other.ask(SESSION, token=mia.token))["session"] is None


async def test_a_sign_in_comes_wholly_before_a_revocation_or_not_at_all(world: World) -> None:
    web = await backend(world, Right.SIGN_IN)

    async def revoke() -> None:
        await world.database.execute("DELETE FROM service_keys")

    signing_in = [web.raw(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}) for _ in range(20)]
    *answers, _ = await asyncio.gather(*signing_in, revoke())
    codes = [a["errors"][0]["extensions"]["code"] for a in answers if a and a.get("errors")]
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 20 - len(codes)
    assert set(codes) <= {"UNAUTHENTICATED"}
    assert await web.refusal(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}) == "UNAUTHENTICATED"
