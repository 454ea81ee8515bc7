"""A reminder by hand that fails uses up nobody's 24 hours, and shows on the roster."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP

from db.pool import Database
from tests.account.acts import ask_account, remind
from tests.client import Client, serving, settings_for
from tests.line import Line
from tests.operations import REMINDERS
from tests.people import World, email, require_mfa
from tests.reminders.cast import planned, pool, sends

__all__ = ["pool"]


@pytest_asyncio.fixture
async def served(line: Line, database_url: str) -> AsyncIterator[World]:
    """The line's cast, with an API beside it."""
    await require_mfa(line.database, line.world.account_id, days_ago=2, grace_days=7)
    async with serving(settings_for(database_url)) as base_url:
        line.world.base_url = base_url
        yield line.world


async def shown(client: Client, world: World) -> tuple[bool, bool]:
    """Whether the roster shows a reminder of Mia's, and one that failed."""
    (node,) = (await ask_account(client, world, REMINDERS))["nodes"]
    return node["lastRemindedAt"] is not None, node["lastReminderFailedAt"] is not None


async def test_a_refused_reminder_shows_as_failed_and_may_be_repeated_at_once(line: Line, served: World) -> None:
    refuses = [True]

    async def refuse_mia(server: SMTP, address: str) -> str | None:
        return "550 5.1.1 No such user" if refuses and address == email("mia") else None

    line.mailbox.reply_to_rcpt = refuse_mia
    await line.start("relay", "worker", "beat")
    olive = await served.sign_in("olive")
    assert await shown(olive, served) == (False, False)
    assert (await remind(olive, served, "mia", "adam"))["remindedCount"] == 2
    await line.mailbox.wait_for(1)  # Adam's

    async def has_failed() -> bool:
        return (await shown(olive, served)) == (False, True)

    await line.until(has_failed, "the roster shows that the reminder failed")
    assert (await remind(olive, served, "adam"))["remindedCount"] == 0
    refuses.clear()
    assert (await remind(olive, served, "mia"))["remindedCount"] == 1
    assert (await remind(olive, served, "mia"))["remindedCount"] == 0

    async def is_shown() -> bool:
        return (await shown(olive, served)) == (True, False)

    await line.until(is_shown, "the roster shows the second one")
    assert line.mailbox.subjects(email("mia")) == ["5 days left to set up MFA"]


@pytest.mark.parametrize("change", ["expires_at = now()", "required_since = required_since - interval '1 s'"])
async def test_a_reminder_dropped_at_the_send_may_be_repeated_at_once(
    world: World, pool: Database, change: str
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=2, grace_days=7)
    olive = await world.sign_in("olive")
    await remind(olive, world, "mia")
    assert await planned(world, pool) == ["mia"]
    await world.database.execute(f"UPDATE deliveries SET {change}")
    assert await sends(world, pool) == []
    assert (await remind(olive, world, "mia"))["remindedCount"] == 1
