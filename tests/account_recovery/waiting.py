"""Somebody who waits to come back alone, and the time that passes meanwhile."""

from __future__ import annotations

from typing import Any

from db.pool import Database
from rules.links import Purpose
from tests.account_recovery.operations import REQUEST, START
from tests.client import Client
from tests.coming_in.links import link_to
from tests.people import Factor, World, email
from tests.reminders.cast import planned


async def allow(world: World, owner: int = 7, admin: int = 5, member: int = 3, account: str = "Agency") -> None:
    """Let the account's staff come back alone after so many days."""
    await world.database.execute(
        "INSERT INTO account_recovery_policies SELECT id, $2, $3, $4 FROM accounts WHERE name = $1 "
        "ON CONFLICT (account_id) DO UPDATE SET owner_days = $2, admin_days = $3, member_days = $4",
        account,
        owner,
        admin,
        member,
    )


async def ask(world: World, name: str = "mia") -> dict[str, Any]:
    """Give the password, and ask at the challenge."""
    client, token = await world.challenge(name)
    return await client.do(REQUEST, token=token)


async def start(world: World, name: str = "mia") -> dict[str, Any]:
    """Open the link of the email."""
    token = await link_to(world, email(name), Purpose.START_RECOVERY)
    return await world.client().do(START, token=token)


async def started(world: World, name: str = "mia") -> tuple[Client, Factor]:
    """Let it wait for this person, who is signed in: their client and factor."""
    await allow(world)
    client = await world.sign_in(name)
    factor = await world.enroll(client)
    answer = await start(world, name)
    assert answer["__typename"] == "AccountRecoveryStarted", answer
    return client, factor


async def tell(world: World, pool: Database) -> list[str]:
    """Let all mails have left; whom they went to."""
    names = await planned(world, pool)
    await world.database.execute("UPDATE deliveries SET state = 'sent', sent_at = now(), claim_id = NULL")
    return names


async def told(world: World) -> dict[str, list[str]]:
    """Whom the mails about account recovery went to so far, by message."""
    found: dict[str, list[str]] = {}
    for row in await world.database.fetch(
        "SELECT message, split_part(email, '@', 1) AS name FROM deliveries WHERE message LIKE 'account_recovery_%' "
        "ORDER BY email"
    ):
        found.setdefault(row["message"], []).append(row["name"])
    return found


async def let_pass(world: World, days: float) -> None:
    """Let so many days pass for whoever waits, and was mailed of it each day if they ever were."""
    await stand_still(world, days)
    await world.database.execute(
        "UPDATE deliveries SET sent_at = now() - interval '24 hours' "
        "WHERE sent_at < now() - interval '24 hours' AND message LIKE 'account_recovery_%'"
    )


async def stand_still(world: World, days: float) -> None:
    """Let so many days pass in which nothing ran."""
    await world.database.execute(
        "UPDATE deliveries SET sent_at = sent_at - $1::float8 * interval '24 hours' WHERE state = 'sent'", days
    )
    await world.database.execute(
        "UPDATE account_recoveries SET started_at = started_at - $1::float8 * interval '24 hours', "
        "ends_at = ends_at - $1::float8 * interval '24 hours', told_at = told_at - $1::float8 * interval '24 hours'",
        days,
    )


async def stop_link(world: World, name: str = "mia", event_type: str = "ACCOUNT_RECOVERY_STARTED") -> str:
    """The token of the link to stop it, as this person's mail about the latest event of this type holds it."""
    return await link_to(world, email(name), Purpose.STOP_RECOVERY, about=event_type, minutes=24 * 60)


async def is_enrolled(world: World, name: str = "mia") -> bool:
    """Whether the person has a factor."""
    found = "SELECT true FROM factors WHERE user_id = $1"
    return bool(await world.database.fetchval(found, await world.user_id(name)))


async def waits(world: World) -> bool:
    """Whether anybody waits, whether or not it holds."""
    return bool(await world.database.fetchval("SELECT count(*) FROM account_recoveries"))
