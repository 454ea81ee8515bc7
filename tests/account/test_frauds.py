"""Help-desk frauds where a second approver is asked for: whoever has the password of Mia, who has MFA on, and one more.

None ends signed in as her before the mails about her reset have left, which they do not here: no worker runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rules.links import Purpose
from tests.account.acts import ask_account, reset
from tests.account.operations import APPROVE, CHOOSE_APPROVAL, CONFIRM, DECLINE, DISPUTE, STOP, WAITING
from tests.client import Client
from tests.coming_in.links import link_to
from tests.operations import BEGIN, ISSUE_PASS, REDEEM_PASS, RESET, SIGN_IN, VIEWER_EMAIL
from tests.people import PASSWORD, World, age_proofs, email

# What the con man has beside the password: each brings the clients that act for him.
HOLDS = ["the password alone", "a convinced admin", "an admin's stolen session", "her mailbox, too", "two at a time"]
REASON = "She says that she lost her phone"
Move = Callable[[World, list[Client]], Awaitable[object]]


async def helpers(world: World, holds: str) -> list[Client]:
    """The clients of those who act for the con man; each with MFA on, but his own."""
    adam = await world.enrolled("adam")
    olive = await world.enrolled("olive")
    chosen = {
        "the password alone": [world.client()],
        "a convinced admin": [adam],
        "an admin's stolen session": [adam],
        "her mailbox, too": [adam],
        "two at a time": [adam, olive],
    }[holds]
    if holds == "an admin's stolen session":
        await age_proofs(world, "16 minutes")
    return chosen


async def ask_and_approve(world: World, clients: list[Client]) -> None:
    """One asks, and all approve whatever waits, at once and again."""
    await reset_of_mia(world, *clients)
    for row in await world.database.fetch("SELECT id FROM reset_requests"):
        given = {"account": str(world.account_id), "reset": str(row["id"])}
        await asyncio.gather(*(client.raw(APPROVE, **given) for client in clients * 3))


async def go_round_by_a_pass(world: World, clients: list[Client]) -> None:
    """A recovery pass is asked for, and redeemed with the password."""
    staff = str(await world.staff_id("mia"))
    for client in clients:
        body = await client.raw(ISSUE_PASS, account=str(world.account_id), staff=staff, reason="Phone lost")
        given = ((body.get("data") or {}).get("issueRecoveryPass") or {}).get("recoveryPass", "gh_r_none")
        thief, token = await world.challenge("mia")
        await thief.raw(REDEEM_PASS, token=token, recoveryPass=given)


async def loosen_the_policy(world: World, clients: list[Client]) -> None:
    """Whoever is no owner has the second approver done away with, and resets."""
    for client in clients[:1]:
        await client.raw(CHOOSE_APPROVAL, account=str(world.account_id), approval="NOBODY")
        await reset_of_mia(world, client)


async def use_links(world: World, clients: list[Client]) -> None:
    """Links of her mailbox, each tried for all that a link is good for."""
    await ask_and_approve(world, clients)
    for purpose in (Purpose.STOP_RESET, Purpose.ENROLLMENT, Purpose.NOT_ME):
        token = await link_to(world, email("mia"), purpose)
        for operation in (STOP, CONFIRM, DISPUTE):
            if (purpose, operation) != (Purpose.NOT_ME, DISPUTE):
                await world.client().raw(operation, token=token)


async def decline_and_ask_again(world: World, clients: list[Client]) -> None:
    """What waits is declined by one and asked for by the other, over and over."""
    for client in clients * 2:
        await reset_of_mia(world, client)
        for row in await world.database.fetch("SELECT id FROM reset_requests"):
            given = {"account": str(world.account_id), "reset": str(row["id"])}
            await asyncio.gather(*(each.raw(DECLINE, **given) for each in clients))
    await ask_and_approve(world, clients)


async def reset_of_mia(world: World, *clients: Client) -> None:
    """Each of these asks for her reset, at once; refusals are answers, too."""
    staff = str(await world.staff_id("mia"))
    given = {"account": str(world.account_id), "staff": staff, "reason": REASON}
    await asyncio.gather(*(client.raw(RESET, **given) for client in clients))


MOVES: list[Move] = [ask_and_approve, go_round_by_a_pass, loosen_the_policy, use_links, decline_and_ask_again]


@pytest.mark.parametrize("holds", HOLDS)
@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
async def test_no_fraud_ends_signed_in_before_the_mails_have_left(world: World, holds: str, move: Move) -> None:
    mia = await world.enrolled("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE' WHERE id = $1", world.account_id)
    await move(world, await helpers(world, holds))
    thief = world.client()
    answer = await thief.do(SIGN_IN, email=email("mia"), password=PASSWORD)
    assert answer["__typename"] == "MfaChallenge"
    assert await thief.refusal(BEGIN) == "UNAUTHENTICATED"
    assert await world.events("MFA_RESET", "RECOVERY_PASS_ISSUED", "RESET_APPROVAL_CHANGED") == []
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] == {"email": email("mia")}


async def test_it_is_the_mails_that_the_two_who_agree_wait_for(world: World) -> None:
    await world.enrolled("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE' WHERE id = $1", world.account_id)
    adam, olive = await helpers(world, "two at a time")
    waiting = (await reset(adam, world, "mia", REASON))["resetId"]
    assert [each["id"] for each in await ask_account(olive, world, WAITING)] == [waiting]
    await world.database.execute(
        "INSERT INTO deliveries (event_id, user_id, email, message, queue, state) "
        "SELECT id, subject_id, 'x', 'mfa_reset_requested', 'security', 'sent' FROM events "
        "WHERE type = 'MFA_RESET_REQUESTED'"
    )
    await world.database.execute("UPDATE events SET dispatched_at = now()")
    approved = await olive.do(APPROVE, account=str(world.account_id), reset=waiting)
    assert approved["__typename"] == "StaffMfaReset"
