"""The sample emails, and emails with facts of a test's own."""

from __future__ import annotations

from email.message import EmailMessage

from server.commands.emails import OCCURRED_AT, ORIGIN, POLICY, SAMPLES, sample
from workers.emails import Facts, render

MAILS = {one.name: sample(one) for one in SAMPLES}


def part(mail: EmailMessage, kind: str) -> str:
    """The plain or html alternative, as a reader gets it."""
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def mail_of(
    account_name: str = "Riverbend Studio",
    recipient: str = "mia@example.com",
    sender: str = "Gatehouse <no-reply@gatehouse.example.com>",
    public_url: str = "https://gatehouse.example.com",
) -> EmailMessage:
    """The email of a policy, which names the account; it knows an origin, too, which is nobody's business."""
    data = POLICY | ORIGIN
    return render(
        "policy_enabled",
        Facts("POLICY_ENABLED", OCCURRED_AT, data, account_name, recipient, 1, public_url, sender),
    )
