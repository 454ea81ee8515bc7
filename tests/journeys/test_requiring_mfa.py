"""Requiring MFA of everyone, as an owner, an admin and a member live it, with the emails that each gets."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.account.acts import ask_account, move_deadline, remind, reset, save
from tests.client import Client
from tests.operations import NOTICE, POLICY, ROSTER
from tests.parts import Mailbox, body_of
from tests.people import World, email


async def notice(client: Client) -> Any:
    """The person's banner."""
    return (await client.ask(NOTICE))["viewer"]["mfaNotice"]


async def recipients(mailbox: Mailbox, subject: str, count: int) -> set[str]:
    """Who has got that mail, once there are so many, each of them once."""
    await mailbox.wait_for(count)
    got = [str(message["to"]).split("@")[0] for message in mailbox.messages if message["subject"].startswith(subject)]
    assert len(got) == len(set(got))
    return set(got)


async def test_an_owner_requires_mfa_and_everyone_hears_of_it_in_time(product: World, mailbox: Mailbox) -> None:
    olive, adam, mia = [await product.sign_in(name) for name in ("olive", "adam", "mia")]
    await product.enroll(olive)
    await mailbox.wait_for(1)

    assert (await save(olive, product, True))["securityPolicy"]["gracePeriodDays"] == 7
    # The owner hears of the change by an alert; of the next one within the hour later.
    assert await recipients(mailbox, "Set up MFA by", 4) == {"adam", "mia"}
    assert (await notice(mia))["message"] == ("Your agency requires MFA for all staff. You have 7 days to set it up.")
    assert await notice(olive) is None

    await save(olive, product, True, 10)
    assert await recipients(mailbox, "The MFA deadline is now", 6) == {"adam", "mia"}

    await product.enroll(adam)
    await mailbox.wait_for(7)
    assert await remind(adam, product, "mia", "olive") == {
        "__typename": "StaffReminded",
        "remindedCount": 1,
        "skippedCount": 1,
    }
    assert await recipients(mailbox, "10 days left to set up MFA", 8) == {"mia"}
    while not (await ask_account(adam, product, ROSTER, filter={"search": "MIA"}))["nodes"][0]["lastRemindedAt"]:
        await asyncio.sleep(0.05)  # the mail is there before its mark

    await move_deadline(product, "now() - interval '1 second'")
    assert (await notice(mia))["message"] == (
        "Your agency requires MFA for all staff. Set it up now to continue accessing your account."
    )
    assert await mia.refusal(POLICY, account=str(product.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    await product.enroll(mia)
    assert await notice(mia) is None
    await mailbox.wait_for(9)


async def test_an_admin_resets_whoever_is_locked_out_and_they_enroll_again(product: World, mailbox: Mailbox) -> None:
    adam, mia = await product.enrolled("adam"), await product.sign_in("mia")
    await product.enroll(mia)
    await mailbox.wait_for(2)

    assert (await reset(adam, product, "mia"))["__typename"] == "StaffMfaReset"
    await mailbox.wait_for(4)
    (_, mail) = [mail for mail in mailbox.messages if mail["to"] == email("mia")]
    assert mail["subject"] == "Your MFA was reset: set it up again"
    (alert,) = [mail for mail in mailbox.messages if mail["to"] == email("olive")]
    assert alert["subject"] == "The MFA of somebody of your agency was reset"
    assert f"{email('adam')} reset the MFA of {email('mia')}." in body_of(alert)
    assert "You are asked to set up MFA again before you can go on." in body_of(mail)

    assert await mia.ask("{ viewer { id } }") == {"viewer": None}
    mia = await product.sign_in("mia")
    assert (await notice(mia))["reason"] == "ADMIN_RESET"
    assert await mia.refusal("query ($a: ID!) { account(id: $a) { name } }", a=str(product.account_id)) == (
        "MFA_ENROLLMENT_REQUIRED"
    )
    await product.enroll(mia)
    assert await notice(mia) is None
