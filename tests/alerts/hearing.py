"""What owners and admins are told of, as planned and without a mail server."""

from __future__ import annotations

from typing import Any

from db import outbox
from db.pool import Database
from rules.alerts import AlertKind
from rules.clients import Client as Origin
from rules.events.base import Event
from rules.events.mfa import MfaDisabled
from rules.events.policy import PolicyDisabled, PolicyEnabled
from rules.events.providers import DomainReleased, DomainRequested, ProviderMfaAllowed
from rules.events.staff import AccountViewed
from rules.events.webhooks import WebhookAdded, WebhookSecretRotated
from tests.people import World
from workers.dispatching import Dispatcher

HERE = Origin(None, "203.0.113.7")
ABOUT_PROVIDERS = (DomainReleased, DomainRequested, ProviderMfaAllowed)
ABOUT_NOBODY = (PolicyEnabled, PolicyDisabled, AccountViewed, WebhookAdded, WebhookSecretRotated, *ABOUT_PROVIDERS)


async def happen(cast: World, pool: Database, *events: Event) -> None:
    """Let this have happened, and be planned with all that follows from it."""
    async with pool.transaction() as connection:
        await outbox.append_all(connection, events)
    await settle(cast, pool)


async def settle(cast: World, pool: Database) -> None:
    """Plan until nothing is left to plan."""
    while ids := await cast.database.fetch("SELECT id FROM events WHERE dispatched_at IS NULL ORDER BY id"):
        for row in ids:
            await Dispatcher().dispatch(pool, row["id"])


async def alerts(cast: World) -> list[tuple[str, str, int]]:
    """The alerts so far: to whom, of which kind, and of how many."""
    rows = await cast.database.fetch(
        "SELECT split_part(users.email, '@', 1) AS name, data FROM events JOIN users ON users.id = subject_id "
        "WHERE type = 'ALERT_RAISED' ORDER BY events.id"
    )
    return [(row["name"], row["data"]["kind"], row["data"]["count"]) for row in rows]


async def mails(cast: World, message: str) -> list[str]:
    """Who is mailed this message, in the order of the mails."""
    rows = await cast.database.fetch(
        "SELECT split_part(email, '@', 1) AS name FROM deliveries WHERE message = $1 ORDER BY event_id, email", message
    )
    return [row["name"] for row in rows]


async def let_an_hour_pass(cast: World) -> None:
    """Let each turn end."""
    await cast.database.execute("UPDATE alert_hours SET until = until - interval '1 hour'")


async def made(cast: World, kind: type[Event], facts: dict[str, Any]) -> Event:
    """Such an event of the agency, by Adam."""
    subject_id = None if issubclass(kind, ABOUT_NOBODY) else await cast.user_id("mia")
    return kind(account_id=cast.account_id, actor_id=await cast.user_id("adam"), subject_id=subject_id, **facts)


async def turned_off(cast: World, name: str = "mia") -> Event:
    """Somebody turned off MFA."""
    user_id = await cast.user_id(name)
    return MfaDisabled(subject_id=user_id, actor_id=user_id, client=HERE)


async def choose(cast: World, kind: AlertKind, *, owners: bool, admins: bool) -> None:
    """Let the agency's alerts of a kind go to these."""
    await cast.database.execute(
        "INSERT INTO alert_settings VALUES ($1, $2, $3, $4)", cast.account_id, kind, owners, admins
    )
