"""Requiring MFA of everyone, as an owner, an admin and a member live it, with the emails that each gets."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.account.acts import ask_account, move_deadline, remind, reset, save
from tests.client import Client
from tests.operations import ACCOUNT_NAME, NOTICE, POLICY, ROSTER, VIEWER_ID
from tests.parts import Mailbox, body_of
from tests.people import World, email


async def notice(client: Client) -> Any:
    """The person's banner."""
    return (await client.ask(NOTICE))["viewer"]["mfaNotice"]


async def got(mailbox: Mailbox, subject: str, *names: str) -> None:
    """Return once these have got that mail; each of them once, and nobody else."""
    for name in names:
        await mailbox.mail(email(name), subject)
    told = [str(message["to"]) for message in mailbox.messages if message["subject"].startswith(subject)]
    assert sorted(told) == sorted(email(name) for name in names)


async def test_an_owner_requires_mfa_and_everyone_hears_of_it_in_time(product: World, mailbox: Mailbox) -> None:
    olive, adam, mia = [await product.sign_in(name) for name in ("olive", "adam", "mia")]
    await product.enroll(olive)
    await got(mailbox, "MFA is on for your sign-in", "olive")

    assert (await save(olive, product, True))["securityPolicy"]["gracePeriodDays"] == 7
    await got(mailbox, "Set up MFA by", "adam", "mia")
    assert (await notice(mia))["message"] == ("Your agency requires MFA for all staff. You have 7 days to set it up.")
    assert await notice(olive) is None

    await save(olive, product, True, 10)
    await got(mailbox, "The MFA deadline is now", "adam", "mia")

    await product.enroll(adam)
    await got(mailbox, "MFA is on for your sign-in", "olive", "adam")
    assert await remind(adam, product, "mia", "olive") == {
        "__typename": "StaffReminded",
        "remindedCount": 1,
        "skippedCount": 1,
    }
    await got(mailbox, "10 days left to set up MFA", "mia")
    while not (await ask_account(adam, product, ROSTER, filter={"search": "MIA"}))["nodes"][0]["lastRemindedAt"]:
        await asyncio.sleep(0.05)  # the mail is there before its mark

    await move_deadline(product, "now() - interval '1 second'")
    assert (await notice(mia))["message"] == (
        "Your agency requires MFA for all staff. Set it up now to continue accessing your account."
    )
    assert await mia.refusal(POLICY, account=str(product.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    await product.enroll(mia)
    assert await notice(mia) is None
    await got(mailbox, "MFA is on for your sign-in", "olive", "adam", "mia")


async def test_an_admin_resets_whoever_is_locked_out_and_they_enroll_again(product: World, mailbox: Mailbox) -> None:
    adam, mia = await product.enrolled("adam"), await product.sign_in("mia")
    await product.enroll(mia)
    await got(mailbox, "MFA is on for your sign-in", "adam", "mia")

    assert (await reset(adam, product, "mia"))["__typename"] == "StaffMfaReset"
    mail = await mailbox.mail(email("mia"), "Your MFA was reset: set it up again")
    alert = await mailbox.mail(email("olive"), "The MFA of somebody of your agency was reset")
    assert f"{email('adam')} reset the MFA of {email('mia')}." in body_of(alert)
    assert "You are asked to set up MFA again before you can go on." in body_of(mail)

    assert await mia.ask(VIEWER_ID) == {"viewer": None}
    mia = await product.sign_in("mia")
    assert (await notice(mia))["reason"] == "ADMIN_RESET"
    assert await mia.refusal(ACCOUNT_NAME, account=str(product.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    await product.enroll(mia)
    assert await notice(mia) is None
