"""The command that shows every email without sending any."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import click

OCCURRED_AT = datetime(2026, 11, 24, 14, 3, tzinfo=UTC)
ORIGIN = {
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "ipAddress": "203.0.113.7",
}
LOCKED = {"until": "2026-11-24T14:18:00Z", **ORIGIN}
POLICY = {"graceDays": 7, "deadline": "2026-12-01T14:03:00Z", "requiredSince": "2026-11-24T14:03:00Z"}
AT_ONCE = POLICY | {"graceDays": 0, "deadline": "2026-11-24T14:03:00Z"}
SHORTENED = POLICY | {"previousDeadline": "2026-12-08T14:03:00Z"}
PASSED = {
    "graceDays": 1,
    "requiredSince": "2026-11-21T09:30:00Z",
    "previousDeadline": "2026-12-05T09:30:00Z",
    "deadline": "2026-11-22T09:30:00Z",
}
ACCOUNT = "Riverbend Studio"


class Sample(NamedTuple):
    """One email to show: its file, its message, and the event that it is about."""

    name: str
    message: str
    event_type: str
    data: dict[str, Any]
    account_name: str | None = None


# One or more for each message, each with all that its event knows.
SAMPLES = (
    Sample("mfa_enabled", "mfa_enabled", "MFA_ENABLED", ORIGIN),
    Sample("mfa_disabled", "mfa_disabled", "MFA_DISABLED", ORIGIN),
    Sample("backup_codes_regenerated", "backup_codes_regenerated", "BACKUP_CODES_REGENERATED", ORIGIN),
    Sample("backup_code_used", "backup_code_used", "BACKUP_CODE_USED", {"remaining": 6, **ORIGIN}),
    Sample("backup_code_used_last", "backup_code_used", "BACKUP_CODE_USED", {"remaining": 0, **ORIGIN}),
    Sample("mfa_reset", "mfa_reset", "MFA_RESET", ORIGIN, ACCOUNT),
    Sample("mfa_reset_by_operator", "mfa_reset", "MFA_RESET", {}),
    Sample("mfa_challenge_locked", "mfa_challenge_locked", "MFA_CHALLENGE_LOCKED", LOCKED),
    Sample("sign_in_locked", "sign_in_locked", "SIGN_IN_LOCKED", LOCKED),
    Sample("policy_enabled", "policy_enabled", "POLICY_ENABLED", POLICY, ACCOUNT),
    Sample("policy_enabled_at_once", "policy_enabled", "POLICY_ENABLED", AT_ONCE, ACCOUNT),
    Sample("policy_changed", "policy_changed", "POLICY_CHANGED", SHORTENED, ACCOUNT),
    Sample("policy_changed_to_the_past", "policy_changed", "POLICY_CHANGED", PASSED, ACCOUNT),
    Sample("grace_reminder", "grace_reminder", "GRACE_REMINDER_SENT", POLICY | {"daysLeft": 3}, ACCOUNT),
    Sample("grace_reminder_last", "grace_reminder", "GRACE_REMINDER_SENT", POLICY | {"daysLeft": 1}, ACCOUNT),
    Sample("grace_period_ended", "grace_period_ended", "GRACE_PERIOD_ENDED", POLICY, ACCOUNT),
)
INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The emails of Gatehouse</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
ul {{ padding: 0; list-style: none; }}
li {{ margin: 1rem 0; }}
small {{ display: block; overflow-wrap: anywhere; }}
</style>
<h1>The emails of Gatehouse</h1>
<ul>
{items}
</ul>
</html>
"""
ITEM = '<li><a href="{name}.html">{subject}</a> (<a href="{name}.txt">text</a>)<small>{name}</small></li>'


@click.group()
def emails() -> None:
    """The emails that Gatehouse sends."""


@emails.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def preview(directory: Path) -> None:
    """Write every email, with sample facts, into DIRECTORY; open its index.html."""
    directory.mkdir(parents=True, exist_ok=True)
    mails = [(one.name, sample(one)) for one in SAMPLES]
    for name, mail in mails:
        (directory / f"{name}.html").write_text(_part(mail, "html"), encoding="utf-8")
        (directory / f"{name}.txt").write_text(
            f"Subject: {mail['Subject']}\n\n{_part(mail, 'plain')}", encoding="utf-8"
        )
    items = "\n".join(ITEM.format(name=name, subject=escape(mail["Subject"])) for name, mail in mails)
    (directory / "index.html").write_text(INDEX.format(items=items), encoding="utf-8")
    click.echo(f"Wrote {len(mails)} emails. Open {directory / 'index.html'} in a browser.")


def sample(one: Sample) -> EmailMessage:
    """One email, to Mia."""
    from workers.emails import Facts, render

    facts = Facts(
        event_type=one.event_type,
        occurred_at=OCCURRED_AT,
        data=one.data,
        account_name=one.account_name,
        recipient="mia@example.com",
        delivery_id=1,
        public_url="https://gatehouse.example.com",
        sender="Gatehouse <no-reply@gatehouse.example.com>",
    )
    return render(one.message, facts)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content
