"""Owners and admins are told by email of what happens in their account, as they have chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.pool import Database
from resolvers.webhooks import insert
from rules.alerts import AlertKind
from rules.events.base import Event
from rules.events.mfa import MfaDisabled, MfaEnabled, MfaReset
from rules.events.policy import PolicyDisabled, PolicyEnabled
from rules.events.providers import DomainReleased, DomainRequested, ProviderMfaAllowed
from rules.events.signing_in import BackupCodeUsed, MfaChallengeLocked, SignInLocked, SignInRejected
from rules.events.staff import AccountViewed, StaffAdded, StaffInvited, StaffReactivated, StaffRoleChanged
from rules.events.standing import BreakGlassSignedIn, MfaDeadlineExtended, MfaExempted
from rules.events.webhooks import WebhookAdded, WebhookSecretRotated
from rules.people import Role
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.alerts.hearing import HERE, alerts, choose, happen, made, mails, turned_off
from tests.client import SECRET_KEYS
from tests.people import World, email
from tests.reminders.cast import pool

__all__ = ["pool"]

SOON = datetime.now(UTC) + timedelta(days=3)
BY_HAND = {"until": SOON, "reason": "Call https://evil.example"}


@dataclass
class Told:
    """An event of the agency, about Mia unless it is about nobody, and what an alert says of it."""

    event: type[Event]
    facts: dict[str, Any]
    kind: AlertKind
    sentence: str


LOCKED_UNTIL = {"client": HERE, "until": SOON}
OWNER = {"role": Role.OWNER}
REQUIRED = {"required_since": SOON, "deadline": SOON, "grace_days": 0}
TOLD = [
    Told(MfaDisabled, {"client": HERE}, AlertKind.MFA_DISABLED, "mia@agency.example turned off MFA."),
    Told(
        BackupCodeUsed,
        {"client": HERE, "remaining": 0},
        AlertKind.LAST_BACKUP_CODE_USED,
        "mia@agency.example signed in with a backup code; 0 left.",
    ),
    Told(
        SignInLocked,
        LOCKED_UNTIL,
        AlertKind.LOCKED,
        "Sign-in of mia@agency.example was locked after too many wrong passwords.",
    ),
    Told(
        MfaChallengeLocked,
        LOCKED_UNTIL,
        AlertKind.LOCKED,
        "Code entry of mia@agency.example was locked after too many wrong codes.",
    ),
    Told(MfaReset, {}, AlertKind.MFA_RESET, "adam@agency.example reset the MFA of mia@agency.example."),
    Told(
        PolicyEnabled,
        REQUIRED,
        AlertKind.POLICY_CHANGED,
        f"adam@agency.example required MFA of all staff by {SOON.day} {SOON:%B %Y}.",
    ),
    Told(PolicyDisabled, {}, AlertKind.POLICY_CHANGED, "adam@agency.example stopped requiring MFA."),
    Told(
        MfaDeadlineExtended,
        BY_HAND,
        AlertKind.EXCEPTION_GIVEN,
        f"adam@agency.example gave mia@agency.example until {SOON.day} {SOON:%B %Y} to set up MFA.",
    ),
    Told(
        MfaExempted,
        BY_HAND,
        AlertKind.EXCEPTION_GIVEN,
        f"adam@agency.example exempted mia@agency.example from MFA until {SOON.day} {SOON:%B %Y}.",
    ),
    Told(
        AccountViewed,
        {"client": HERE},
        AlertKind.ACCOUNT_VIEWED,
        "adam@agency.example, a platform operator, looked at the account.",
    ),
    Told(
        WebhookAdded,
        {"host": "thief.example"},
        AlertKind.POLICY_CHANGED,
        "adam@agency.example added a webhook to thief.example.",
    ),
    Told(
        WebhookSecretRotated,
        {"host": "hooks.example.com"},
        AlertKind.POLICY_CHANGED,
        "adam@agency.example changed the secret of the webhook to hooks.example.com.",
    ),
    Told(
        DomainReleased,
        {"domain": "agency.example"},
        AlertKind.POLICY_CHANGED,
        "adam@agency.example released agency.example: any provider may vouch for its addresses now.",
    ),
    Told(
        DomainRequested,
        {"domain": "agency.example", "provider": "Google"},
        AlertKind.POLICY_CHANGED,
        "adam@agency.example asked that addresses at agency.example be vouched for by Google alone.",
    ),
    Told(
        ProviderMfaAllowed,
        {"provider": "Google"},
        AlertKind.POLICY_CHANGED,
        "adam@agency.example lets a second factor shown at Google satisfy the MFA requirement.",
    ),
    Told(
        StaffInvited,
        OWNER,
        AlertKind.OWNER_ADDED,
        "adam@agency.example invited mia@agency.example as an owner of the account.",
    ),
    Told(StaffAdded, OWNER, AlertKind.OWNER_ADDED, "mia@agency.example became an owner of the account."),
    Told(StaffRoleChanged, OWNER, AlertKind.OWNER_ADDED, "mia@agency.example is now an owner of the account."),
    Told(
        StaffReactivated,
        OWNER,
        AlertKind.OWNER_ADDED,
        "mia@agency.example was made active again, as an owner, by the account's directory.",
    ),
    Told(
        SignInRejected,
        {"client": HERE, "since": SOON, "is_of_manager": True},
        AlertKind.SIGN_IN_REJECTED,
        "mia@agency.example said that a sign-in was not theirs. Look through the audit log since "
        f"{SOON.day} {SOON:%B %Y}: whoever it was could act as them.",
    ),
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.event.__name__)
async def test_the_owner_is_told_at_once_and_in_the_audit_logs_words(cast: World, pool: Database, told: Told) -> None:
    await happen(cast, pool, await made(cast, told.event, told.facts))
    assert await alerts(cast) == [("olive", told.kind, 1)]
    assert await mails(cast, "alert") == ["olive"]
    (event,) = await cast.events("ALERT_RAISED")
    assert event["data"]["told"] == [told.sentence]
    assert await cast.database.fetchval("SELECT DISTINCT queue FROM deliveries WHERE message = 'alert'") == "security"


async def test_what_is_no_alert_raises_none(cast: World, pool: Database) -> None:
    mia = await cast.user_id("mia")
    await happen(
        cast,
        pool,
        MfaEnabled(subject_id=mia, actor_id=mia, client=HERE),
        BackupCodeUsed(subject_id=mia, actor_id=mia, client=HERE, remaining=1),
        SignInRejected(subject_id=mia, actor_id=mia, client=HERE, since=SOON),
        *[await made(cast, event, {"role": Role.ADMIN}) for event in (StaffInvited, StaffAdded, StaffRoleChanged)],
    )
    assert await alerts(cast) == []


async def test_who_becomes_an_owner_is_not_alerted_of_that_themselves(cast: World, pool: Database) -> None:
    olive = await cast.user_id("olive")
    await happen(cast, pool, StaffAdded(account_id=cast.account_id, subject_id=olive, role=Role.OWNER))
    assert await alerts(cast) == []


async def test_admins_get_what_they_are_given_and_owners_what_they_left_on(cast: World, pool: Database) -> None:
    await choose(cast, AlertKind.MFA_DISABLED, owners=False, admins=True)
    await choose(cast, AlertKind.POLICY_CHANGED, owners=False, admins=False)
    await happen(cast, pool, await turned_off(cast), await made(cast, PolicyDisabled, {}))
    assert await alerts(cast) == [("adam", "MFA_DISABLED", 1)]
    # Mail to the person itself goes on.
    assert await mails(cast, "mfa_disabled") == ["mia"]


# By the template of its email to the person.
TOLD_TO_THE_PERSON = {
    "mfa_disabled": MfaDisabled,
    "backup_code_used": BackupCodeUsed,
    "sign_in_locked": SignInLocked,
    "mfa_challenge_locked": MfaChallengeLocked,
    "mfa_reset": MfaReset,
    "mfa_deadline_extended": MfaDeadlineExtended,
    "mfa_exempted": MfaExempted,
}


@pytest.mark.parametrize("message", TOLD_TO_THE_PERSON)
async def test_with_every_alert_switched_off_the_person_is_mailed_all_the_same(
    cast: World, pool: Database, message: str
) -> None:
    for kind in AlertKind:
        await choose(cast, kind, owners=False, admins=False)
    (told,) = [told for told in TOLD if told.event is TOLD_TO_THE_PERSON[message]]
    await happen(cast, pool, await made(cast, told.event, told.facts))
    assert await mails(cast, message) == ["mia"]
    assert await alerts(cast) == []


async def test_nobody_is_alerted_of_what_they_are_mailed_as_the_person(cast: World, pool: Database) -> None:
    await happen(cast, pool, await turned_off(cast, "olive"))
    assert await alerts(cast) == []
    assert await mails(cast, "mfa_disabled") == ["olive"]
    # And it takes no turn: what a colleague does is told at once.
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]


async def test_owners_hear_of_each_sign_in_to_a_break_glass_account_unless_they_switch_it_off(
    cast: World, pool: Database
) -> None:
    await choose(cast, AlertKind.BREAK_GLASS_SIGNED_IN, owners=True, admins=True)
    facts = {"subject_email": email("mia"), "client": HERE}
    for _ in range(2):
        await happen(cast, pool, await made(cast, BreakGlassSignedIn, facts))
    assert await mails(cast, "break_glass_signed_in") == ["olive"] * 2
    assert await alerts(cast) == [("adam", "BREAK_GLASS_SIGNED_IN", 1)]
    await cast.database.execute("UPDATE alert_settings SET email = false")
    await happen(cast, pool, await made(cast, BreakGlassSignedIn, facts))
    assert await mails(cast, "break_glass_signed_in") == ["olive"] * 2


async def test_neither_audit_logs_nor_webhooks_tell_of_alerts(cast: World, pool: Database) -> None:
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    async with pool.transaction() as connection:
        for account_id in (cast.account_id, None):
            await insert(connection, ring, account_id, "https://hooks.example.com", None)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]
    for table in ("account_events", "webhook_deliveries"):
        rows = await cast.database.fetch(f"SELECT type FROM {table} JOIN events ON events.id = event_id")
        assert {row["type"] for row in rows} == {"MFA_DISABLED"}
