"""What somebody may do in a person's name over and over fills no mailbox: the audit log has each, an email some."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from db.pool import Database
from rules.events.base import OwnAct, Repeatable
from rules.events.catalogue import EVENTS
from tests.account.acts import reset
from tests.alerts.hearing import mails, settle
from tests.client import Client
from tests.coming_in.operations import CHANGE
from tests.operations import BEGIN_REPLACEMENT, COMPLETE, DISABLE, REGENERATE, REPLACE
from tests.people import PASSWORD, Factor, World, begin
from tests.reminders.cast import pool

__all__ = ["pool"]

Act = Callable[[World, Client, Factor, int], Awaitable[None]]
TIMES, MAILED = 7, 5
# What else bounds how often the person is mailed of it.
OTHERWISE = {
    "PasswordResetRequested": "its own throttle: it is not even sent",
    "EnrollmentLinkRequested": "its own throttle: it is not even sent",
    "AccountRecoveryRequested": "its own throttle: it is not even sent",
    "AccountRecoveryStarted": "thirty a day",
    "RecoveryPassUsed": "an owner or admin has to give a pass before each",
    "SignInLocked": "one of a kind an hour",
    "SignInSlowed": "one of a kind an hour",
    "MfaChallengeLocked": "one of a kind an hour",
}


async def change_password(world: World, client: Client, factor: Factor, time: int) -> None:
    """Change Mia's password, back and forth."""
    passwords = PASSWORD, "a wholly other phrase"
    done = await client.do(CHANGE, current=passwords[time % 2], new=passwords[1 - time % 2])
    assert done["__typename"] == "PasswordChanged", done


async def make_codes(world: World, client: Client, factor: Factor, time: int) -> None:
    """Make her backup codes anew."""
    done = await client.do(REGENERATE, code=await factor.code())
    assert done["__typename"] == "BackupCodesRegenerated", done


async def use_code(world: World, client: Client, factor: Factor, time: int) -> None:
    """Sign in by a backup code of hers."""
    other, token = await world.challenge("mia")
    done = await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[time]})
    assert done["__typename"] == "SignedIn", done


async def turn_off_and_on(world: World, client: Client, factor: Factor, time: int) -> None:
    """Turn her MFA off, and on again."""
    done = await client.do(DISABLE, code=await factor.code())
    assert done["__typename"] == "MfaDisabled", done
    factor.secret = (await world.enroll(client)).secret


async def replace_app(world: World, client: Client, factor: Factor, time: int) -> None:
    """Move to another app."""
    begun = await client.do(BEGIN_REPLACEMENT, code={"totp": await factor.code()})
    factor.secret = begun["manualEntryKey"].replace(" ", "")
    done = await client.do(REPLACE, code=await factor.code())
    assert done["__typename"] == "AuthenticatorReplaced", done


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (change_password, {"PASSWORD_CHANGED": "password_changed"}),
        (make_codes, {"BACKUP_CODES_REGENERATED": "backup_codes_regenerated"}),
        (use_code, {"BACKUP_CODE_USED": "backup_code_used"}),
        (turn_off_and_on, {"MFA_DISABLED": "mfa_disabled", "MFA_ENABLED": "mfa_enabled"}),
        (replace_app, {"AUTHENTICATOR_REPLACED": "authenticator_replaced"}),
    ],
)
async def test_of_what_is_done_over_and_over_five_an_hour_are_mailed_and_each_is_told(
    world: World, pool: Database, act: Act, told: dict[str, str]
) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    await world.database.execute("DELETE FROM throttles")
    await settle(world, pool)
    await world.database.execute("DELETE FROM deliveries")
    for time in range(TIMES):
        await world.forget_spent_steps("mia")
        await act(world, client, factor, time)
    await settle(world, pool)
    for event, message in told.items():
        events = (await world.events(event))[-TIMES:]
        assert [each["data"]["isMailed"] for each in events] == [True] * MAILED + [False] * (TIMES - MAILED)
        assert await mails(world, message) == ["mia"] * MAILED
    await world.database.execute(
        "UPDATE throttles SET failures = ARRAY(SELECT f - interval '1 hour' FROM unnest(failures) AS f)"
    )
    await world.forget_spent_steps("mia")
    await act(world, client, factor, TIMES)
    await settle(world, pool)
    for message in told.values():
        assert len(await mails(world, message)) == MAILED + 1


async def test_of_one_kind_so_many_are_mailed_and_another_kind_is_told_of_at_once(world: World, pool: Database) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    for time in range(TIMES):
        await change_password(world, client, factor, time)
    await world.forget_spent_steps("mia")
    await make_codes(world, client, factor, 0)
    await settle(world, pool)
    assert await mails(world, "backup_codes_regenerated") == ["mia"]


async def test_whoever_enrolls_after_a_reset_is_told_of_with_its_link_however_often_it_was_turned_on_before(
    world: World, pool: Database
) -> None:
    olive, thief = await world.enrolled("olive"), await world.sign_in("mia")
    factor = await world.enroll(thief)
    for time in range(TIMES):
        await world.forget_spent_steps("mia")
        await turn_off_and_on(world, thief, factor, time)
    await settle(world, pool)
    before = len(await mails(world, "mfa_enabled"))
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    begun, _ = await begin(again := await world.sign_in("mia"))
    assert begun["__typename"] == "MfaEnrollment"
    await world.enroll(again)
    await settle(world, pool)
    assert len(await mails(world, "mfa_enabled")) == before + 1


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_whatever_is_done_in_somebodys_name_and_mailed_to_them_is_bounded(event: type) -> None:
    if issubclass(event, OwnAct) and event.mailing is not None:
        assert issubclass(event, Repeatable) is (event.__name__ not in OTHERWISE)
