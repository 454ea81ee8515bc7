"""'This was not me' of a sign-in removes no factor, and tells owners of one that was set up or moved since then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from db.pool import Database
from rules.alerts import AlertKind
from rules.links import Purpose
from tests.alerts.hearing import alerts, choose, mails, settle
from tests.alerts.operations import REJECT_SEEING_MFA
from tests.client import Client
from tests.coming_in.links import link_to
from tests.operations import BEGIN_REPLACEMENT, COMPLETE, DISABLE, REGENERATE, REPLACE, SIGN_IN
from tests.people import PASSWORD, Factor, World, email
from tests.reminders.cast import pool

__all__ = ["pool"]

ELSEWHERE = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, email, 'ADMIN' "
    "FROM accounts, users WHERE accounts.name = 'Other' AND email = 'mia@agency.example'"
)
OLIVE_ELSEWHERE = ELSEWHERE.replace("mia@", "olive@")
APPROVED = "UPDATE accounts SET reset_approval = 'EVERYONE' WHERE name = 'Agency'"
OWNED_BY_MIA = "UPDATE staff SET role = 'OWNER' WHERE email LIKE 'mia@%'"
MIA_INVITED = "UPDATE staff SET invited_at = now() WHERE email LIKE 'mia@%'"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"


async def thief_of(world: World, factor: Factor | None = None, name: str = "mia") -> Client:
    """Somebody signed in as Mia on a phone not seen before, by her password and, where she has MFA on, a code."""
    phone = world.client(**{"user-agent": PHONE})
    answer = await phone.do(SIGN_IN, email=email(name), password=PASSWORD)
    if factor is not None:
        await world.forget_spent_steps("mia")
        answer = await phone.do(COMPLETE, token=answer["challengeToken"], code={"totp": await factor.code()})
        await world.forget_spent_steps("mia")
    phone.token = answer["sessionToken"]
    return phone


async def rejected(world: World, name: str = "mia") -> dict[str, Any]:
    """Say of that sign-in that it was somebody else; what was answered."""
    token = await link_to(world, email(name), Purpose.NOT_MY_SIGN_IN, about="NEW_DEVICE_SIGNED_IN")
    answer = await world.client().do(REJECT_SEEING_MFA, token=token)
    assert answer["__typename"] == "SignInRejected"
    return answer


async def not_me(world: World) -> bool:
    """The same of Mia; whether MFA was changed since, as answered."""
    return bool((await rejected(world))["mfaChangedSince"])


async def test_of_an_authenticator_that_was_set_up_since_the_owners_are_told(world: World, pool: Database) -> None:
    await world.sign_in("mia")
    await world.enroll(await thief_of(world))
    assert await not_me(world) is True
    (event,) = await world.events("AUTHENTICATOR_DISPUTED")
    assert (event["account_id"], event["subject_id"]) == (world.account_id, await world.user_id("mia"))
    assert event["data"]["subjectEmail"] == email("mia")
    await settle(world, pool)
    assert await mails(world, "authenticator_disputed") == ["olive"]
    # Whoever holds the mailbox takes no second factor away.
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 1


async def test_of_a_manager_whose_authenticator_is_newer_owners_get_one_mail_and_admins_who_are_to_the_alert(
    world: World, pool: Database
) -> None:
    await choose(world, AlertKind.SIGN_IN_REJECTED, owners=True, admins=True)
    await world.database.execute("UPDATE staff SET role = 'ADMIN' WHERE email = $1", email("mia"))
    await world.sign_in("adam")
    await world.enroll(await thief_of(world, name="adam"))
    await rejected(world, "adam")
    await settle(world, pool)
    assert await mails(world, "authenticator_disputed") == ["olive"]
    told = sorted((to, kind) for to, kind, _ in await alerts(world))
    assert told == [("adam", "SIGN_IN_REJECTED"), ("mia", "SIGN_IN_REJECTED")]
    (event,) = await world.events("AUTHENTICATOR_DISPUTED")
    assert event["data"]["isOfManager"] is True


@pytest.mark.parametrize(
    ("name", "change", "can"),
    [
        ("mia", None, True),
        ("adam", None, True),
        ("olive", None, False),
        ("olive", "UPDATE staff SET role = 'OWNER' WHERE email LIKE 'adam@%'", True),
        ("olive", "UPDATE staff SET role = 'OWNER', invited_at = now() WHERE email LIKE 'adam@%'", False),
        ("mia", ELSEWHERE, False),
        ("mia", f"{ELSEWHERE}; {OLIVE_ELSEWHERE}", True),
        ("mia", "UPDATE users SET is_super_admin = true WHERE email LIKE 'mia@%'", False),
        ("mia", APPROVED, True),
        ("adam", APPROVED, False),
        ("adam", f"{APPROVED}; {OWNED_BY_MIA}", True),
        ("adam", f"{APPROVED}; {OWNED_BY_MIA}; {MIA_INVITED}", False),
    ],
    ids=[
        "member",
        "admin",
        "only owner",
        "one of two owners",
        "the other only invited",
        "with a role elsewhere",
        "where the same one manages, too",
        "operator",
        "member with one to ask and one to approve",
        "admin with nobody to approve",
        "admin with one to approve",
        "whoever could approve only invited",
    ],
)
async def test_it_is_answered_whether_anybody_who_manages_could_reset_them_or_only_an_operator(
    world: World, name: str, change: str | None, *, can: bool
) -> None:
    await world.sign_in(name)
    await thief_of(world, name=name)
    if change:
        await world.database.execute(change)
    assert (await rejected(world, name))["managerCanReset"] is can


async def move(thief: Client, factor: Factor) -> None:
    """To the thief's phone."""
    begun = await thief.do(BEGIN_REPLACEMENT, code={"backupCode": factor.backup_codes[0]})
    new = Factor(begun["manualEntryKey"].replace(" ", ""), [])
    assert (await thief.do(REPLACE, code=await new.code()))["__typename"] == "AuthenticatorReplaced"


async def regenerate(thief: Client, factor: Factor) -> None:
    """So that the thief has ten codes."""
    assert (await thief.do(REGENERATE, code=await factor.code()))["__typename"] == "BackupCodesRegenerated"


async def leave(thief: Client, factor: Factor) -> None:
    """As it is."""


async def turn_off(thief: Client, factor: Factor) -> None:
    """Of which the owners are alerted."""
    assert (await thief.do(DISABLE, code=await factor.code()))["__typename"] == "MfaDisabled"


@pytest.mark.parametrize(
    ("act", "is_changed"),
    [(move, True), (regenerate, True), (leave, False), (turn_off, False)],
    ids=["moved", "regenerated", "left", "off"],
)
async def test_of_one_that_was_there_they_are_told_where_it_was_moved_or_its_codes_replaced(
    world: World, act: Callable[[Client, Factor], Awaitable[None]], is_changed: bool
) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    await act(await thief_of(world, factor), factor)
    assert await not_me(world) is is_changed
    assert len(await world.events("AUTHENTICATOR_DISPUTED")) == is_changed
