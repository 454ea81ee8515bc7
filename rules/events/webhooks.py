"""What happens to webhooks."""

from __future__ import annotations

from dataclasses import dataclass

import rules.events.mailing
from rules.alerts import AlertKind
from rules.events.base import Event
from rules.events.samples import ACCOUNT_ID


@dataclass(frozen=True, kw_only=True)
class WebhookAdded(Event):
    description = "An endpoint began to be told of events."
    sentence = "{actor} added a webhook to {host}."
    alert = AlertKind.POLICY_CHANGED
    alert_headline = "A webhook was added to your agency"
    samples = {"webhook_added": {"host": "hooks.example.com"}}

    host: str


@dataclass(frozen=True, kw_only=True)
class WebhookRemoved(Event):
    description = "An endpoint is told of events no more."
    sentence = "{actor} removed the webhook to {host}."
    samples = {"webhook_removed": {"host": "hooks.example.com"}}

    host: str


@dataclass(frozen=True, kw_only=True)
class WebhookSecretRotated(Event):
    description = "A webhook got a new secret."
    sentence = "{actor} changed the secret of the webhook to {host}."
    alert = AlertKind.POLICY_CHANGED
    alert_headline = "A webhook of your agency got a new secret"
    samples = {"webhook_secret_rotated": {"host": "hooks.example.com"}}

    host: str


@dataclass(frozen=True, kw_only=True)
class WebhookEnabled(Event):
    description = "A webhook that was switched off was switched on again."
    sentence = "{actor} switched the webhook to {host} on again."
    samples = {"webhook_enabled": {"host": "hooks.example.com"}}

    host: str


@dataclass(frozen=True, kw_only=True)
class WebhookDisabled(Event):
    description = "A webhook was switched off: its endpoint had failed for three days."
    sentence = "The webhook to {host} was switched off: it had failed for three days."
    mailing = rules.events.mailing.to_owners("webhook_disabled")
    samples = {"webhook_disabled": {"account_id": ACCOUNT_ID, "host": "hooks.example.com"}}

    host: str
