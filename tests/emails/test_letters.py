"""A letter, made once and addressed to many, is to each of them the mail that would have been made for them alone."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from db.alerts import Heard
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.catalogue import EVENTS, samples
from rules.events.mfa import MfaDisabled
from rules.events.stored import Stored
from tests.emails.rendering import FACTS
from tests.parts import body_of
from workers.emails import render
from workers.letters import Letter, Mail

RECIPIENTS = [
    "mia@agency.example",
    "o'neil&sons=fun@agency.example",
    ".".join("x" * 60 for _ in range(3)) + "@" + ".".join("y" * 20 for _ in range(3)) + ".example",
    '"a quoted name"@agency.example',
    "måns@agency.example",
    "mia@münchen.example",
]
# One may have such an address: anybody who reads the code knows what a letter once stood in for its recipient by.
NAMED_LIKE_A_STAND_IN = "recipient@stand-in.invalid.evil.example"
EMAILED = {name: event for each in EVENTS for name, event in samples(each).items() if event.emailed_as() is not None}
every_message = pytest.mark.parametrize("event", EMAILED.values(), ids=EMAILED)


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("recipient", RECIPIENTS)
@every_message
def test_it_is_the_same_mail(event: Event, recipient: str) -> None:
    facts = replace(FACTS, event=event)
    mailing = event.emailed_as()
    assert mailing is not None
    mail = Letter(mailing.message, facts).to(recipient, 7)
    alone = render(mailing.message, replace(facts, recipient=recipient, delivery_id=7))
    assert mail.recipient == recipient.replace("münchen", "xn--mnchen-3ya")
    assert dict(parsed(mail)) | {"Content-Type": ""} == dict(alone) | {"Content-Type": ""}
    for kind in ("plain", "html"):
        assert body_of(parsed(mail), kind).replace("\r\n", "\n") == body_of(alone, kind)


@pytest.mark.parametrize("name", ["mfa_reset_disputed", "break_glass_signed_in", "recovery_pass_used"])
def test_it_names_whoever_has_an_address_like_a_stand_in(name: str) -> None:
    event = replace(EMAILED[name], subject_email=NAMED_LIKE_A_STAND_IN)  # type: ignore[call-arg]
    for mailing in filter(None, (event.emailed_as(), event.copy)):
        mail = Letter(mailing.message, replace(FACTS, event=event)).to("olive@agency.example", 7)
        assert "Hello olive@agency.example," in body_of(parsed(mail))


@pytest.mark.parametrize("recipient", ["olive@agency.example", NAMED_LIKE_A_STAND_IN])
def test_an_alert_tells_of_whoever_has_such_an_address(recipient: str) -> None:
    stored = Stored.of(samples(MfaDisabled)["mfa_disabled"])
    heard = Heard(stored, NAMED_LIKE_A_STAND_IN, NAMED_LIKE_A_STAND_IN, ("Riverbend Studio",), 1)
    facts = replace(FACTS, event=samples(AlertRaised)["alert"], heard=(heard,))
    said = body_of(parsed(Letter("alert", facts).to(recipient, 7)))
    assert f"Hello {recipient}," in said
    assert f"\n{NAMED_LIKE_A_STAND_IN} turned off MFA." in said


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_no_line_is_longer_than_it_may_be(recipient: str) -> None:
    mail = Letter("mfa_enabled", FACTS).to(recipient, 7)
    body = mail.content.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 78  # the standard library's own measure


@pytest.mark.parametrize("recipient", ["mia@agency.example\r\nBcc: eve@example.com", "mia@agency.example\nX: y", "mia"])
def test_an_address_that_is_none_makes_no_mail(recipient: str) -> None:
    letter = Letter("mfa_enabled", FACTS)
    with pytest.raises((ValueError, IndexError)):
        letter.to(recipient, 7)


def test_other_letters_than_ascii_need_a_server_that_takes_them() -> None:
    letter = Letter("mfa_enabled", FACTS)
    assert [letter.to(recipient, 7).needs_utf8 for recipient in RECIPIENTS] == [False, False, False, False, True, False]
