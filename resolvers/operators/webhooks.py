"""Webhooks as operators look after them: of one account, or of the whole platform."""

from __future__ import annotations

from uuid import UUID

import db.outbox
import db.webhook_deliveries
import db.webhooks
import resolvers.operators.finding
import resolvers.webhooks
import rules.webhooks
from db.pool import Database
from db.webhooks import Webhook
from resolvers.operators.finding import OperatorError
from rules.chat import Format
from rules.events.catalogue import SHOWN
from rules.events.webhooks import WebhookAdded, WebhookRemoved
from rules.failures import InvalidInput
from rules.sealing import KeyRing


async def add(
    database: Database,
    ring: KeyRing,
    account_id: UUID | None,
    url: str,
    event_types: list[str],
    *,
    format_: Format,
    production: bool,
    allow_private: bool,
) -> tuple[UUID, str]:
    """A new webhook's id and secret. Raises OperatorError."""
    if unknown := sorted(set(event_types) - {event.type() for event in SHOWN}):
        raise OperatorError(f"There is no event type {unknown[0]}: see `gatehouse webhooks schema`.")
    try:
        url = rules.webhooks.checked_url(url, production=production, allow_private=allow_private)
    except InvalidInput as error:
        raise OperatorError(error.message) from None
    async with database.transaction() as connection:
        if account_id is not None:
            await resolvers.operators.finding.keep_account(connection, account_id)
        webhook, secret = await resolvers.webhooks.insert(connection, ring, account_id, url, event_types, format_)
        await db.outbox.append(connection, WebhookAdded(account_id=account_id, host=rules.webhooks.host_of(url)))
    return webhook.id, secret


async def of_account(database: Database, account_id: UUID | None) -> list[Webhook]:
    """The account's webhooks, or the platform's."""
    async with database.connection() as connection:
        return await db.webhooks.of_account(connection, account_id)


async def test(database: Database, webhook_id: UUID) -> str:
    """Send a test; where to. Raises OperatorError."""
    async with database.transaction() as connection:
        found = await db.webhooks.load(connection, webhook_id)
        if found is None:
            raise OperatorError(f"There is no webhook with the id {webhook_id}.")
        await db.webhook_deliveries.add_test(connection, webhook_id)
    return rules.webhooks.host_of(found.url)


async def remove(database: Database, webhook_id: UUID) -> str:
    """Tell an endpoint of nothing more; where it was. Raises OperatorError."""
    async with database.transaction() as connection:
        found = await db.webhooks.load(connection, webhook_id)
        if found is None or not await db.webhooks.remove(connection, webhook_id):
            raise OperatorError(f"There is no webhook with the id {webhook_id}.")
        host = rules.webhooks.host_of(found.url)
        await db.outbox.append(connection, WebhookRemoved(account_id=found.account_id, host=host))
    return host
