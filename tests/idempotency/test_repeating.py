"""The same key, caller and input get the same answer for ten minutes, and nothing is done twice."""

from __future__ import annotations

import base64
import zlib
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from rules.idempotency import (
    ANSWER_PURPOSE,
    LEASE,
    LONGEST_KEY,
    MOST_OF_A_PERSON,
    MOST_OF_A_SERVICE,
    MOST_OF_AN_ADDRESS,
    MOST_OTHER_INPUTS,
)
from rules.sealed import NONCE_BYTES, Sealed
from rules.sealing import KeyRing
from tests.client import Client, serving, settings_for
from tests.idempotency.keyed import begin, by_cookie, cookie_of, mutation, new_key, refused, send
from tests.operations import BEGIN_TYPE
from tests.people import PASSWORD, Factor, World, age_proofs, email
from tests.pruned import prune
from tests.service.operations import SERVICE_SIGN_IN, backend
from tests.transport.talking import receive, socket
from tests.transport.talking import send as send_message


async def scanned(client: Client) -> Factor:
    """An app that has scanned a new key."""
    return Factor((await begin(client))["manualEntryKey"].replace(" ", ""), [])


async def test_the_backup_codes_are_shown_again_to_whoever_lost_the_answer(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    code = await (await scanned(mia)).code()
    first = await send(mia, "verifyAndEnableMfa", key, code=code)
    assert len(first["backupCodes"]) == 10
    assert await send(mia, "verifyAndEnableMfa", key, code=code) == first
    assert [event["type"] for event in await world.events("MFA_ENABLED", "CODE_REPLAYED")] == ["MFA_ENABLED"]


async def test_an_answer_too_large_to_keep_changes_nothing_as_it_says(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    # Names that hardly get smaller, in an answer that is kept with all of the person's accounts.
    await world.database.execute(
        """
        WITH made AS (
            INSERT INTO accounts (name)
            SELECT (SELECT string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 5) WHERE n > 0)
            FROM generate_series(1, 3000) AS n
            RETURNING id
        )
        INSERT INTO staff (account_id, user_id, email, role) SELECT id, $1, $2, 'MEMBER' FROM made
        """,
        await world.user_id("mia"),
        email("mia"),
    )
    code = await (await scanned(mia)).code()
    assert await refused(mia, "verifyAndEnableMfa", key, code=code) == "BAD_USER_INPUT"
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 0
    assert await world.events("MFA_ENABLED") == []
    enabled = await send(mia, "verifyAndEnableMfa", None, code=code)
    assert enabled["__typename"] == "MfaEnabled"


async def test_without_a_key_the_second_request_is_another(world: World) -> None:
    mia = await world.sign_in("mia")
    assert await begin(mia) != await begin(mia)


async def test_a_mutation_without_input_takes_its_key_as_an_argument(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    begun = await begin(mia, key)
    assert await begin(mia, key) == begun
    assert await begin(mia, new_key()) != begun


async def test_other_input_under_the_same_key_is_refused_and_changes_nothing(world: World) -> None:
    olive, key = await world.sign_in("olive"), new_key()
    account = {"accountId": str(world.account_id), "requireMfa": True}
    await send(olive, "updateSecurityPolicy", key, **account, gracePeriodDays=7)
    before = await world.events()
    assert await refused(olive, "updateSecurityPolicy", key, **account, gracePeriodDays=8) == "IDEMPOTENCY_KEY_REUSED"
    invited = {"accountId": str(world.account_id), "email": "nina@agency.example", "role": "MEMBER"}
    assert await refused(olive, "inviteStaff", key, **invited) == "IDEMPOTENCY_KEY_REUSED"
    assert await world.events() == before


async def test_a_key_that_came_with_other_input_too_often_is_worth_nothing(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    await send(mia, "reauthenticate", key, password=PASSWORD)
    for guess in range(MOST_OTHER_INPUTS):
        assert await refused(mia, "reauthenticate", key, password=f"guess {guess} at it") == "IDEMPOTENCY_KEY_REUSED"
    assert await refused(mia, "reauthenticate", key, password=PASSWORD) == "IDEMPOTENCY_KEY_REUSED"


async def test_the_cookie_that_the_answer_brought_is_brought_again(world: World) -> None:
    mia, key = await by_cookie(world, "mia"), new_key()
    code = await (await scanned(mia)).code()
    before = cookie_of(mia.http)
    first = await send(mia, "verifyAndEnableMfa", key, code=code)
    renewed = cookie_of(mia.http)
    assert renewed != before
    # The head was lost, too: the browser has the earlier cookie.
    mia.http.cookies.clear()
    earlier = world.client(cookie=f"gatehouse={before}")
    assert await send(earlier, "verifyAndEnableMfa", key, code=code) == first
    assert cookie_of(earlier.http) == renewed
    # The head came through, and the body did not.
    later = world.client(cookie=f"gatehouse={renewed}")
    assert await send(later, "verifyAndEnableMfa", key, code=code) == first
    assert len(await world.events("MFA_ENABLED")) == 1


async def test_another_persons_session_and_another_of_the_same_person_get_nothing_by_the_key(world: World) -> None:
    mia, olive, key = await world.sign_in("mia"), await world.sign_in("olive"), new_key()
    shown = await begin(mia, key)
    assert await begin(olive, key) != shown
    assert await begin(await world.sign_in("mia"), key) != shown
    assert await world.client().refusal(BEGIN_TYPE, key=key) == "UNAUTHENTICATED"


async def test_after_ten_minutes_the_answer_is_gone_and_beat_deletes_it(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    begun = await begin(mia, key)
    await world.database.execute("UPDATE idempotent_answers SET created_at = created_at - interval '601 s'")
    assert await begin(mia, key) != begun
    await world.database.execute("UPDATE idempotent_answers SET created_at = created_at - interval '601 s'")
    await prune(world.database, LEASE)
    assert await world.database.fetchval("SELECT count(*) FROM idempotent_answers") == 0


async def test_what_is_kept_is_sealed_and_says_nothing_of_key_input_or_answer(world: World) -> None:
    mia, key = await by_cookie(world, "mia"), new_key()
    app = await scanned(mia)
    code = await app.code()
    shown = await send(mia, "verifyAndEnableMfa", key, code=code)
    rows = await world.database.fetch("SELECT * FROM idempotent_answers")
    kept = b"".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row.values()
    )
    for secret in [*shown["backupCodes"], key, code, app.secret, cookie_of(mia.http)]:
        assert secret.encode() not in kept


async def test_an_answer_that_is_moved_to_another_place_does_not_open(world: World) -> None:
    mia, olive, key = await world.sign_in("mia"), await world.sign_in("olive"), new_key()
    await begin(mia, key)
    await begin(olive, key)
    await world.database.execute(
        "UPDATE idempotent_answers SET answer = (SELECT answer FROM idempotent_answers WHERE owner = $1) "
        "WHERE owner = $2",
        f"person:{await world.user_id('olive')}",
        f"person:{await world.user_id('mia')}",
    )
    assert await mia.refusal(BEGIN_TYPE, key=key) == "INTERNAL_SERVER_ERROR"


async def test_a_failure_is_not_kept_and_its_key_may_be_used_again(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    app = await scanned(mia)
    assert (await send(mia, "verifyAndEnableMfa", key, code="000000"))["__typename"] == "InvalidCode"
    assert await refused(await world.sign_in("olive"), "verifyAndEnableMfa", "", code="000000") == "BAD_USER_INPUT"
    assert (await send(mia, "verifyAndEnableMfa", key, code=await app.code()))["__typename"] == "MfaEnabled"
    await age_proofs(world)
    old = new_key()
    assert await refused(mia, "regenerateBackupCodes", old, code="000000") == "REAUTHENTICATION_REQUIRED"
    assert await world.database.fetchval("SELECT count(*) FROM idempotent_answers") == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * (LONGEST_KEY + 1), "tab\t", "line\n"])
async def test_what_is_no_key_is_refused(world: World, key: str) -> None:
    mia = await world.sign_in("mia")
    assert await refused(mia, "reauthenticate", key, password=PASSWORD) == "BAD_USER_INPUT"


async def test_a_person_has_so_many_keys_and_no_more(world: World) -> None:
    mia = await world.sign_in("mia")
    first = new_key()
    begun = await begin(mia, first)
    await world.database.execute(
        """
        INSERT INTO idempotent_answers (place, owner, input_hash, key_id, claim, claimed_until)
        SELECT sha256(n::text::bytea), owner, input_hash, key_id, claim, claimed_until
        FROM idempotent_answers, generate_series(1, $1::int) AS n
        """,
        MOST_OF_A_PERSON - 2,
    )
    assert (await begin(mia, new_key()))["__typename"] == "MfaEnrollment"
    assert await mia.refusal(BEGIN_TYPE, key=new_key()) == "RATE_LIMITED"
    assert await begin(mia, first) == begun
    assert (await begin(await world.sign_in("olive"), new_key()))["__typename"] == "MfaEnrollment"


async def test_a_service_has_so_many_keys_and_no_more(world: World) -> None:
    service = await backend(world)
    given = {"email": email("mia")}
    await send(service, "serviceSignIn", new_key(), **given)
    await world.database.execute(
        """
        INSERT INTO idempotent_answers (place, owner, input_hash, key_id, claim, claimed_until)
        SELECT sha256(n::text::bytea), owner, input_hash, key_id, claim, claimed_until
        FROM idempotent_answers, generate_series(1, $1::int) AS n
        """,
        MOST_OF_A_SERVICE - 1,
    )
    assert await refused(service, "serviceSignIn", new_key(), **given) == "RATE_LIMITED"
    assert (await send(service, "serviceSignIn", None, **given))["__typename"] == "SignedIn"


async def test_a_service_completes_challenges_under_keys_of_its_own_and_none_of_its_address(world: World) -> None:
    service, fill = (
        await backend(world),
        """
        INSERT INTO idempotent_answers (place, owner, input_hash, key_id, claim, claimed_until)
        SELECT sha256($1::text::bytea || n::text::bytea), $1, sha256(''), '', gen_random_uuid(), now()
        FROM generate_series(1, $2::int) AS n
    """,
    )
    factor = await world.enroll(await world.sign_in("mia"))

    async def answered() -> dict[str, Any]:
        begun = await service.do(SERVICE_SIGN_IN, input={"email": email("mia")})
        return {"challengeToken": begun["challengeToken"], "code": {"backupCode": factor.backup_codes.pop()}}

    await world.database.execute(fill, "address:127.0.0.1", MOST_OF_AN_ADDRESS)
    given, key = await answered(), new_key()
    done = await send(service, "completeMfaChallenge", key, **given)
    assert done["__typename"] == "SignedIn"
    owner = await world.database.fetchval("SELECT owner FROM idempotent_answers WHERE answer IS NOT NULL")
    await world.database.execute(fill, owner, MOST_OF_A_SERVICE - 1)
    assert await refused(service, "completeMfaChallenge", new_key(), **await answered()) == "RATE_LIMITED"
    assert await send(service, "completeMfaChallenge", key, **given) == done
    assert await refused(service, "serviceSignIn", new_key(), email=email("olive")) == "RATE_LIMITED"


async def test_where_the_key_is_gone_that_sealed_the_answer_nothing_is_done_twice(
    world: World, database_url: str
) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    await begin(mia, key)
    before = await world.events()
    rotated = "newer:" + base64.b64encode(b"n" * 32).decode()
    async with serving(settings_for(database_url, secret_keys=rotated)) as base_url:
        world.base_url = base_url
        there = world.client()
        there.token = mia.token
        assert await there.refusal(BEGIN_TYPE, key=key) == "IDEMPOTENCY_ANSWER_LOST"
        assert (await begin(there, new_key()))["__typename"] == "MfaEnrollment"
    assert await world.events() == before


@pytest.mark.parametrize(
    "changed", ["jsonb_set(answer, '{0,fields,gone}', '1')", "jsonb_set(answer, '{0,type}', '\"schema.gone:Gone\"')"]
)
async def test_where_another_version_wrote_the_answer_nothing_is_done_twice(
    world: World, database: asyncpg.Connection[asyncpg.Record], changed: str
) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    await begin(mia, key)
    ring = KeyRing(settings_for("").keys)
    row = await database.fetchrow("SELECT place, input_hash, key_id, answer FROM idempotent_answers")
    assert row
    owner = UUID(bytes=row["input_hash"][:16])
    plain = zlib.decompress(ring.open(Sealed(row["answer"], row["key_id"]), ANSWER_PURPOSE, owner)).decode()
    other = await database.fetchval(f"SELECT {changed}::text FROM (SELECT $1::text::jsonb AS answer) AS kept", plain)
    sealed = ring.seal(zlib.compress(other.encode()), ANSWER_PURPOSE, owner, b"n" * NONCE_BYTES)
    await database.execute("UPDATE idempotent_answers SET answer = $1", sealed.data)
    secrets_before = await database.fetch("SELECT * FROM enrollments")
    assert await mia.refusal(BEGIN_TYPE, key=key) == "IDEMPOTENCY_ANSWER_LOST"
    assert await database.fetch("SELECT * FROM enrollments") == secrets_before


async def test_signing_in_is_repeated_to_the_same_address_with_the_same_password_alone(world: World) -> None:
    given, key = {"email": email("mia"), "password": PASSWORD}, new_key()
    first = await send(world.client(), "signIn", key, **given)
    assert await send(world.client(), "signIn", key, **given) == first
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 1
    wrong = {**given, "password": "not the password at all"}
    assert await refused(world.client(), "signIn", key, **wrong) == "IDEMPOTENCY_KEY_REUSED"
    elsewhere = await send(world.client(), "signIn", key, **{**given, "email": email("olive")})
    assert elsewhere["sessionToken"] != first["sessionToken"]


async def test_a_challenge_is_answered_once_and_its_cookies_come_again(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    browser, key = world.client(), new_key()
    signed_in = await send(browser, "signIn", None, email=email("mia"), password=PASSWORD, useCookie=True)
    given = {"challengeToken": signed_in["challengeToken"], "code": {"totp": await factor.code()}}
    first = await send(browser, "completeMfaChallenge", key, **given)
    token = cookie_of(browser.http)
    # With the head lost, and with the head come through.
    for again in (world.client(), world.client(cookie=f"gatehouse={token}")):
        assert await send(again, "completeMfaChallenge", key, **given) == first
        assert cookie_of(again.http) == token
    other = {**given, "code": {"totp": "000000"}}
    assert await refused(world.client(), "completeMfaChallenge", key, **other) == "IDEMPOTENCY_KEY_REUSED"
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 2
    strangers = {**given, "challengeToken": "gh_c_" + "x" * 43}
    assert (await send(world.client(), "completeMfaChallenge", key, **strangers))["__typename"] == "ChallengeExpired"


async def test_asking_for_a_link_again_with_the_key_sends_no_second_mail(world: World) -> None:
    nobody, key = world.client(), new_key()
    for _ in range(3):
        assert (await send(nobody, "requestPasswordReset", key, email=email("mia")))["__typename"]
    assert len(await world.events("PASSWORD_RESET_REQUESTED")) == 1


async def test_a_service_gets_the_same_session_by_the_same_key(world: World) -> None:
    web, key = await backend(world), new_key()
    first = await send(web, "serviceSignIn", key, email=email("mia"))
    assert await send(web, "serviceSignIn", key, email=email("mia")) == first
    assert await send(web, "serviceSignIn", new_key(), email=email("mia")) != first
    policy = {"accountId": str(world.account_id), "requireMfa": True}
    assert await send(web, "updateSecurityPolicy", "p", **policy) == await send(
        web, "updateSecurityPolicy", "p", **policy
    )
    assert len(await world.events("POLICY_ENABLED")) == 1


async def test_it_works_over_a_web_socket_and_over_http_alike(world: World) -> None:
    mia, key = await world.sign_in("mia"), new_key()
    first = await send(mia, "reauthenticate", key, password=PASSWORD)
    async with socket(mia.http, init={"Authorization": f"Bearer {mia.token}"}) as connection:
        for _ in range(2):
            given = {"password": PASSWORD, "idempotencyKey": key}
            payload = {"query": mutation("reauthenticate"), "variables": {"input": given}}
            await send_message(connection, {"id": "1", "type": "subscribe", "payload": payload})
            assert (await receive(connection))["payload"]["data"] == {"reauthenticate": first}
            assert (await receive(connection))["type"] == "complete"
    assert len(await world.events("REAUTHENTICATED")) == 1


async def test_the_password_is_changed_once_and_the_same_session_hears_so(world: World) -> None:
    mia, key = await by_cookie(world, "mia"), new_key()
    given = {"currentPassword": PASSWORD, "newPassword": "another horse battery staple"}
    first = await send(mia, "changePassword", key, **given)
    assert first["__typename"] == "PasswordChanged"
    assert await send(mia, "changePassword", key, **given) == first
    assert len(await world.events("PASSWORD_CHANGED")) == 1
