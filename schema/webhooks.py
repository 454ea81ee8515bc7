"""Webhooks: endpoints of an account that are told of its events, and each delivery to them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

import db.webhook_deliveries
import db.webhooks
import resolvers.access
import resolvers.webhooks
from schema.audit import AuditEventType
from schema.common import Info, number, told


@strawberry.enum(description="How an endpoint is told.")
class WebhookFormat(Enum):
    STANDARD = strawberry.enum_value("STANDARD", description="As Standard Webhooks has it, with all facts.")
    SLACK = strawberry.enum_value("SLACK", description="In a sentence, to a channel of Slack by its incoming webhook.")
    TEAMS = strawberry.enum_value(
        "TEAMS", description="In a sentence on a card, to a channel of Microsoft Teams by its incoming webhook."
    )


@strawberry.type(description="One try of a delivery.")
class WebhookAttempt:
    attempted_at: datetime = strawberry.field(description="When it ended.")
    duration_ms: int = strawberry.field(description="How long it took.")
    status: int | None = strawberry.field(description="The HTTP status; null when no answer came.")
    answer: str | None = strawberry.field(description="The first 1,000 bytes of the answer's body.")
    error: str | None = strawberry.field(description="Why it did not get through; null when it did.")

    @classmethod
    def of(cls, info: Info, attempt: db.webhook_deliveries.Attempt) -> WebhookAttempt:
        return cls(
            attempted_at=attempt.attempted_at,
            duration_ms=attempt.duration_ms,
            status=attempt.status,
            answer=attempt.answer,
            error=attempt.error and told(info, attempt.error),
        )


@strawberry.type(description="One event on its way to an endpoint.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="The delivery's id; the header webhook-id is msg_ and it.")
    event_id: strawberry.ID | None = strawberry.field(description="The event's id; null for a test.")
    type: str = strawberry.field(description="The event's type, or TEST.")
    state: str = strawberry.field(description="pending, sending, delivered or failed.")
    created_at: datetime = strawberry.field(description="When it was written.")
    attempt_count: int = strawberry.field(description="How often it has been tried.")
    next_attempt_at: datetime | None = strawberry.field(description="When it is tried next; null once it has ended.")
    status: int | None = strawberry.field(description="The HTTP status of the latest attempt.")
    duration_ms: int | None = strawberry.field(description="How long the latest attempt took.")
    answer: str | None = strawberry.field(description="The first 1,000 bytes that it was answered.")
    error: str | None = strawberry.field(description="Why the latest attempt did not get through; null when it did.")

    @strawberry.field(description="Each attempt, newest first.")
    async def attempts(self, info: Info) -> list[WebhookAttempt]:
        return [WebhookAttempt.of(info, each) for each in await resolvers.webhooks.attempts(info.context, int(self.id))]

    @classmethod
    def of(cls, info: Info, delivery: db.webhook_deliveries.Delivery) -> WebhookDelivery:
        return cls(
            id=strawberry.ID(str(delivery.id)),
            event_id=strawberry.ID(str(delivery.event_id)) if delivery.event_id is not None else None,
            type=delivery.type,
            state=delivery.state,
            created_at=delivery.created_at,
            attempt_count=delivery.attempts,
            next_attempt_at=delivery.next_attempt_at if delivery.state in {"pending", "sending"} else None,
            status=delivery.status,
            duration_ms=delivery.duration_ms,
            answer=delivery.answer,
            error=delivery.error and told(info, delivery.error),
        )


@strawberry.type(description="An endpoint that is told of an account's events, as Standard Webhooks has it.")
class Webhook:
    id: strawberry.ID = strawberry.field(description="The webhook's id.")
    url: str = strawberry.field(description="Where it is told.")
    event_types: list[AuditEventType] | None = strawberry.field(description="Of which events; null for all.")
    format: WebhookFormat = strawberry.field(description="How it is told.")
    created_at: datetime = strawberry.field(description="Since when.")
    failing_since: datetime | None = strawberry.field(description="Since when every attempt has failed.")
    disabled_at: datetime | None = strawberry.field(description="When it was switched off after three such days.")
    facts: strawberry.Private[db.webhooks.Webhook]

    @strawberry.field(description="Its deliveries, newest first.")
    async def deliveries(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description="How many at most: 0 to 100; 50 when null.")
        ] = None,
        before: Annotated[
            strawberry.ID | None, strawberry.argument(description="A delivery's id: only those before it.")
        ] = None,
    ) -> list[WebhookDelivery]:
        found = await resolvers.webhooks.deliveries(info.context, self.facts, first, number(before))
        return [WebhookDelivery.of(info, delivery) for delivery in found]

    @classmethod
    def of(cls, webhook: db.webhooks.Webhook) -> Webhook:
        types = webhook.event_types
        return cls(
            id=strawberry.ID(str(webhook.id)),
            url=webhook.url,
            event_types=[AuditEventType[name] for name in types] if types is not None else None,
            format=WebhookFormat[webhook.format],
            created_at=webhook.created_at,
            failing_since=webhook.failing_since,
            disabled_at=webhook.disabled_at,
            facts=webhook,
        )


@strawberry.type
class WebhookQuery:
    @strawberry.field(
        description="A webhook of an account whose security page the viewer may see. Otherwise null with NOT_FOUND."
    )
    async def webhook(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The webhook's id.")],  # noqa: A002
    ) -> Webhook | None:
        return Webhook.of(await resolvers.webhooks.webhook(info.context, resolvers.access.parse_id(id)))
