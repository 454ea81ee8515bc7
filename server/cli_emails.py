"""The command that shows every email without sending any."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

import click

OCCURRED_AT = datetime(2026, 11, 24, 14, 3, tzinfo=UTC)
ORIGIN = {
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "ipAddress": "203.0.113.7",
}
LOCKED = {"until": "2026-11-24T14:18:00Z", **ORIGIN}
POLICY = {"graceDays": 7, "deadline": "2026-12-01T14:03:00Z", "requiredSince": "2026-11-24T14:03:00Z"}
# One or more for each message: file name, message, event type, its data.
SAMPLES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("mfa_enabled", "mfa_enabled", "MFA_ENABLED", ORIGIN),
    ("mfa_disabled", "mfa_disabled", "MFA_DISABLED", ORIGIN),
    ("backup_codes_regenerated", "backup_codes_regenerated", "BACKUP_CODES_REGENERATED", ORIGIN),
    ("backup_code_used", "backup_code_used", "BACKUP_CODE_USED", {"remaining": 6, **ORIGIN}),
    ("backup_code_used_last", "backup_code_used", "BACKUP_CODE_USED", {"remaining": 0, **ORIGIN}),
    ("mfa_reset", "mfa_reset", "MFA_RESET", {}),
    ("mfa_challenge_locked", "mfa_challenge_locked", "MFA_CHALLENGE_LOCKED", LOCKED),
    ("sign_in_locked", "sign_in_locked", "SIGN_IN_LOCKED", LOCKED),
    ("policy_enabled", "policy_enabled", "POLICY_ENABLED", POLICY),
    (
        "policy_enabled_at_once",
        "policy_enabled",
        "POLICY_ENABLED",
        POLICY | {"graceDays": 0, "deadline": "2026-11-24T14:03:00Z"},
    ),
    ("policy_changed", "policy_changed", "POLICY_CHANGED", POLICY | {"previousDeadline": "2026-12-08T14:03:00Z"}),
    ("grace_reminder", "grace_reminder", "GRACE_REMINDER_SENT", POLICY | {"daysLeft": 3}),
    ("grace_reminder_last", "grace_reminder", "GRACE_REMINDER_SENT", POLICY | {"daysLeft": 1}),
    ("grace_period_ended", "grace_period_ended", "GRACE_PERIOD_ENDED", POLICY),
)
INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The emails of Gatehouse</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }}
li {{ margin: .5rem 0; }}
</style>
<h1>The emails of Gatehouse</h1>
<ul>
{items}
</ul>
</html>
"""
ITEM = '<li><a href="{name}.html">{subject}</a> (<a href="{name}.txt">text</a>)</li>'


@click.group()
def emails() -> None:
    """The emails that Gatehouse sends."""


@emails.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def preview(directory: Path) -> None:
    """Write every email, with sample facts, into DIRECTORY; open its index.html."""
    directory.mkdir(parents=True, exist_ok=True)
    mails = [(name, sample(message, event_type, data)) for name, message, event_type, data in SAMPLES]
    for name, mail in mails:
        (directory / f"{name}.html").write_text(_part(mail, "html"), encoding="utf-8")
        (directory / f"{name}.txt").write_text(
            f"Subject: {mail['Subject']}\n\n{_part(mail, 'plain')}", encoding="utf-8"
        )
    items = "\n".join(ITEM.format(name=name, subject=escape(mail["Subject"])) for name, mail in mails)
    (directory / "index.html").write_text(INDEX.format(items=items), encoding="utf-8")
    click.echo(f"Wrote {len(mails)} emails. Open {directory / 'index.html'} in a browser.")


def sample(message: str, event_type: str, data: dict[str, Any]) -> EmailMessage:
    """One email to Mia, of the account Riverbend Studio."""
    from workers.emails import Facts, render

    facts = Facts(
        event_type=event_type,
        occurred_at=OCCURRED_AT,
        data=data,
        account_name="Riverbend Studio",
        recipient="mia@example.com",
        delivery_id=1,
        public_url="https://gatehouse.example.com",
        sender="Gatehouse <no-reply@gatehouse.example.com>",
    )
    return render(message, facts)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content
