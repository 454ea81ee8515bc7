"""A colleague is invited and comes in; somebody who forgot the password gets back in. Every part its own process."""

from __future__ import annotations

import re
from email.message import EmailMessage
from urllib.parse import urlsplit

from tests.coming_in.operations import INVITE, MEMBERS, REQUEST, SET
from tests.operations import SIGN_IN
from tests.parts import Mailbox, body_of
from tests.people import World, email

PHRASE = "a wholly other phrase"


def token_of(message: EmailMessage) -> str:
    """The token of the link in an email, which stands in the fragment."""
    (url,) = re.findall(r"^http\S+", body_of(message), re.MULTILINE)
    parts = urlsplit(str(url))
    assert (parts.path, parts.query) == ("/set-password", "")
    return str(parts.fragment).removeprefix("token=")


async def mail(mailbox: Mailbox, subject: str) -> EmailMessage:
    """The newest email with this subject, once it is there."""
    for count in range(1, 20):
        messages = await mailbox.wait_for(count)
        if messages[-1]["Subject"] == subject:
            return messages[-1]
    raise AssertionError([message["Subject"] for message in mailbox.messages])


async def test_an_invited_colleague_chooses_a_password_and_signs_in(product: World, mailbox: Mailbox) -> None:
    olive = await product.sign_in("olive")
    await olive.do(INVITE, account=str(product.account_id), email="nora@agency.example", role="MEMBER")
    invitation = await mail(mailbox, 'Join the agency "Agency"')
    assert invitation["To"] == "nora@agency.example"
    set_ = await product.client().do(SET, token=token_of(invitation), password=PHRASE)
    assert set_ == {"__typename": "PasswordSet", "email": "nora@agency.example"}
    signed_in = await product.client().do(SIGN_IN, email="nora@agency.example", password=PHRASE)
    assert signed_in["__typename"] == "SignedIn"
    await mail(mailbox, "Your password was set")
    shown = await olive.ask(MEMBERS, account=str(product.account_id), filter={"search": "nora"})
    assert [member["state"] for member in shown["account"]["staff"]["nodes"]] == ["ACTIVE"]


async def test_a_forgotten_password_is_set_anew_by_an_email_that_only_the_person_gets(
    product: World, mailbox: Mailbox
) -> None:
    await product.client().do(REQUEST, email=email("nobody"))
    await product.client().do(REQUEST, email=email("mia"))
    reset = await mail(mailbox, "Set a new password")
    assert reset["To"] == email("mia")
    set_ = await product.client().do(SET, token=token_of(reset), password=PHRASE)
    assert set_["__typename"] == "PasswordSet"
    await mail(mailbox, "Your password was changed")
    assert (await product.client().do(SIGN_IN, email=email("mia"), password=PHRASE))["__typename"] == "SignedIn"
    assert [message["To"] for message in mailbox.messages] == [email("mia")] * 2
    # The account's log tells of it once the worker has found whom it concerns.
    shown = await product.database.fetchval(
        "SELECT count(*) FROM account_events JOIN events ON events.id = event_id "
        "WHERE type = 'PASSWORD_RESET_REQUESTED' AND account_events.account_id = $1",
        product.account_id,
    )
    assert shown == 1
