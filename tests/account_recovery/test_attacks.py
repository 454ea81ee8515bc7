"""What attackers try on the way back: with her password, her mailbox, both, an old link, or at the last moment."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from db.pool import Database
from rules.links import Purpose
from tests.account_recovery.operations import ALLOW, CANCEL, REQUEST, START, STOP, WAITING
from tests.account_recovery.waiting import (
    allow,
    ask,
    is_enrolled,
    let_pass,
    start,
    started,
    stop_link,
    tell,
    waits,
)
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.operations import COMPLETE
from tests.people import World, email
from tests.reminders.cast import pool
from workers.account_recovery import carry_on

__all__ = ["pool"]

NEW = "another correct horse battery"


async def test_a_stolen_password_alone_sends_her_a_mail_and_comes_no_further(world: World, pool: Database) -> None:
    await allow(world)
    await world.enrolled("mia")
    assert (await ask(world))["__typename"] == "AccountRecoveryRequested"
    assert set(await tell(world, pool)) == {"mia"}
    for token in ("", "gh_l_none", "gh_l_" + "x" * 43, "é"):
        assert (await world.client().do(START, token=token))["__typename"] == "LinkExpired"
    assert not await waits(world)


@pytest.mark.parametrize("purpose", [Purpose.PASSWORD_RESET, Purpose.STOP_RECOVERY, Purpose.ENROLLMENT])
async def test_no_other_link_of_her_mailbox_begins_it(world: World, purpose: Purpose) -> None:
    await allow(world)
    await world.enrolled("mia")
    token = await link_to(world, email("mia"), purpose)
    assert (await world.client().do(START, token=token))["__typename"] == "LinkExpired"
    assert not await waits(world)


async def test_a_stolen_mailbox_alone_asks_for_nothing(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    for token in ("", "gh_c_none", "gh_c_" + "x" * 43):
        assert (await world.client().do(REQUEST, token=token))["__typename"] == "ChallengeExpired"
    assert await world.events("ACCOUNT_RECOVERY_REQUESTED") == []


async def test_both_wait_and_cannot_hurry_and_owners_are_told(world: World, pool: Database) -> None:
    mia, factor = await started(world)
    until = (await mia.ask(WAITING))["viewer"]["accountRecovery"]["endsAt"]
    assert "olive" in await tell(world, pool)
    for _ in range(3):
        assert (await start(world))["accountRecovery"]["endsAt"] == until
    await allow(world, 1, 1, 1)
    assert (await start(world))["accountRecovery"]["endsAt"] == until
    await let_pass(world, 2.9)
    await carry_on(pool)
    client, token = await world.challenge("mia")
    assert (await client.do(COMPLETE, token=token, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    await let_pass(world, 9)
    await carry_on(pool)
    assert await is_enrolled(world)
    assert len(await world.events("ACCOUNT_RECOVERY_STARTED")) == 1


async def test_a_new_password_ends_it_and_the_wait_begins_anew(world: World, pool: Database) -> None:
    await started(world)
    await tell(world, pool)
    await let_pass(world, 2.9)
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=NEW))["__typename"] == "PasswordSet"
    await let_pass(world, 0.2)
    await carry_on(pool)
    assert (await is_enrolled(world), await waits(world)) == (True, False)
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert event["data"]["how"] == "lapsed"
    began = await start(world)
    span = [datetime.fromisoformat(began["accountRecovery"][name]) for name in ("startedAt", "endsAt")]
    assert (span[1] - span[0]).days == 3


async def test_a_link_asked_for_with_the_former_password_begins_nothing(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    link = await link_to(world, email("mia"), Purpose.START_RECOVERY)
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=NEW))["__typename"] == "PasswordSet"
    assert (await world.client().do(START, token=link))["__typename"] == "LinkExpired"
    assert not await waits(world)


async def test_a_link_begins_it_once(world: World) -> None:
    await allow(world)
    mia = await world.enrolled("mia")
    link = await link_to(world, email("mia"), Purpose.START_RECOVERY)
    assert (await world.client().do(START, token=link))["__typename"] == "AccountRecoveryStarted"
    assert (await mia.do(CANCEL))["__typename"] == "AccountRecoveryCancelled"
    assert (await world.client().do(START, token=link))["__typename"] == "LinkExpired"
    assert not await waits(world)


async def test_a_link_stops_the_one_that_it_told_of_and_no_later_one(world: World) -> None:
    mia, _ = await started(world)
    old = await stop_link(world)
    await mia.do(CANCEL)
    assert (await world.client().do(STOP, token=old))["__typename"] == "LinkExpired"
    assert (await start(world))["__typename"] == "AccountRecoveryStarted"
    assert (await world.client().do(STOP, token=old))["__typename"] == "LinkExpired"
    assert await waits(world)
    new = await stop_link(world)
    assert (await world.client().do(STOP, token=new))["__typename"] == "AccountRecoveryStopped"
    assert (await world.client().do(STOP, token=new))["__typename"] == "LinkExpired"


async def test_twenty_links_at_once_begin_one(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    links = [await link_to(world, email("mia"), Purpose.START_RECOVERY) for _ in range(20)]
    # Each of its own mail, as if asked for so often.
    await world.database.execute(
        "UPDATE links SET event_id = -id FROM (SELECT token_hash AS hash, row_number() OVER () AS id FROM links) "
        "AS numbered WHERE token_hash = hash"
    )
    answers = await asyncio.gather(*(world.client().do(START, token=link) for link in links))
    assert {answer["__typename"] for answer in answers} == {"AccountRecoveryStarted"}
    assert len({answer["accountRecovery"]["endsAt"] for answer in answers}) == 1
    assert len(await world.events("ACCOUNT_RECOVERY_STARTED")) == 1


async def test_of_fifty_at_the_last_moment_one_side_wins(world: World, pool: Database) -> None:
    for turn in range(4):
        mia, _ = await started(world)
        await tell(world, pool)
        await let_pass(world, 3.01)
        tokens = [await stop_link(world, name) for name in ("mia", "olive") for _ in range(4)]
        before = len(await world.events())
        # Whoever is told to come again later has stopped nothing.
        stops = [world.client().raw(STOP, token=token) for token in tokens * 4]
        works = [carry_on(pool) for _ in range(4)]
        cancels = [mia.raw(CANCEL) for _ in range(14)]
        mixed = [*works, *stops, *cancels] if turn % 2 else [*stops[:2], *works, *cancels, *stops[2:]]
        assert len(mixed) == 50
        await asyncio.gather(*mixed)
        ended = [event["type"] for event in (await world.events())[before:]]
        (end,) = [each for each in ended if each in {"ACCOUNT_RECOVERY_STOPPED", "ACCOUNT_RECOVERY_COMPLETED"}]
        assert await is_enrolled(world) is (end == "ACCOUNT_RECOVERY_STOPPED")
        assert not await waits(world)
        await world.database.execute("DELETE FROM factors")
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")


async def test_a_wrong_code_stops_nothing(world: World) -> None:
    await started(world)
    client, token = await world.challenge("mia")
    assert (await client.do(COMPLETE, token=token, code={"totp": "000000"}))["__typename"] == "InvalidCode"
    assert await waits(world)


async def test_only_a_password_lets_ask(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    client, token = await world.challenge("mia")
    await world.database.execute("UPDATE challenges SET amr = '{oidc}'")
    assert (await client.do(REQUEST, token=token))["__typename"] == "NotPermitted"
    assert await world.events("ACCOUNT_RECOVERY_REQUESTED") == []


@pytest.mark.parametrize("over", ["expires_at = now()", "attempts = 5"])
async def test_a_challenge_that_is_over_asks_for_nothing(world: World, over: str) -> None:
    await allow(world)
    await world.enrolled("mia")
    client, token = await world.challenge("mia")
    await world.database.execute(f"UPDATE challenges SET {over}")
    assert (await client.do(REQUEST, token=token))["__typename"] == "ChallengeExpired"
    assert await world.events("ACCOUNT_RECOVERY_REQUESTED") == []


async def test_asking_is_slowed_down_and_no_mailbox_is_flooded(world: World, pool: Database) -> None:
    await allow(world)
    await world.enrolled("mia")
    client, token = await world.challenge("mia")
    answers = [(await client.do(REQUEST, token=token))["__typename"] for _ in range(6)]
    assert answers == ["AccountRecoveryRequested"] * 5 + ["TooManyAttempts"]
    assert len(await world.events("ACCOUNT_RECOVERY_REQUESTED")) == 3
    await tell(world, pool)
    sent = "SELECT count(*) FROM deliveries WHERE message = 'account_recovery_requested'"
    assert await world.database.fetchval(sent) == 3


async def test_whoever_runs_the_platform_cannot_come_back_alone(world: World) -> None:
    await allow(world)
    for name in ("sue", "petra"):
        await world.let_have_mfa(name)
        assert (await ask(world, name))["__typename"] == "NotPermitted"


async def test_a_second_owner_who_is_not_fresh_changes_nothing(world: World) -> None:
    olive = await world.enrolled("olive")
    await world.database.execute("UPDATE sessions SET second_factor_at = now() - interval '16 minutes'")
    asked = {"account": str(world.account_id), "delays": {"ownerDays": 1, "adminDays": 1, "memberDays": 1}}
    assert await olive.refusal(ALLOW, **asked) == "REAUTHENTICATION_REQUIRED"


async def test_nobody_cancels_for_another(world: World) -> None:
    await started(world)
    olive = await world.sign_in("olive")
    assert (await olive.do(CANCEL))["__typename"] == "AccountRecoveryCancelled"
    assert await world.client().refusal(CANCEL) == "UNAUTHENTICATED"
    assert await waits(world)
