"""The timetable's reminders, all the way to the mailbox."""

from __future__ import annotations

from tests.line import Line
from tests.people import email, require_mfa


async def test_what_is_due_is_reminded_of_once_without_anybody_asking(line: Line) -> None:
    await require_mfa(line.database, line.world.account_id, days_ago=4.5, grace_days=7)
    await line.start("relay", "worker", "worker", "beat", "beat")
    await line.until_all("sent", 3)
    assert {str(mail["to"]): str(mail["subject"]) for mail in line.mailbox.messages} == {
        email(name): "3 days left to set up MFA" for name in ("olive", "adam", "mia")
    }
    assert len(line.mailbox.messages) == 3
    assert await line.database.fetchval(
        "SELECT bool_and(last_reminded_at IS NOT NULL) FROM staff WHERE account_id = $1", line.world.account_id
    )
