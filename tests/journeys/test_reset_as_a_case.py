"""A reset that a second owner must approve: the person and the owners hear of it before anybody could sign in by it."""

from __future__ import annotations

import asyncio

from tests.account.acts import reset
from tests.account.approving import REASON, choose, decide
from tests.account.operations import APPROVE
from tests.operations import SIGN_IN
from tests.parts import Mailbox, body_of
from tests.people import PASSWORD, World, email
from tests.waiting import until

TO_PERSON, TO_OWNERS = "Somebody asked to reset your MFA", "A reset of a colleague's MFA waits for approval"


async def test_the_mails_about_it_have_left_before_anybody_could_sign_in(product: World, mailbox: Mailbox) -> None:
    await product.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("adam"))
    olive, adam, _ = [await product.enrolled(name) for name in ("olive", "adam", "mia")]
    for name in ("olive", "adam", "mia"):
        await mailbox.mail(email(name), "MFA is on for your sign-in")
    assert (await choose(olive, product, "EVERYONE"))["__typename"] == "SecurityPolicyUpdated"
    asked_for, taken = asyncio.Event(), asyncio.Event()

    async def hold(*_: object) -> None:
        asked_for.set()
        await taken.wait()

    mailbox.reply_to_data = hold
    waiting = (await reset(olive, product, "mia", REASON))["resetId"]
    await until(asked_for.is_set, "the first of the mails is about to leave")
    for _ in range(3):
        early = await decide(adam, product, APPROVE, waiting)
        assert (early["__typename"], "have not left yet" in early["message"]) == ("NotPermitted", True)
    assert await said_to(product) == "MfaChallenge"
    taken.set()

    async def is_approved() -> bool:
        answer = await decide(adam, product, APPROVE, waiting)
        return bool(answer["__typename"] == "StaffMfaReset")

    await until(is_approved, "it may be approved")
    # Nothing is waited for here: whoever may sign in now comes after these mails.
    assert TO_PERSON in mailbox.subjects(email("mia"))
    assert all(TO_OWNERS in mailbox.subjects(email(name)) for name in ("olive", "adam"))
    assert await said_to(product) == "SignedIn"
    for name, subject in (("mia", TO_PERSON), ("adam", TO_OWNERS)):
        assert "/not-wanted#token=" in body_of(await mailbox.mail(email(name), subject))


async def said_to(product: World) -> str:
    """What somebody is answered who has Mia's password and nothing else."""
    return str((await product.client().do(SIGN_IN, email=email("mia"), password=PASSWORD))["__typename"])
