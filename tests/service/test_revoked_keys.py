"""What a revoked service key has begun, and whose MFA was set up through it."""

from __future__ import annotations

import pytest

from tests.client import Client
from tests.commands import Command
from tests.operations import BEGIN_REPLACEMENT, REPLACE, VIEWER_EMAIL
from tests.people import Factor, World, email
from tests.service.operations import SERVICE_SIGN_IN, backend


async def session_of(key: Client, world: World) -> Client:
    """A client in a session that the key has begun for Mia."""
    client = world.client()
    client.token = (await key.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"}))["sessionToken"]
    return client


async def is_signed_in(client: Client) -> bool:
    return (await client.ask(VIEWER_EMAIL))["viewer"] is not None


async def test_what_a_revoked_key_has_begun_ends_with_it_and_nothing_else(world: World, operate: Command) -> None:
    hers, held = await world.sign_in("mia"), await session_of(await backend(world), world)
    await world.let_have_mfa("adam")
    challenge = await (await backend(world, name="other")).do(SERVICE_SIGN_IN, input={"email": "adam@agency.example"})
    revoked = operate("service-keys", "revoke", "web")
    assert (revoked.returncode, revoked.stderr) == (0, "Sessions that it had begun and that end with it: 1.\n")
    assert (await is_signed_in(hers), await is_signed_in(held)) == (True, False)
    assert challenge["__typename"] == "MfaChallenge"
    assert await world.database.fetchval("SELECT count(*) FROM challenges") == 1
    assert operate("service-keys", "revoke", "other").returncode == 0
    assert await world.database.fetchval("SELECT count(*) FROM challenges") == 0


async def test_what_a_replaced_key_has_begun_goes_on_until_an_operator_ends_it(world: World, operate: Command) -> None:
    held = await session_of(await backend(world), world)
    first = str(await world.database.fetchval("SELECT id FROM service_keys"))
    later = await session_of(await backend(world), world)
    revoked = operate("service-keys", "revoke", first)
    assert (revoked.returncode, "go on" in revoked.stderr) == (0, True)
    assert await is_signed_in(held)
    ended = operate("service-keys", "revoke", first, "--end-sessions")
    assert (ended.returncode, ended.stderr) == (0, "Sessions that it had begun and that end with it: 1.\n")
    assert (await is_signed_in(held), await is_signed_in(later)) == (False, True)
    assert "There is no service key" in operate("service-keys", "revoke", first, "--end-sessions").stderr
    assert operate("service-keys", "revoke", "web", "--keep-sessions").returncode == 0
    assert await is_signed_in(later)


async def test_a_key_is_gone_though_what_it_has_begun_cannot_end_now(world: World, operate: Command) -> None:
    held = await session_of(await backend(world), world)
    key_id = str(await world.database.fetchval("SELECT id FROM service_keys"))
    async with world.database.transaction():
        await world.database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", await world.user_id("mia"))
        revoked = operate("service-keys", "revoke", key_id)
    assert revoked.returncode == 1
    assert f"web is revoked, but what it has begun has not ended: revoke {key_id} again" in revoked.stderr
    assert await world.database.fetchval("SELECT count(*) FROM service_keys") == 0
    assert operate("service-keys", "revoke", key_id, "--end-sessions").returncode == 0
    assert not await is_signed_in(held)


async def test_challenges_alone_that_a_key_revoked_before_has_opened_are_ended_too(
    world: World, operate: Command
) -> None:
    await world.let_have_mfa("mia")
    key = await backend(world, account_id=world.account_id)
    await key.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
    key_id = str(await world.database.fetchval("SELECT id FROM service_keys"))
    assert operate("service-keys", "revoke", key_id, "--keep-sessions").returncode == 0
    ended = operate("service-keys", "revoke", key_id, "--end-sessions")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert await world.database.fetchval("SELECT count(*) FROM challenges") == 0


async def test_it_is_recorded_how_many_sessions_ended_with_a_key_revoked_now_or_before(
    world: World, operate: Command
) -> None:
    for name, ends in (("one", "--keep-sessions"), ("two", "--end-sessions")):
        await session_of(await backend(world, account_id=world.account_id, name=name), world)
        key_id = str(await world.database.fetchval("SELECT id FROM service_keys"))
        assert operate("service-keys", "revoke", key_id, ends).returncode == 0
        operate("service-keys", "revoke", key_id, "--end-sessions")
    late, now = await world.events("SERVICE_KEY_SESSIONS_ENDED")
    assert (late["account_id"], late["data"]["ended"], now["account_id"], now["data"]["ended"]) == (
        world.account_id,
        1,
        world.account_id,
        1,
    )
    assert now["data"]["name"] == "two"


FORGET_KEYS = "UPDATE {} SET begun_by_key = NULL, begun_by_account = NULL WHERE begun_by_key IS NOT NULL"


@pytest.mark.parametrize("is_revoked", [False, True])
async def test_what_the_version_before_let_a_key_begin_ends_by_its_name(
    world: World, operate: Command, *, is_revoked: bool
) -> None:
    hers, kept = await world.sign_in("mia"), await session_of(await backend(world, name="other"), world)
    await world.database.execute("UPDATE sessions SET created_at = created_at - interval '2 minutes'")
    held = await session_of(key := await backend(world), world)
    await world.database.execute(FORGET_KEYS.format("sessions"))
    await world.let_have_mfa("adam")
    await key.do(SERVICE_SIGN_IN, input={"email": "adam@agency.example"})
    await world.database.execute(FORGET_KEYS.format("challenges"))
    if is_revoked:
        assert operate("service-keys", "revoke", "web", "--keep-sessions").returncode == 0
    done = operate("service-keys", "revoke", "web", "--end-sessions")
    assert (done.returncode, done.stderr) == (0, "Sessions that it had begun and that end with it: 1.\n")
    assert [await is_signed_in(each) for each in (hers, held, kept)] == [True, False, True]
    assert await world.database.fetchval("SELECT count(*) FROM challenges") == 0


async def enrolled_by(key: Client, world: World, name: str) -> Client:
    """Somebody who has set up MFA in a session that the key has begun for them."""
    client = world.client()
    client.token = (await key.do(SERVICE_SIGN_IN, input={"email": email(name)}))["sessionToken"]
    await world.enroll(client)
    return client


async def test_whose_mfa_was_set_up_through_a_key_is_printed_as_it_is_revoked_with_what_it_began(
    world: World, operate: Command
) -> None:
    await enrolled_by(await backend(world), world, "sam")
    key_of_before = str(await world.database.fetchval("SELECT id FROM service_keys"))
    assert operate("service-keys", "revoke", key_of_before, "--keep-sessions").returncode == 0
    key = await backend(world)
    await enrolled_by(await backend(world, name="other"), world, "olive")
    await enrolled_by(key, world, "adam")
    await enrolled_by(key, world, "mia")
    # Since then Mia was reset, and has set up her own.
    await world.database.execute("DELETE FROM factors WHERE user_id = $1", await world.user_id("mia"))
    await world.enroll(await world.sign_in("mia"))
    revoked = operate("service-keys", "revoke", "web", "--end-sessions")
    assert revoked.stdout.splitlines() == ["Service key web is revoked.", email("adam")]
    assert "reset these: 1" in revoked.stderr
    late = operate("service-keys", "revoke", key_of_before, "--end-sessions")
    assert late.stdout.splitlines()[1:] == [email("sam")]


async def test_of_two_keys_of_a_name_that_are_there_at_once_those_of_the_one_that_is_named_by_its_id_are_printed(
    world: World, operate: Command
) -> None:
    first = await backend(world)
    first_id = str(await world.database.fetchval("SELECT id FROM service_keys"))
    second = await backend(world)
    hers = await enrolled_by(first, world, "mia")
    await enrolled_by(second, world, "adam")
    revoked = operate("service-keys", "revoke", first_id, "--end-sessions")
    assert revoked.stdout.splitlines() == ["Service key web is revoked.", email("mia")]
    assert not await is_signed_in(hers)


async def test_by_a_name_that_no_key_has_any_more_those_of_all_of_the_name_are_printed(
    world: World, operate: Command
) -> None:
    for name in ("mia", "adam"):
        await enrolled_by(await backend(world), world, name)
    # as the version before left them: of what it began, only the name is known
    await world.database.execute(FORGET_KEYS.format("sessions"))
    for key in await world.database.fetch("SELECT id FROM service_keys"):
        operate("service-keys", "revoke", str(key["id"]), "--keep-sessions")
    late = operate("service-keys", "revoke", "web", "--end-sessions")
    assert late.stdout.splitlines()[1:] == [email("adam"), email("mia")]


async def test_of_what_was_set_up_where_only_the_name_is_known_it_is_printed_with_any_key_of_that(
    world: World, operate: Command
) -> None:
    first = await backend(world)
    first_id = str(await world.database.fetchval("SELECT id FROM service_keys"))
    await enrolled_by(await backend(world), world, "adam")
    await enrolled_by(first, world, "mia")
    await world.database.execute("UPDATE factors SET set_up_by_key = NULL")
    revoked = operate("service-keys", "revoke", first_id, "--end-sessions")
    assert revoked.stdout.splitlines()[1:] == [email("adam"), email("mia")]


async def test_what_the_version_before_has_moved_through_another_key_of_the_name_is_printed_with_that(
    world: World, operate: Command
) -> None:
    first = await backend(world)
    first_id = await world.database.fetchval("SELECT id FROM service_keys")
    await backend(world)
    second_id = str(await world.database.fetchval("SELECT id FROM service_keys WHERE id <> $1", first_id))
    await enrolled_by(first, world, "mia")
    # as it does beside this one: it knows no key of a factor
    await world.database.execute("UPDATE factors SET secret_sealed = secret_sealed, last_step = last_step + 1")
    revoked = operate("service-keys", "revoke", second_id, "--end-sessions")
    assert revoked.stdout.splitlines()[1:] == [email("mia")]


@pytest.mark.parametrize("is_revoked", [False, True])
async def test_the_log_tells_of_mfa_through_which_key_it_was_set_up_or_moved(
    world: World, operate: Command, *, is_revoked: bool
) -> None:
    client = world.client()
    client.token = (await (await backend(world)).do(SERVICE_SIGN_IN, input={"email": email("mia")}))["sessionToken"]
    if is_revoked:
        assert operate("service-keys", "revoke", "web", "--keep-sessions").returncode == 0
    factor = await world.enroll(client)
    begun = await client.do(BEGIN_REPLACEMENT, code={"backupCode": factor.backup_codes[0]})
    new = Factor(begun["manualEntryKey"].replace(" ", ""), [])
    assert (await client.do(REPLACE, code=await new.code()))["__typename"] == "AuthenticatorReplaced"
    told = await world.events("MFA_ENABLED", "AUTHENTICATOR_REPLACED")
    assert [event["service_key"] for event in told] == ["web", "web"]


async def test_of_a_session_that_the_version_before_let_a_key_begin_the_name_is_found_while_the_key_is_there(
    world: World,
) -> None:
    held = await session_of(await backend(world), world)
    await world.database.execute("UPDATE sessions SET service_key = NULL")
    await world.enroll(held)
    (event,) = await world.events("MFA_ENABLED")
    assert event["service_key"] == "web"


async def test_of_mfa_that_somebody_set_up_in_a_session_of_their_own_no_key_is_told(world: World) -> None:
    await backend(world)
    await world.enrolled("mia")
    (event,) = await world.events("MFA_ENABLED")
    assert event["service_key"] is None
