"""Webhooks as operators look after them: of one account, or of the whole platform."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import db.outbox
import db.webhook_deliveries
import db.webhooks
import resolvers.operators.finding
import resolvers.webhooks
import rules.webhooks
from db.pool import Connection, Database
from db.webhooks import Webhook
from resolvers.operators.finding import OperatorError
from rules.chat import Format
from rules.events.catalogue import SHOWN
from rules.events.webhooks import WebhookAdded, WebhookEnabled, WebhookRemoved
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


async def enable(database: Database, webhook_id: UUID) -> str:
    """Switch an endpoint on again, one that is on stays so; where it is. Raises OperatorError."""
    async with database.transaction() as connection:
        found = await _found(connection, webhook_id)
        host = rules.webhooks.host_of(found.url)
        if await db.webhooks.enable(connection, webhook_id):
            await db.outbox.append(connection, WebhookEnabled(account_id=found.account_id, host=host))
    return host


async def test(database: Database, webhook_id: UUID) -> str:
    """Send a test; where to. Raises OperatorError."""
    async with database.transaction() as connection:
        found = await _found_on(connection, webhook_id)
        await db.webhook_deliveries.add_test(connection, webhook_id)
    return rules.webhooks.host_of(found.url)


async def send_again(database: Database, webhook_id: UUID, tell: Callable[[int], None]) -> tuple[int, str]:
    """Begin anew whatever has failed at an endpoint, telling how much that is so far; how much, and where.

    A transaction for each step, since there may be a million. Raises OperatorError, also amid it.
    """
    count = last = 0
    while True:
        async with database.transaction() as connection:
            found = await _found_on(connection, webhook_id)
            begun, last = await db.webhook_deliveries.send_failed_again(connection, webhook_id, last)
        count += begun
        if begun < db.webhook_deliveries.BATCH:
            return count, rules.webhooks.host_of(found.url)
        tell(count)


async def remove(database: Database, webhook_id: UUID) -> str:
    """Tell an endpoint of nothing more; where it was. Raises OperatorError."""
    async with database.transaction() as connection:
        found = await _found(connection, webhook_id)
        if not await db.webhooks.remove(connection, webhook_id):
            raise _nothing(webhook_id)
        host = rules.webhooks.host_of(found.url)
        await db.outbox.append(connection, WebhookRemoved(account_id=found.account_id, host=host))
    return host


async def _found(connection: Connection, webhook_id: UUID) -> Webhook:
    found = await db.webhooks.load(connection, webhook_id)
    if found is None:
        raise _nothing(webhook_id)
    return found


async def _found_on(connection: Connection, webhook_id: UUID) -> Webhook:
    found = await _found(connection, webhook_id)
    if not await db.webhooks.is_on(connection, webhook_id):
        raise OperatorError(f"The webhook is switched off: `gatehouse webhooks enable {webhook_id}` first.")
    return found


def _nothing(webhook_id: UUID) -> OperatorError:
    return OperatorError(f"There is no webhook with the id {webhook_id}.")
