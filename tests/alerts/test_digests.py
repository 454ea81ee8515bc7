"""The weekly digest: once for each account and week, in numbers, and none when nothing is open."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.pool import Database
from rules.digests import due_since
from tests.alerts.hearing import mails, settle
from tests.people import World, email, require_mfa
from tests.reminders.cast import pool
from workers.digests import write_digests

__all__ = ["pool"]

NOTHING = {
    "pendingCount": 0,
    "blockedCount": 0,
    "exceptedCount": 0,
    "invitedCount": 0,
    "failingWebhookCount": 0,
}


async def age(cast: World) -> None:
    """Let the accounts be older than the week."""
    await cast.database.execute("UPDATE accounts SET created_at = now() - interval '30 days'")


async def digests(cast: World) -> list[dict[str, Any]]:
    """The numbers of the digests so far."""
    return [event["data"] for event in await cast.events("DIGEST_SENT")]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T08:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T07:59:59", "2026-11-16T08:00:00"),
        ("2026-11-29T23:59:59", "2026-11-23T08:00:00"),
        ("2027-01-01T00:00:00", "2026-12-28T08:00:00"),
    ],
)
def test_it_is_due_on_mondays(now: str, due: str) -> None:
    assert due_since(datetime.fromisoformat(now).replace(tzinfo=UTC)).isoformat() == f"{due}+00:00"


async def test_it_tells_what_is_open_in_numbers_once_with_however_many_planners(cast: World, pool: Database) -> None:
    await age(cast)
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    await cast.database.execute(
        "UPDATE staff SET excepted_until = now() + interval '9 days' WHERE email = $1", email("mia")
    )
    sent = await asyncio.gather(*(write_digests(pool) for _ in range(4)))
    assert sum(sent) == 1
    assert await write_digests(pool) == 0
    assert await digests(cast) == [NOTHING | {"pendingCount": 2, "exceptedCount": 1}]
    await settle(cast, pool)
    assert await mails(cast, "digest") == ["olive"]
    assert "agency.example" not in str(await digests(cast))
    assert await cast.database.fetchval("SELECT count(*) FROM account_events") == 0


async def test_past_the_deadline_it_counts_who_is_blocked_and_what_else_fails(cast: World, pool: Database) -> None:
    await age(cast)
    await require_mfa(cast.database, cast.account_id, days_ago=9, grace_days=7)
    await cast.database.execute("UPDATE staff SET invited_at = now() WHERE email = $1", email("adam"))
    await cast.database.execute(
        "INSERT INTO webhooks (account_id, url, secret_sealed, secret_key_id, failing_since) "
        "VALUES ($1, 'https://hooks.example.com', '', 'test', now())",
        cast.account_id,
    )
    await write_digests(pool)
    assert await digests(cast) == [NOTHING | {"blockedCount": 2, "invitedCount": 1, "failingWebhookCount": 1}]


async def test_none_when_nothing_is_open_nor_for_what_opens_later_in_the_week(cast: World, pool: Database) -> None:
    await age(cast)
    assert await write_digests(pool) == 0
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    assert await write_digests(pool) == 0
    await cast.database.execute("UPDATE digests SET week = week - $1::interval", timedelta(days=7))
    assert await write_digests(pool) == 1


async def test_an_account_that_is_younger_than_the_week_gets_none_yet(cast: World, pool: Database) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    assert await write_digests(pool) == 0
    assert await cast.database.fetchval("SELECT count(*) FROM digests") == 0


async def test_owners_choose_who_gets_it(cast: World, pool: Database) -> None:
    await age(cast)
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    await cast.database.execute("INSERT INTO alert_settings VALUES ($1, 'WEEKLY_DIGEST', false, true)", cast.account_id)
    await write_digests(pool)
    await settle(cast, pool)
    assert await mails(cast, "digest") == ["adam"]
