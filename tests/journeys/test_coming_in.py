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


def token_of(message: EmailMessage, query: str = "") -> str:
    """The token of the link in an email, which stands in the fragment; an invitation's page is told that it is one."""
    (url,) = re.findall(r"^http\S+", body_of(message), re.MULTILINE)
    parts = urlsplit(str(url))
    assert (parts.path, parts.query) == ("/set-password", query)
    return str(parts.fragment).removeprefix("token=")


async def test_an_invited_colleague_chooses_a_password_and_signs_in(product: World, mailbox: Mailbox) -> None:
    olive = await product.sign_in("olive")
    await olive.do(INVITE, account=str(product.account_id), email="nora@agency.example", role="MEMBER")
    invitation = await mailbox.mail("nora@agency.example", 'Join the agency "Agency"')
    set_ = await product.client().do(SET, token=token_of(invitation, "invited"), password=PHRASE)
    assert set_ == {"__typename": "PasswordSet", "email": "nora@agency.example"}
    signed_in = await product.client().do(SIGN_IN, email="nora@agency.example", password=PHRASE)
    assert signed_in["__typename"] == "SignedIn"
    await mailbox.mail("nora@agency.example", "Your password was set")
    shown = await olive.ask(MEMBERS, account=str(product.account_id), filter={"search": "nora"})
    assert [member["state"] for member in shown["account"]["staff"]["nodes"]] == ["ACTIVE"]


async def test_a_forgotten_password_is_set_anew_by_an_email_that_only_the_person_gets(
    product: World, mailbox: Mailbox
) -> None:
    await product.client().do(REQUEST, email=email("nobody"))
    await product.client().do(REQUEST, email=email("mia"))
    reset = await mailbox.mail(email("mia"), "Set a new password")
    set_ = await product.client().do(SET, token=token_of(reset), password=PHRASE)
    assert set_["__typename"] == "PasswordSet"
    await mailbox.mail(email("mia"), "Your password was changed")
    assert (await product.client().do(SIGN_IN, email=email("mia"), password=PHRASE))["__typename"] == "SignedIn"
    assert not mailbox.subjects(email("nobody"))
    assert len(mailbox.subjects(email("mia"))) == 2
    # The account's log tells of it once the worker has found whom it concerns.
    shown = await product.database.fetchval(
        "SELECT count(*) FROM account_events JOIN events ON events.id = event_id "
        "WHERE type = 'PASSWORD_RESET_REQUESTED' AND account_events.account_id = $1",
        product.account_id,
    )
    assert shown == 1
