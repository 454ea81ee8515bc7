"""A sign-in from a device not seen before is told to the person, who can end it and change their password."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

import asyncpg
import pytest

import workers.pruning
from db import devices, sessions
from db.pool import Database
from rules.clients import Client as Origin
from rules.devices import LIFETIME
from rules.links import Purpose
from tests.alerts.devices import FIREFOX, PHONE, by_browser, link_of, sign_in, told
from tests.alerts.hearing import alerts, mails, settle
from tests.alerts.operations import REJECT
from tests.client import settings_for
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.explained import Explained
from tests.operations import COMPLETE, VIEWER, WITH_COOKIE
from tests.people import PASSWORD, World, email
from tests.pruned import prune
from tests.reminders.cast import pool

__all__ = ["pool"]


async def test_the_first_sign_in_and_those_from_where_one_was_before_are_told_to_nobody(world: World) -> None:
    desk = await sign_in(world, FIREFOX.format(144))
    await sign_in(world, FIREFOX.format(144))
    await sign_in(world, FIREFOX.format(145))  # which has renewed itself
    await world.enroll(desk)
    await world.database.execute("DELETE FROM factors")
    await sign_in(world, PHONE, desk)  # whose cookie the browser holds, whatever it calls itself
    assert await told(world) == 0


async def test_a_new_device_is_told_with_what_when_and_where(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    phone = await sign_in(world, PHONE)
    (event,) = await world.events("NEW_DEVICE_SIGNED_IN")
    assert (event["data"]["userAgent"], event["data"]["ipAddress"]) == (PHONE, "127.0.0.1")
    assert phone.token and phone.token not in str(event["data"])
    await settle(world, pool)
    assert await mails(world, "new_device_signed_in") == ["mia"]
    await sign_in(world, PHONE)
    assert await told(world) == 1


async def test_the_link_ends_that_session_and_no_earlier_one_and_starts_a_change_of_password(
    world: World, pool: Database
) -> None:
    desk, phone = await sign_in(world, FIREFOX.format(145)), await sign_in(world, PHONE)
    token = await link_of(world, pool)
    answer = await world.client().do(REJECT, token=token)
    assert answer == {"__typename": "SignInRejected", "email": email("mia"), "passwordLinkSent": True}
    assert (await phone.ask(VIEWER))["viewer"] is None
    assert (await desk.ask(VIEWER))["viewer"]["email"] == email("mia")
    assert len(await world.events("SIGN_IN_REJECTED")) == 1
    await settle(world, pool)
    assert await mails(world, "password_reset_requested") == ["mia"]
    # That device is new again.
    await sign_in(world, PHONE)
    assert await told(world) == 2


async def test_the_link_ends_that_session_though_its_event_is_gone(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    phone = await sign_in(world, PHONE)
    token = await link_of(world, pool)
    async with world.database.transaction():
        await world.database.execute("SELECT set_config('gatehouse.pruning', 'on', true)")
        await world.database.execute("DELETE FROM deliveries")
        await world.database.execute("DELETE FROM events")
    assert (await world.client().do(REJECT, token=token))["__typename"] == "SignInRejected"
    assert (await phone.ask(VIEWER))["viewer"] is None
    await sign_in(world, PHONE)
    assert await told(world) == 1


async def test_the_link_ends_every_session_that_began_since_wherever_it_began(world: World, pool: Database) -> None:
    desk = await sign_in(world, FIREFOX.format(145))
    thief = await sign_in(world, PHONE)
    since = [
        await sign_in(world, PHONE),
        await sign_in(world, FIREFOX.format(145)),  # as it calls itself, too
        await sign_in(world, "curl/8", thief),  # whose cookie is known
    ]
    assert await told(world) == 1
    assert (await world.client().do(REJECT, token=await link_of(world, pool)))["__typename"] == "SignInRejected"
    assert [(await each.ask(VIEWER))["viewer"] for each in since] == [None] * 3
    assert (await desk.ask(VIEWER))["viewer"]["email"] == email("mia")
    assert len(await world.events("SIGN_IN_REJECTED")) == 1


async def test_whoever_was_rejected_is_told_of_anew_whatever_cookie_they_keep(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    thief = await sign_in(world, PHONE)
    await sign_in(world, "curl/8", thief)
    await world.client().do(REJECT, token=await link_of(world, pool))
    await sign_in(world, PHONE, thief)
    await world.client().do(REJECT, token=await link_of(world, pool))
    await sign_in(world, "curl/8")
    assert await told(world) == 3


async def test_a_cookie_of_an_earlier_password_keeps_no_new_device_from_being_told(world: World) -> None:
    thief = await sign_in(world, FIREFOX.format(145))
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=PASSWORD))["__typename"] == "PasswordSet"
    await sign_in(world, PHONE, thief)
    assert await told(world) == 1


@pytest.mark.parametrize(("name", "alerted"), [("adam", ["olive"]), ("mia", [])])
async def test_owners_are_told_where_it_was_a_colleague_who_manages_the_agency(
    world: World, pool: Database, name: str, alerted: list[str]
) -> None:
    await sign_in(world, FIREFOX.format(145), name=name)
    await sign_in(world, PHONE, name=name)
    (at,) = [event["occurred_at"] for event in await world.events("NEW_DEVICE_SIGNED_IN")]
    assert (await world.client().do(REJECT, token=await link_of(world, pool)))["__typename"] == "SignInRejected"
    await settle(world, pool)
    assert await mails(world, "alert") == alerted
    assert [(to, kind) for to, kind, _ in await alerts(world)] == [(to, "SIGN_IN_REJECTED") for to in alerted]
    (event,) = await world.events("SIGN_IN_REJECTED")
    assert datetime.fromisoformat(event["data"]["since"]) == at


async def age_devices(world: World, by: str) -> None:
    """Let all devices have been seen so much earlier, and housekeeping come by."""
    await world.database.execute(
        f"UPDATE seen_devices SET first_seen_at = first_seen_at - interval '{by}', "
        f"last_seen_at = last_seen_at - interval '{by}'"
    )
    await prune(world.database)


async def test_a_colleague_with_the_same_browser_at_the_same_address_is_a_new_device(world: World) -> None:
    mia = await by_browser(world)
    adam = await by_browser(world, name="adam")
    assert await told(world) == 0
    await by_browser(world, mia)
    assert await told(world) == 0
    await by_browser(world, adam)  # as Mia, whose password he knows
    assert await told(world) == 1


async def test_so_is_one_with_mfa_on_whose_challenge_was_answered_there(world: World) -> None:
    mia = await by_browser(world)
    factor = await world.enroll(mia)
    client = world.client(**{"user-agent": FIREFOX.format(145)})
    challenge = (await client.do(WITH_COOKIE, email=email("mia"), password=PASSWORD))["challengeToken"]
    assert (await client.do(COMPLETE, token=challenge, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    assert await told(world) == 1


async def test_no_browser_is_told_of_anew_because_its_owner_has_set_another_password(world: World) -> None:
    desk = await by_browser(world)
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    await world.client().do(SET, token=token, password=PASSWORD)
    await by_browser(world, desk)
    assert await told(world) == 0


async def test_after_half_a_year_away_a_sign_in_is_no_first_one(world: World) -> None:
    await sign_in(world, FIREFOX.format(145))
    await sign_in(world, "curl/8")
    await age_devices(world, "181 days")
    assert await world.database.fetchval("SELECT count(*) FROM seen_devices") == 1  # what was seen last
    await sign_in(world, PHONE)
    assert await told(world) == 2


async def test_what_was_seen_last_is_looked_at_once_however_long_nobody_comes(world: World) -> None:
    await world.database.execute(
        "INSERT INTO seen_devices (user_id, digest, last_seen_at) SELECT users.id, uuid_send(users.id) || "
        "uuid_send(users.id), now() - interval '1 year' FROM users"
    )
    looked: list[float] = []
    for _ in range(2):
        explained = Explained(world.database)
        await devices.prune(explained, LIFETIME)  # type: ignore[arg-type]
        looked.append(max(explained.rows))
    people = await world.database.fetchval("SELECT count(*) FROM users")
    assert looked == [people, 0]
    assert await world.database.fetchval("SELECT count(*) FROM seen_devices") == people > 1


async def test_what_was_kept_for_being_last_goes_with_the_next_sign_in(world: World) -> None:
    await sign_in(world, FIREFOX.format(145))
    await age_devices(world, "181 days")
    await sign_in(world, PHONE)
    assert await world.database.fetchval("SELECT count(*) FROM seen_devices") == 1
    assert await told(world) == 1


async def test_what_was_kept_and_is_seen_again_is_looked_at_again_when_it_is_old(world: World) -> None:
    await sign_in(world, FIREFOX.format(145))
    await age_devices(world, "181 days")
    await sign_in(world, FIREFOX.format(145))
    await age_devices(world, "181 days")
    await world.database.execute(
        "INSERT INTO seen_devices (user_id, digest) SELECT user_id, sha256('') FROM seen_devices"
    )
    await world.database.execute("UPDATE seen_devices SET last_seen_at = last_seen_at - interval '1 s'")
    await prune(world.database)
    assert await world.database.fetchval("SELECT digest FROM seen_devices") == hashlib.sha256().digest()


async def test_what_cannot_be_forgotten_keeps_nothing_else(world: World, pool: Database, database_url: str) -> None:
    await world.database.execute("INSERT INTO throttles (key, failures, updated_at) VALUES ('k', '{}', '2000-01-01')")
    await world.database.execute("ALTER TABLE seen_devices RENAME TO elsewhere")
    with pytest.raises(asyncpg.UndefinedTableError):
        await workers.pruning.prune(pool, settings_for(database_url))
    assert await world.database.fetchval("SELECT count(*) FROM throttles WHERE key = 'k'") == 0


async def test_nor_is_one_from_where_one_was_half_a_year_ago(world: World) -> None:
    await sign_in(world, PHONE)
    await age_devices(world, "181 days")
    await sign_in(world, PHONE)
    await sign_in(world, PHONE)
    assert await told(world) == 1


async def test_nor_is_one_after_the_only_device_that_was_left_has_been_rejected(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    await age_devices(world, "181 days")
    await sign_in(world, PHONE)
    token = await link_of(world, pool)
    await prune(world.database)
    await world.client().do(REJECT, token=token)
    await sign_in(world, PHONE)
    assert await told(world) == 2


async def test_the_link_lets_nobody_answer_a_challenge_that_was_open(world: World, pool: Database) -> None:
    desk = await sign_in(world, FIREFOX.format(145))
    await sign_in(world, PHONE)
    factor = await world.enroll(desk)
    client, challenge = await world.challenge("mia")
    assert (await world.client().do(REJECT, token=await link_of(world, pool)))["__typename"] == "SignInRejected"
    answer = await client.do(COMPLETE, token=challenge, code={"totp": await factor.code()})
    assert answer["__typename"] == "ChallengeExpired"


async def test_the_link_ends_a_session_too_whose_sign_in_had_waited_for_the_one_told_of(
    world: World, pool: Database, database_url: str
) -> None:
    await sign_in(world, FIREFOX.format(145))
    mia = await world.user_id("mia")
    waiting = await asyncpg.connect(database_url)
    async with waiting.transaction():
        await waiting.execute("SELECT")
        await sign_in(world, PHONE)
        began = await sessions.start(waiting, mia, bytes(32), Origin(PHONE, None), ["pwd"], timedelta(days=1))
    await waiting.close()
    await world.client().do(REJECT, token=await link_of(world, pool))
    assert not await sessions.is_live(world.database, began.session_id)


async def test_the_link_works_once_however_many_press_it(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    await sign_in(world, PHONE)
    token = await link_of(world, pool)
    answers = await asyncio.gather(*(world.client().do(REJECT, token=token) for _ in range(5)))
    assert sorted(each["__typename"] for each in answers) == ["LinkExpired"] * 4 + ["SignInRejected"]
    assert len(await world.events("SIGN_IN_REJECTED")) == 1
    assert len(await world.events("PASSWORD_RESET_REQUESTED")) == 1


async def test_a_made_up_token_or_one_for_something_else_ends_nothing(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    phone = await sign_in(world, PHONE)
    token = await link_of(world, pool)
    await world.database.execute("UPDATE links SET purpose = 'NOT_ME'")
    for given in (token, "gh_l_" + "A" * 43, "", "x" * 5000):
        assert (await world.client().do(REJECT, token=given))["__typename"] == "LinkExpired"
    assert (await phone.ask(VIEWER))["viewer"] is not None


async def test_who_has_no_password_is_sent_no_link_to_change_it(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    await sign_in(world, PHONE)
    token = await link_of(world, pool)
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    assert (await world.client().do(REJECT, token=token))["passwordLinkSent"] is False
    assert await world.events("PASSWORD_RESET_REQUESTED") == []


async def test_a_thief_of_a_password_who_comes_ever_new_floods_no_mailbox(world: World, pool: Database) -> None:
    await sign_in(world, FIREFOX.format(145))
    for name in ("a", "b", "c", "d", "e", "f", "g"):
        await sign_in(world, name)
    await settle(world, pool)
    assert await told(world) == 7
    assert await mails(world, "new_device_signed_in") == ["mia"] * 5
