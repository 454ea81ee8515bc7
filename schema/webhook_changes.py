"""Adding webhooks, and what can be done with one."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.access
import resolvers.webhooks
import rules.chat
from schema.audit import AuditEventType
from schema.common import Info, number
from schema.failures import InvalidInput, NotPermitted, TooManyAttempts
from schema.webhooks import Webhook, WebhookDelivery, WebhookFormat


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
        delivery = await resolvers.webhooks.send_again(info.context, number(input.delivery_id) or 0)
        return WebhookDeliveryQueued(delivery=WebhookDelivery.of(info, delivery))
