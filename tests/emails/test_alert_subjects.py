"""The subject of an alert says what has happened, also where owners choose of several such things at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.alerts import Heard
from rules.alerts import AlertKind
from rules.events.account_recovery import AccountRecoveryChanged
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.catalogue import samples
from rules.events.policy import PolicyDisabled
from rules.events.providers import DomainReleased, DomainRequested, ProviderMfaAllowed
from rules.events.resets import ResetApprovalChanged
from rules.events.samples import ACCOUNT_ID, ADMIN_ID
from rules.events.stored import Stored
from rules.events.webhooks import WebhookAdded, WebhookSecretRotated
from tests.emails.rendering import FACTS
from workers.emails import render

POLICY = "The security policy of your agency was changed"
SUBJECTS = [
    (WebhookAdded, "A webhook was added to your agency"),
    (WebhookSecretRotated, "A webhook of your agency got a new secret"),
    (DomainRequested, "Somebody asked that one provider vouch for a domain of your agency"),
    (DomainReleased, "Any provider may vouch for a domain of your agency now"),
    (ProviderMfaAllowed, POLICY),
    (PolicyDisabled, POLICY),
    (AccountRecoveryChanged, POLICY),
    (ResetApprovalChanged, POLICY),
]


def subject_of(*happened: type[Event]) -> str:
    """The subject of the alert that these were told by, the newest first."""
    events = [next(iter(samples(kind).values())) for kind in happened]
    alert = AlertRaised(
        account_id=ACCOUNT_ID,
        subject_id=ADMIN_ID,
        kind=AlertKind.POLICY_CHANGED,
        count=len(events),
        told=("…",) * len(events),
        is_gathered=len(events) > 1,
    )
    heard = tuple(Heard(Stored.of(event), None, None, ("Riverbend Studio",), len(events)) for event in events)
    return str(render("alert", replace(FACTS, event=alert, recipient="mia@example.com", heard=heard))["Subject"])


@pytest.mark.parametrize(("kind", "subject"), SUBJECTS)
def test_it_is_the_one_of_what_has_happened(kind: type[Event], subject: str) -> None:
    assert subject_of(kind) == subject


def test_of_several_that_are_no_policy_it_is_the_newests() -> None:
    assert subject_of(WebhookSecretRotated, WebhookAdded) == f"2 more alerts: {SUBJECTS[1][1]}"


def test_where_the_policy_was_changed_among_them_it_says_so() -> None:
    assert subject_of(WebhookAdded, PolicyDisabled) == f"2 more alerts: {POLICY}"


def test_an_alert_of_which_nothing_more_is_known_has_its_kinds() -> None:
    alert = samples(AlertRaised)["alert"]
    mail = render("alert", replace(FACTS, event=alert, recipient="mia@example.com"))
    assert mail["Subject"] == "Somebody of your agency turned off MFA"
