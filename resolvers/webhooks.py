"""An account's webhooks, which its owners look after."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import db.often
import db.outbox
import db.webhook_deliveries
import db.webhooks
import resolvers.access
import resolvers.owning
import resolvers.staff
import rules.often
import rules.webhooks
from db.pool import Connection
from db.webhook_deliveries import Attempt, Delivery
from db.webhooks import Webhook
from resolvers.context import Context
from rules.chat import Format
from rules.events.webhooks import WebhookAdded, WebhookEnabled, WebhookRemoved, WebhookSecretRotated
from rules.failures import InvalidInput, NotFound, NotPermitted
from rules.people import Person
from rules.sealed import NONCE_BYTES, Sealed
from rules.sealing import KeyRing

LARGEST_PAGE = 100
DEFAULT_PAGE = 50
TO_CHANGE = "change its webhooks"


async def add(
    context: Context, account_id: UUID, url: str, event_types: list[str] | None, format_: Format = Format.STANDARD
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which nobody can show again. Raises InvalidInput, NotPermitted and the like."""
    person = await resolvers.access.owned_account(context, account_id, to=TO_CHANGE)
    service = context.service
    url = rules.webhooks.checked_url(url, production=service.production, allow_private=service.webhook_allow_private)
    async with resolvers.owning.as_owner(context, person, account_id) as connection:
        if len(await db.webhooks.of_account(connection, account_id)) >= rules.webhooks.MOST_WEBHOOKS:
            raise InvalidInput("url", f"An account has {rules.webhooks.MOST_WEBHOOKS} webhooks at most.")
        webhook, shown = await insert(connection, context.service.ring, account_id, url, event_types, format_)
        event = WebhookAdded(account_id=account_id, actor_id=person.id, host=rules.webhooks.host_of(url))
        await db.outbox.append(connection, event)
    return webhook, shown


async def insert(
    connection: Connection,
    ring: KeyRing,
    account_id: UUID | None,
    url: str,
    event_types: list[str] | None,
    format_: Format = Format.STANDARD,
) -> tuple[Webhook, str]:
    """A webhook with a fresh secret, and that secret."""
    webhook_id = uuid4()
    sealed, shown = fresh_secret(ring, webhook_id)
    types = list(dict.fromkeys(event_types)) if event_types else None
    return await db.webhooks.add(connection, webhook_id, account_id, url, types, sealed, format_), shown


def fresh_secret(ring: KeyRing, webhook_id: UUID) -> tuple[Sealed, str]:
    """A new secret, sealed and as it is shown."""
    secret = secrets.token_bytes(rules.webhooks.SECRET_BYTES)
    sealed = ring.seal(secret, rules.webhooks.SECRET_PURPOSE, webhook_id, secrets.token_bytes(NONCE_BYTES))
    return sealed, rules.webhooks.shown_secret(secret)


async def remove(context: Context, webhook_id: UUID) -> None:
    """Tell the endpoint of nothing more. Raises NotFound, NotPermitted."""
    async with _changing(context, webhook_id) as (connection, person, webhook):
        if not await db.webhooks.remove(connection, webhook_id):
            raise NotFound
        event = WebhookRemoved(
            account_id=webhook.account_id, actor_id=person.id, host=rules.webhooks.host_of(webhook.url)
        )
        await db.outbox.append(connection, event)


async def rotate(context: Context, webhook_id: UUID) -> tuple[Webhook, str]:
    """A new secret; the one before signs along for 24 hours. Raises NotFound, NotPermitted."""
    sealed, shown = fresh_secret(context.service.ring, webhook_id)
    async with _changing(context, webhook_id) as (connection, person, webhook):
        if not await db.webhooks.rotate(connection, webhook_id, sealed):
            raise NotFound
        host = rules.webhooks.host_of(webhook.url)
        event = WebhookSecretRotated(account_id=webhook.account_id, actor_id=person.id, host=host)
        await db.outbox.append(connection, event)
    return webhook, shown


async def enable(context: Context, webhook_id: UUID) -> Webhook:
    """Switch it on again; one that is on stays so. Raises NotFound, NotPermitted."""
    async with _changing(context, webhook_id) as (connection, person, webhook):
        if await db.webhooks.enable(connection, webhook_id):
            event = WebhookEnabled(
                account_id=webhook.account_id, actor_id=person.id, host=rules.webhooks.host_of(webhook.url)
            )
            await db.outbox.append(connection, event)
        found = await db.webhooks.load(connection, webhook_id)
        if found is None:
            raise NotFound
    return found


async def test(context: Context, webhook_id: UUID) -> Delivery:
    """Send a test event. Raises NotFound, NotPermitted and TooManyAttempts."""
    async with _changing(context, webhook_id) as (connection, _, webhook):
        await _require_on(connection, webhook_id)
        await _count(connection, webhook, "tests", rules.often.WEBHOOK_TESTS)
        delivery_id = await db.webhook_deliveries.add_test(connection, webhook_id)
        (delivery,) = await db.webhook_deliveries.of_webhook(connection, webhook_id, None, 1, delivery_id)
    return delivery


async def send_again(context: Context, delivery_id: int) -> Delivery:
    """Begin a delivery anew, unless it is on its way. Raises NotFound, NotPermitted and TooManyAttempts."""
    await context.person()  # first: nobody else hears which deliveries there are
    async with context.database.connection() as connection:
        webhook_id = await db.webhook_deliveries.webhook_of(connection, delivery_id)
    if webhook_id is None:
        raise NotFound
    async with _changing(context, webhook_id) as (connection, _, webhook):
        await _require_on(connection, webhook_id)
        if await db.webhook_deliveries.send_again(connection, delivery_id):
            await _count(connection, webhook, "resends", rules.often.WEBHOOK_RESENDS)
        (delivery,) = await db.webhook_deliveries.of_webhook(connection, webhook_id, None, 1, delivery_id)
    return delivery


async def of_account(context: Context, account_id: UUID) -> list[Webhook]:
    """The account's webhooks, for owners, admins and super-admins."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.webhooks.of_account(connection, account_id)


async def webhook(context: Context, webhook_id: UUID) -> Webhook:
    """One webhook, for whoever may see its account's security page. Raises NotFound."""
    await context.person()
    async with context.database.connection() as connection:
        found = await db.webhooks.load(connection, webhook_id)
    if found is None or found.account_id is None:
        raise NotFound
    await resolvers.access.viewed_account(context, found.account_id)
    return found


async def deliveries(context: Context, found: Webhook, first: int | None, before: int | None) -> list[Delivery]:
    """Its deliveries, newest first. Raises BadUserInput."""
    limit = resolvers.staff.page_size(first, LARGEST_PAGE, DEFAULT_PAGE)
    async with context.database.connection() as connection:
        return await db.webhook_deliveries.of_webhook(connection, found.id, before, limit)


async def attempts(context: Context, delivery_id: int) -> list[Attempt]:
    """A delivery's attempts, newest first."""
    async with context.database.connection() as connection:
        return await db.webhook_deliveries.attempts(connection, delivery_id)


async def _require_on(connection: Connection, webhook_id: UUID) -> None:
    """Raises NotPermitted for one that is off: what is written for it would wait for ever."""
    if not await db.webhooks.is_on(connection, webhook_id):
        raise NotPermitted("This webhook is switched off. Switch it on first.")


async def _count(connection: Connection, webhook: Webhook, what: str, most: int) -> None:
    """Of all webhooks of the account: each is a call of somebody's server."""
    key = rules.often.webhook_key(what, webhook.account_id)
    await db.often.charge(connection, [key], most, rules.often.WEBHOOK_SPAN, rules.often.WEBHOOKS_TOO_OFTEN)


@asynccontextmanager
async def _changing(context: Context, webhook_id: UUID) -> AsyncIterator[tuple[Connection, Person, Webhook]]:
    found = await webhook(context, webhook_id)
    assert found.account_id is not None
    person = await resolvers.access.owned_account(context, found.account_id, to=TO_CHANGE)
    async with resolvers.owning.as_owner(context, person, found.account_id) as connection:
        yield connection, person, found
