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
import rules.chat
from schema.audit import AuditEventType
from schema.common import Info, told
from schema.failures import InvalidInput, NotPermitted, TooManyAttempts


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
        found = await resolvers.webhooks.deliveries(info.context, self.facts, first, _number(before))
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


@strawberry.input(description="An endpoint to tell of events.")
class AddWebhookInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    url: str = strawberry.field(description="Where to tell: https:// in production, and no private address.")
    event_types: list[AuditEventType] | None = strawberry.field(
        default=None, description="Of which events; of all when null or empty."
    )
    format: WebhookFormat | None = strawberry.field(default=None, description="How to tell; STANDARD when null.")


@strawberry.input(description="Which webhook.")
class WebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="Which delivery.")
class ResendWebhookDeliveryInput:
    delivery_id: strawberry.ID = strawberry.field(description="The delivery.")


@strawberry.type(description="The endpoint is told from now on.")
class WebhookAdded:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str = strawberry.field(description="What deliveries are signed with, whsec_…; shown only now.")


@strawberry.type(description="The endpoint is told of nothing more.")
class WebhookRemoved:
    ok: bool = strawberry.field(description="Always true.")


@strawberry.type(description="Deliveries are signed with a new secret; for 24 hours with the one before, too.")
class WebhookSecretRotated:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str = strawberry.field(description="The new secret, whsec_…; shown only now.")


@strawberry.type(description="The webhook is on.")
class WebhookEnabled:
    webhook: Webhook = strawberry.field(description="The webhook.")


@strawberry.type(description="The delivery is on its way.")
class WebhookDeliveryQueued:
    delivery: WebhookDelivery = strawberry.field(description="The delivery.")


AddWebhookResult = Annotated[
    WebhookAdded | InvalidInput | NotPermitted,
    strawberry.union("AddWebhookResult", description="What came of adding the endpoint."),
]
RemoveWebhookResult = Annotated[
    WebhookRemoved | NotPermitted,
    strawberry.union("RemoveWebhookResult", description="What came of removing the webhook."),
]
RotateWebhookSecretResult = Annotated[
    WebhookSecretRotated | NotPermitted,
    strawberry.union("RotateWebhookSecretResult", description="What came of changing the secret."),
]
EnableWebhookResult = Annotated[
    WebhookEnabled | NotPermitted,
    strawberry.union("EnableWebhookResult", description="What came of switching it on."),
]
TestWebhookResult = Annotated[
    WebhookDeliveryQueued | NotPermitted | TooManyAttempts,
    strawberry.union("TestWebhookResult", description="What came of asking for a test."),
]
ResendWebhookDeliveryResult = Annotated[
    WebhookDeliveryQueued | NotPermitted | TooManyAttempts,
    strawberry.union("ResendWebhookDeliveryResult", description="What came of sending again."),
]
Which = Annotated[WebhookInput, strawberry.argument(description="Which.")]


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


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(description="Tells an endpoint of the account's events from now on. Owners only.")
    async def add_webhook(
        self,
        info: Info,
        input: Annotated[AddWebhookInput, strawberry.argument(description="Where, and of what.")],  # noqa: A002
    ) -> AddWebhookResult | None:
        types = [each.name for each in input.event_types] if input.event_types else None
        format_ = rules.chat.Format(input.format.name) if input.format else rules.chat.Format.STANDARD
        webhook, secret = await resolvers.webhooks.add(
            info.context, resolvers.access.parse_id(input.account_id), input.url, types, format_
        )
        return WebhookAdded(webhook=Webhook.of(webhook), secret=secret)

    @strawberry.mutation(description="Tells an endpoint of nothing more. Owners only.")
    async def remove_webhook(self, info: Info, input: Which) -> RemoveWebhookResult | None:  # noqa: A002
        await resolvers.webhooks.remove(info.context, resolvers.access.parse_id(input.webhook_id))
        return WebhookRemoved(ok=True)

    @strawberry.mutation(description="Gives a webhook a new secret; the one before signs along for 24 hours.")
    async def rotate_webhook_secret(
        self,
        info: Info,
        input: Which,  # noqa: A002
    ) -> RotateWebhookSecretResult | None:
        webhook, secret = await resolvers.webhooks.rotate(info.context, resolvers.access.parse_id(input.webhook_id))
        return WebhookSecretRotated(webhook=Webhook.of(webhook), secret=secret)

    @strawberry.mutation(description="Switches a webhook on again that was switched off. Owners only.")
    async def enable_webhook(self, info: Info, input: Which) -> EnableWebhookResult | None:  # noqa: A002
        webhook = await resolvers.webhooks.enable(info.context, resolvers.access.parse_id(input.webhook_id))
        return WebhookEnabled(webhook=Webhook.of(webhook))

    @strawberry.mutation(description="Sends a test, of type TEST, to a webhook. Owners only.")
    async def test_webhook(self, info: Info, input: Which) -> TestWebhookResult | None:  # noqa: A002
        delivery = await resolvers.webhooks.test(info.context, resolvers.access.parse_id(input.webhook_id))
        return WebhookDeliveryQueued(delivery=WebhookDelivery.of(info, delivery))

    @strawberry.mutation(description="Sends a delivery again that has ended, under its webhook-id. Owners only.")
    async def resend_webhook_delivery(
        self,
        info: Info,
        input: Annotated[ResendWebhookDeliveryInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> ResendWebhookDeliveryResult | None:
        delivery = await resolvers.webhooks.send_again(info.context, _number(input.delivery_id) or 0)
        return WebhookDeliveryQueued(delivery=WebhookDelivery.of(info, delivery))


def _number(text: str | None) -> int | None:
    """An id that is a number; what cannot be one is one that nothing has."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
