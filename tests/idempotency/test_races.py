"""However many ask at once under one key, and whatever dies between the lines: one change, and one answer for all."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import db.answers
from rules.idempotency import LEASE, LIFETIME
from tests.client import Client
from tests.idempotency.keyed import begin, by_cookie, cookie_of, mutation, new_key, send
from tests.operations import BEGIN_TYPE
from tests.people import PASSWORD, Factor, World, email
from tests.waiting import until

PENDING = "IDEMPOTENCY_IN_PROGRESS"


async def sent(client: Client, name: str, key: str, **given: Any) -> Any:
    """The value, or the code of what has refused it."""
    body = await client.raw(mutation(name), input={**given, "idempotencyKey": key})
    return body["errors"][0]["extensions"]["code"] if body.get("errors") else body["data"][name]


async def test_thirty_at_once_get_the_same_codes_and_mfa_is_turned_on_once(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    app = Factor((await begin(mia))["manualEntryKey"].replace(" ", ""), [])
    code = await app.code()
    answered = await asyncio.gather(*(sent(mia, "verifyAndEnableMfa", key, code=code) for _ in range(30)))
    codes = {tuple(each["backupCodes"]) for each in answered if each != PENDING}
    assert len(codes) == 1
    (shown,) = codes
    assert tuple((await sent(mia, "verifyAndEnableMfa", key, code=code))["backupCodes"]) == shown
    assert len(await world.events("MFA_ENABLED")) == 1
    assert await world.events("CODE_REJECTED", "CODE_REPLAYED", "MFA_CHALLENGE_LOCKED") == []


async def test_thirty_sign_ins_at_once_under_one_key_begin_one_session(world: World) -> None:
    given, key = {"email": email("mia"), "password": PASSWORD}, new_key()
    answered = await asyncio.gather(*(sent(world.client(), "signIn", key, **given) for _ in range(30)))
    assert len({each["sessionToken"] for each in answered if each != PENDING}) == 1
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 1
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 1


async def test_a_cookie_that_is_renewed_amid_the_race_is_the_same_for_all(world: World) -> None:
    mia, key = await by_cookie(world, "mia"), new_key()
    app = Factor((await begin(mia))["manualEntryKey"].replace(" ", ""), [])
    code, before = await app.code(), cookie_of(mia.http)
    browsers = [world.client(cookie=f"gatehouse={before}") for _ in range(10)]
    answered = await asyncio.gather(*(sent(each, "verifyAndEnableMfa", key, code=code) for each in browsers))
    assert len({cookie_of(each.http) for each, got in zip(browsers, answered, strict=True) if got != PENDING}) == 1
    assert len(await world.events("MFA_ENABLED")) == 1


DIES = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'gone'; END $$;
CREATE TRIGGER die BEFORE UPDATE OF answer OR DELETE ON idempotent_answers FOR EACH ROW EXECUTE FUNCTION die();
"""


async def test_what_dies_before_the_answer_is_kept_has_changed_nothing_and_the_key_is_free_after_a_while(
    world: World,
) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    app = Factor((await begin(mia))["manualEntryKey"].replace(" ", ""), [])
    code = await app.code()
    await world.database.execute(DIES)
    assert await sent(mia, "verifyAndEnableMfa", key, code=code) == "INTERNAL_SERVER_ERROR"
    await world.database.execute("DROP TRIGGER die ON idempotent_answers")
    assert await world.events("MFA_ENABLED") == []
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 0
    assert await sent(mia, "verifyAndEnableMfa", key, code=code) == PENDING
    await world.database.execute("UPDATE idempotent_answers SET claimed_until = now() - interval '1 s'")
    assert len((await sent(mia, "verifyAndEnableMfa", key, code=code))["backupCodes"]) == 10
    assert len(await world.events("MFA_ENABLED")) == 1


FAILS_JUST_NOW = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN DELETE FROM idempotent_answers WHERE claim = '00000000-0000-0000-0000-000000000000'; RETURN NULL; END $$;
CREATE TRIGGER fail AFTER INSERT ON idempotent_answers FOR EACH STATEMENT EXECUTE FUNCTION fail();
UPDATE idempotent_answers SET answer = NULL, claim = '00000000-0000-0000-0000-000000000000';
"""


async def test_whoever_repeats_what_fails_at_that_moment_does_it(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    assert (await begin(mia, key))["__typename"] == "MfaEnrollment"
    # Under way, until somebody asks again and has not looked yet how it stands.
    await world.database.execute(FAILS_JUST_NOW)
    assert (await begin(mia, key))["__typename"] == "MfaEnrollment"


async def test_whoever_is_taken_over_from_changes_nothing(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    app = Factor((await begin(mia))["manualEntryKey"].replace(" ", ""), [])
    code = await app.code()
    async with world.database.transaction():
        # Holds the request up between its claim and its change.
        await world.database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", await world.user_id("mia"))
        first = asyncio.ensure_future(sent(mia, "verifyAndEnableMfa", key, code=code))

        async def is_taken_over() -> bool:
            status = await world.database.execute("UPDATE idempotent_answers SET claim = gen_random_uuid()")
            return status == "UPDATE 1"

        await until(is_taken_over, "the claim")
    assert await first == PENDING
    assert await world.events("MFA_ENABLED") == []
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=12))
async def test_as_many_things_are_done_as_there_are_keys(world: World, keys: list[str]) -> None:
    await world.database.execute("DELETE FROM idempotent_answers")
    before = len(await world.events("REAUTHENTICATED"))
    mia = await world.sign_in("mia")
    answered = await asyncio.gather(*(sent(mia, "reauthenticate", key, password=PASSWORD) for key in keys))
    told = {
        key: {each["freshUntil"] for k, each in zip(keys, answered, strict=True) if k == key and each != PENDING}
        for key in keys
    }
    assert {len(each) for each in told.values()} == {1}
    assert len(await world.events("REAUTHENTICATED")) - before == len(set(keys))


async def test_a_claim_that_meets_another_at_the_place_of_its_token_is_not_had(world: World) -> None:
    async def claim(place: bytes) -> bool:
        return await db.answers.claim(
            world.database, place, bytes(32), "mia", 100, bytes(32), "k", uuid4(), LEASE, LIFETIME
        )

    assert await claim(b"1" * 32)
    assert not await claim(b"2" * 32)
    found = await db.answers.find(world.database, b"2" * 32, bytes(32), LIFETIME)
    assert found is not None and found.place == b"1" * 32


async def test_a_claim_outlives_every_request(world: World) -> None:
    assert LEASE.total_seconds() > 3 * 6
    mia = await world.sign_in("mia")
    await mia.ask(BEGIN_TYPE, key=new_key())
    assert (await send(mia, "reauthenticate", new_key(), password=PASSWORD))["__typename"] == "Reauthenticated"
