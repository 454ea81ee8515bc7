"""Events: written and read again, those stored before this version too; and nothing of the catalogue forgotten."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import rules.events.stored
import workers
from rules.events.base import WHO, Event
from rules.events.catalogue import EVENTS, samples
from rules.events.mailing import Audience
from rules.events.policy import MfaRequired
from rules.events.stored import Stored, UnreadableEventError

TEMPLATES = Path(workers.__file__).parent / "templates"
GOLDEN = Path(__file__).parents[1] / "emails" / "golden"
ACCOUNT, SUBJECT, ACTOR = UUID(int=1), UUID(int=2), UUID(int=3)
ORIGIN = {"userAgent": "Mozilla/5.0", "ipAddress": "203.0.113.7"}
REQUIRED = {"deadline": "2026-12-01T14:03:00.000001Z", "requiredSince": "2026-11-24T14:03:00.000001Z"}
# A row of each type as the first version stored it, and the sentence it was given.
FIRST_VERSION: dict[str, tuple[UUID | None, UUID | None, UUID | None, dict[str, Any], str]] = {
    "SIGN_IN_SUCCEEDED": (None, SUBJECT, SUBJECT, ORIGIN, "mia signed in."),
    "SIGN_IN_LOCKED": (
        None,
        SUBJECT,
        None,
        {"until": "2026-11-24T14:18:00Z", **ORIGIN},
        "Sign-in of mia was locked after too many wrong passwords.",
    ),
    "MFA_CHALLENGE_LOCKED": (
        None,
        SUBJECT,
        None,
        {"until": "2026-11-24T14:18:00.123456Z", "ipAddress": "203.0.113.7"},
        "Code entry of mia was locked after too many wrong codes.",
    ),
    "MFA_ENABLED": (None, SUBJECT, SUBJECT, {}, "mia turned on MFA."),
    "MFA_DISABLED": (None, SUBJECT, SUBJECT, ORIGIN, "mia turned off MFA."),
    "MFA_RESET": (ACCOUNT, SUBJECT, ACTOR, ORIGIN, "olive reset the MFA of mia."),
    "BACKUP_CODES_REGENERATED": (None, SUBJECT, SUBJECT, ORIGIN, "mia replaced their backup codes."),
    "AUTHENTICATOR_REPLACED": (None, SUBJECT, SUBJECT, ORIGIN, "mia moved to a new authenticator app."),
    "BACKUP_CODE_USED": (
        None,
        SUBJECT,
        SUBJECT,
        {"remaining": 9, **ORIGIN},
        "mia signed in with a backup code; 9 left.",
    ),
    "POLICY_ENABLED": (
        ACCOUNT,
        None,
        ACTOR,
        {"graceDays": 7, **REQUIRED},
        "olive required MFA of all staff by 1 December 2026.",
    ),
    "POLICY_CHANGED": (
        ACCOUNT,
        None,
        ACTOR,
        {"graceDays": 7, "previousDeadline": "2026-12-08T14:03:00.000001Z", **REQUIRED},
        "olive moved the MFA deadline to 1 December 2026.",
    ),
    "POLICY_DISABLED": (ACCOUNT, None, ACTOR, {}, "olive stopped requiring MFA."),
    "GRACE_REMINDER_SENT": (
        ACCOUNT,
        SUBJECT,
        ACTOR,
        {"daysLeft": 1, "manual": True, **REQUIRED},
        "olive reminded mia to set up MFA: 1 day left.",
    ),
    "GRACE_PERIOD_ENDED": (
        ACCOUNT,
        None,
        None,
        {"announced": False, **REQUIRED},
        "The grace period for setting up MFA ended.",
    ),
    "ACCOUNT_CREATED": (ACCOUNT, None, None, {}, "The account was created."),
    "STAFF_ADDED": (ACCOUNT, SUBJECT, None, {"role": "OWNER"}, "mia became an owner of the account."),
    "STAFF_ROLE_CHANGED": (ACCOUNT, SUBJECT, None, {"role": "MEMBER"}, "mia is now a member of the account."),
    "STAFF_REMOVED": (ACCOUNT, SUBJECT, None, {}, "mia left the account's staff."),
    "PORTAL_USER_ADDED": (ACCOUNT, SUBJECT, None, {}, "mia was added as a portal user."),
    "SUPER_ADMIN_GRANTED": (None, SUBJECT, None, {}, "mia was made a platform super-admin."),
    "SUPER_ADMIN_REVOKED": (None, SUBJECT, None, {}, "mia is no longer a platform super-admin."),
}
PREVIEWS = [(event, name, sample) for event in EVENTS for name, sample in samples(event).items()]
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
every_preview = pytest.mark.parametrize(
    ("event", "name", "sample"), PREVIEWS, ids=[f"{event.__name__}-{name}" for event, name, _ in PREVIEWS]
)


def classes(event: type[Event] = Event) -> Iterator[type[Event]]:
    """The classes that no other class is made of: the events themselves."""
    heirs = event.__subclasses__()
    for heir in heirs:
        yield from classes(heir)
    if not heirs:
        yield event


@pytest.mark.parametrize("type_name", FIRST_VERSION)
def test_what_the_first_version_stored_is_read_told_and_written_the_same(type_name: str) -> None:
    account, subject, actor, data, sentence = FIRST_VERSION[type_name]
    stored = Stored(type_name, account, subject, actor, data)
    event = stored.read()
    assert event.summary("olive" if actor == ACTOR else "mia", "mia" if subject else None) == sentence
    again = Stored.of(event)
    assert (again.type, again.account_id, again.subject_id, again.actor_id) == (type_name, account, subject, actor)
    assert data.items() <= again.data.items()
    assert again.read() == event


def test_a_reminder_by_the_timetable_concerns_everybody() -> None:
    stored = Stored("GRACE_REMINDER_SENT", ACCOUNT, None, None, {"daysLeft": 3, **REQUIRED})
    assert stored.summary(None, None) == "Gatehouse reminded the staff who have not to set up MFA: 3 days left."


def test_every_class_of_an_event_is_in_the_catalogue_once() -> None:
    assert sorted(event.__name__ for event in EVENTS) == sorted(event.__name__ for event in set(classes()))


@every_event
def test_an_event_is_described_and_has_a_sentence(event: type[Event]) -> None:
    assert event.description.endswith(".")
    named = {name for _, name, _, _ in string.Formatter().parse(event.sentence) if name}
    assert samples(event)
    for sample in samples(event).values():
        assert named <= {"actor", "subject", *sample.words()}
        assert "{" not in sample.summary("olive", "mia")
        assert sample.summary(None, None).endswith(".")


# What people do without showing anything anew: the session says by what they were recognised, or there is none.
SHOWS_NOTHING = {"SessionsEnded", "SignedOut", "PasswordResetRequested"}
# What others do to the person; that session tells.
DONE_BY_OTHERS = {"AccountViewed", "MfaReset", "MfaResetRequested", "MfaResetDeclined", "RecoveryPassIssued"}


@every_event
def test_whatever_a_person_shows_or_tries_is_told_by_its_method(event: type[Event]) -> None:
    tells = event.about_method is not None or "amr" in {each.name for each in fields(event)}
    assert tells is (event.names_client() and event.__name__ not in SHOWS_NOTHING | DONE_BY_OTHERS)


def test_what_was_shown_goes_before_the_session_that_it_was_shown_in() -> None:
    assert Stored("MFA_ENABLED", None, SUBJECT, SUBJECT, {"sessionMethod": "pwd"}).method() == "otp"
    assert Stored("POLICY_DISABLED", ACCOUNT, None, SUBJECT, {"sessionMethod": "pwd otp mfa"}).method() == "pwd otp mfa"
    assert Stored("POLICY_DISABLED", ACCOUNT, None, None, {}).method() is None


@every_preview
def test_a_sample_is_written_and_read_again(event: type[Event], name: str, sample: Event) -> None:
    stored = Stored.of(sample)
    assert stored.read() == sample
    assert not {each.name for each in fields(event)} & WHO & stored.data.keys()


@every_preview
def test_an_emailed_sample_has_its_templates_and_its_golden_text(event: type[Event], name: str, sample: Event) -> None:
    mailing = sample.emailed_as()
    if mailing is None:
        assert event.mailing is None
        return
    for file in ("subject.txt", "body.txt", "body.html"):
        assert (TEMPLATES / mailing.message / file).is_file(), f"{mailing.message}/{file}"
    assert (GOLDEN / f"{name}.txt").is_file()
    assert sample.subject_id is not None or mailing.audience is not Audience.SUBJECT


def test_there_is_no_template_that_no_event_uses() -> None:
    mailings = [mailing for event in EVENTS for mailing in (event.mailing, event.copy) if mailing is not None]
    used = {mailing.message for mailing in mailings}
    assert {folder.name for folder in TEMPLATES.iterdir() if not folder.name.startswith("_")} == used


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (Stored("SOMETHING_ELSE", ACCOUNT, SUBJECT, None, {}), "Unknown event type 'SOMETHING_ELSE'."),
        (Stored("MFA_ENABLED", None, None, None, {}), "MFA_ENABLED names no person."),
        (Stored("POLICY_DISABLED", None, None, None, {}), "POLICY_DISABLED names no account."),
        (Stored("BACKUP_CODE_USED", None, SUBJECT, None, {}), "BACKUP_CODE_USED lacks its remaining."),
        (
            Stored("BACKUP_CODE_USED", None, SUBJECT, None, {"remaining": True}),
            "BACKUP_CODE_USED has a wrong remaining.",
        ),
        (Stored("SIGN_IN_LOCKED", None, SUBJECT, None, {"until": "soon"}), "SIGN_IN_LOCKED has a wrong until."),
        (Stored("SIGN_IN_LOCKED", None, SUBJECT, None, {"until": 7}), "SIGN_IN_LOCKED has a wrong until."),
        (
            Stored("SIGN_IN_LOCKED", None, SUBJECT, None, {"until": "2026-11-24T14:18:00"}),
            "SIGN_IN_LOCKED has a wrong until.",
        ),
        (Stored("STAFF_ADDED", ACCOUNT, SUBJECT, None, {"role": "KING"}), "STAFF_ADDED has a wrong role."),
        (Stored("MFA_ENABLED", None, SUBJECT, None, {"ipAddress": [1]}), "MFA_ENABLED has a wrong ipAddress."),
    ],
)
def test_what_is_no_event_of_ours_says_why_and_the_audit_log_goes_on(stored: Stored, reason: str) -> None:
    with pytest.raises(UnreadableEventError) as raised:
        stored.read()
    assert str(raised.value) == reason
    assert stored.summary(None, None) == "What happened cannot be read."
    assert stored.method() is None
    assert stored.text("ipAddress") is None


def test_a_statement_asks_for_no_fact_that_the_event_has_not() -> None:
    assert rules.events.stored.key_of(MfaRequired, "required_since") == "requiredSince"
    with pytest.raises(AttributeError, match=r"^MfaRequired has no requiredSince\.$"):
        rules.events.stored.key_of(MfaRequired, "requiredSince")


def test_facts_of_a_later_version_are_left_alone() -> None:
    stored = Stored("MFA_ENABLED", None, SUBJECT, None, {"device": {"name": "phone"}})
    assert stored.read() == Stored("MFA_ENABLED", None, SUBJECT, None, {}).read()


def test_what_an_operator_did_is_told_as_theirs_and_with_another_doer_as_done_by_them() -> None:
    stored = Stored("MFA_RESET", None, SUBJECT, None, {"operator": "ops"})
    assert stored.summary(None, "mia@agency.example") == "Operator ops reset the MFA of mia@agency.example."
    assert stored.alert_summary(None, "mia@agency.example") == "Operator ops reset the MFA of mia@agency.example."
    told = stored.summary("olive@agency.example", "mia@agency.example")
    assert told == "olive@agency.example reset the MFA of mia@agency.example, by operator ops."


def test_an_unknown_type_is_named_to_60_characters() -> None:
    with pytest.raises(UnreadableEventError, match=f"'{'X' * 60}'"):
        Stored("X" * 61, None, None, None, {}).read()
