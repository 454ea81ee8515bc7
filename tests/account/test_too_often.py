"""What others are emailed about each time: so many a day from one person, so that no insider fills a mailbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import often
from db.pool import Database
from rules.events.base import Event, OwnAct
from rules.events.catalogue import EVENTS
from rules.failures import TooManyAttempts
from rules.service_keys import Right
from tests.account.acts import reset, save
from tests.account.approving import choose
from tests.account_recovery.waiting import allow, start
from tests.alerts.operations import UPDATE_ALERTS
from tests.client import Client
from tests.enrollment.passes import issue
from tests.operations import EXEMPT
from tests.people import World, require_mfa
from tests.reminders.cast import planned, pool
from tests.service.operations import CHANGE_EMAIL, PROVISION, REMOVE, backend
from tests.webhooks.operations import ADD, RESEND, TEST

__all__ = ["pool"]

Act = Callable[[World, Client], Awaitable[dict[str, Any]]]
DAY = timedelta(days=1)


async def give_pass(world: World, client: Client) -> dict[str, Any]:
    """Give Mia a recovery pass."""
    return await issue(client, world)


async def switch_policy(world: World, client: Client) -> dict[str, Any]:
    """Stop requiring MFA, and require it again."""
    await save(client, world, False)
    return await save(client, world, True)


async def move_deadline(world: World, client: Client) -> dict[str, Any]:
    """Give another grace period than the one that holds, if any does."""
    days = await world.database.fetchval("SELECT grace_days FROM accounts WHERE id = $1", world.account_id)
    return await save(client, world, True, 8 if days == 7 else 7)


async def switch_alerts(world: World, client: Client) -> dict[str, Any]:
    """Let admins have alerts of a kind, or have them no more."""
    wanted = not await world.database.fetchval("SELECT coalesce(bool_or(email_admins), false) FROM alert_settings")
    alerts = [{"kind": "LOCKED", "emailAdmins": wanted}]
    return await client.do(UPDATE_ALERTS, account=str(world.account_id), alerts=alerts)


async def exempt(world: World, client: Client) -> dict[str, Any]:
    """Exempt Adam anew."""
    until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    given = {"accountId": str(world.account_id), "until": until, "reason": "On leave"}
    return await client.do(EXEMPT, input={**given, "staffId": str(await world.staff_id("adam"))})


async def ask_for_reset(world: World, client: Client) -> dict[str, Any]:
    """Let Mia's reset wait anew, as after somebody has declined it."""
    await world.database.execute("DELETE FROM reset_requests")
    return await reset(client, world, "mia")


async def let_day_be_full(world: World) -> None:
    """Count what was done once as often as it may be done."""
    await world.database.execute(
        "UPDATE throttles SET failures = array_fill(failures[1], ARRAY["
        "CASE WHEN key LIKE 'often:policy:%' THEN 100 ELSE 30 END]) WHERE key LIKE 'often:%:%:%:%'"
    )


@pytest.mark.parametrize("act", [give_pass, switch_policy, move_deadline, switch_alerts, exempt, ask_for_reset])
async def test_it_is_refused_after_so_many_times_in_a_day_and_nothing_of_it_happens(world: World, act: Act) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    if act is ask_for_reset:
        await choose(olive, world, "EVERYONE")
    assert not (await act(world, olive))["__typename"].startswith("TooMany")
    await let_day_be_full(world)
    refused = await act(world, olive)
    assert refused["__typename"] == "TooManyAttempts"
    assert refused["message"].startswith("You have done this too often today")
    told = await world.events()
    assert (await act(world, olive))["__typename"] == "TooManyAttempts"
    assert await world.events() == told
    await world.database.execute(
        "UPDATE throttles SET failures = ARRAY(SELECT f - interval '1 day' FROM unnest(failures) AS f)"
    )
    assert (await act(world, olive))["__typename"] != "TooManyAttempts"


async def test_what_one_has_done_too_often_another_owner_or_admin_still_does(world: World) -> None:
    olive, adam, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await issue(adam, world)
    await let_day_be_full(world)
    assert (await issue(adam, world))["__typename"] == "TooManyAttempts"
    assert (await issue(olive, world))["__typename"] == "RecoveryPassIssued"


async def test_passes_of_an_account_are_a_hundred_a_day_from_one_person(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    await issue(olive, world)
    await world.database.execute(
        "UPDATE throttles SET failures = array_fill(failures[1], ARRAY[CASE WHEN key LIKE '%:%:%:%:%' THEN 1 ELSE 99 "
        "END]) WHERE key LIKE 'often:%'"
    )
    assert (await issue(olive, world))["__typename"] == "RecoveryPassIssued"
    assert (await issue(olive, world))["__typename"] == "TooManyAttempts"


async def test_an_address_is_told_of_its_change_thirty_times_a_day_whosever_it_was(world: World) -> None:
    web = await backend(world, Right.PROVISION, account_id=world.account_id)
    for number in ("1", "2"):
        given = {"externalId": number, "email": f"{number}@agency.example", "role": "MEMBER"}
        await web.do(PROVISION, input=given)
    victim = {"externalId": "1", "email": "victim@elsewhere.example"}
    assert (await web.do(CHANGE_EMAIL, input=victim))["__typename"] == "EmailChanged"
    await world.database.execute(
        "UPDATE throttles SET failures = array_fill(failures[1], ARRAY[30]) WHERE key LIKE '%victim%'"
    )
    assert (await web.do(CHANGE_EMAIL, input=victim | {"email": "1@agency.example"}))["__typename"] == "TooManyAttempts"
    await world.database.execute("UPDATE users SET email = 'moved@agency.example' WHERE email LIKE 'victim%'")
    assert (await web.do(CHANGE_EMAIL, input=victim | {"externalId": "2"}))["__typename"] == "TooManyAttempts"


async def test_whoever_is_taken_away_and_added_anew_is_mailed_three_times_a_day(world: World, pool: Database) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=7)
    web = await backend(world, Right.PROVISION)
    nina = {"accountId": str(world.account_id), "externalId": "77"}
    for _ in range(5):
        await web.do(PROVISION, input={**nina, "email": "nina@agency.example", "role": "MEMBER"})
        await web.do(REMOVE, input=nina)
    assert len(await world.events("MFA_REQUIRED")) == 5
    await web.do(PROVISION, input={**nina, "email": "nina@agency.example", "role": "MEMBER"})
    await planned(world, pool)
    mailed = "SELECT count(*) FROM deliveries WHERE message = 'mfa_required' AND email LIKE 'nina%'"
    assert await world.database.fetchval(mailed) == 3


async def test_coming_back_alone_begins_thirty_times_a_day(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    assert (await start(world))["__typename"] == "AccountRecoveryStarted"
    await let_day_be_full(world)
    await world.database.execute("DELETE FROM account_recoveries")
    assert (await start(world))["__typename"] == "TooManyAttempts"
    assert await world.database.fetchval("SELECT count(*) FROM account_recoveries") == 0


@pytest.mark.parametrize(("what", "most"), [("tests", 60), ("resends", 600)])
async def test_webhooks_are_tried_so_often_in_an_hour(world: World, what: str, most: int) -> None:
    olive = await world.sign_in("olive")
    url = "https://hooks.example.com"
    webhook = (await olive.do(ADD, input={"accountId": str(world.account_id), "url": url}))["webhook"]["id"]
    delivery = (await olive.do(TEST, id=webhook))["delivery"]["id"]
    await world.database.execute(
        "INSERT INTO throttles (key, failures) VALUES ($1, array_fill(now(), ARRAY[$2::int - 1])) "
        "ON CONFLICT (key) DO UPDATE SET failures = excluded.failures",
        f"often:webhook-{what}:{world.account_id}",
        most,
    )
    outcomes = []
    for _ in range(2):
        await world.database.execute("UPDATE webhook_deliveries SET state = 'failed'")
        operation, of = (TEST, webhook) if what == "tests" else (RESEND, delivery)
        outcomes.append((await olive.do(operation, id=of))["__typename"])
    assert outcomes == ["WebhookDeliveryQueued", "TooManyAttempts"]
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'") <= 1


async def test_the_refusal_says_when_the_first_of_them_is_a_day_old(world: World, pool: Database) -> None:
    async with pool.transaction() as connection:
        await often.charge(connection, ["often:x"], 2, DAY)
        await often.charge(connection, ["often:x"], 2, DAY)
        with pytest.raises(TooManyAttempts) as refused:
            await often.charge(connection, ["often:w", "often:x"], 2, DAY)
        now = await connection.fetchval("SELECT now()")
    assert (refused.value.retry_at, refused.value.most, refused.value.span) == (now + DAY, 2, DAY)
    assert refused.value.wait == DAY


# What else bounds how often somebody has others emailed.
OTHERWISE = {
    "MfaReset": "the person has to set MFA up anew before each",
    "MfaResetDeclined": "one for each that was asked for",
    "MfaResetStopped": "one for each that was asked for",
    "MfaResetExpired": "one for each that was asked for",
    "MfaResetDisputed": "one for each reset",
    "AuthenticatorDisputed": "one for each sign-in from a new device that was told of",
    "AccountRecoveryReminded": "the timetable",
    "AccountRecoveryStopped": "one for each that was begun",
    "AccountRecoveryCompleted": "one for each that was begun",
    "CheckUpReminded": "the timetable",
    "GracePeriodEnded": "the timetable",
    "GraceReminderSent": "each person once in 24 hours",
    "MfaRequired": "three a day are mailed",
    "AlertRaised": "one of a kind an hour",
    "DigestSent": "the timetable",
    "StaffInvited": "its own throttles",
    "StaffSessionEnded": "the person has to sign in before each",
    "IdentityRemoved": "five an hour are mailed",
    "IdentityAllowed": "five an hour are mailed",
    "BreakGlassSignedIn": "owners are to hear of each",
    "WebhookDisabled": "three days of failing before each",
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_whatever_others_are_emailed_about_is_limited(event: type[Event]) -> None:
    if event.mailing is not None and not issubclass(event, OwnAct):
        assert (event.often is None) is (event.__name__ in OTHERWISE)
