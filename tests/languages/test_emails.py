"""Emails come in the language of whoever gets them: their own choice, else their account's, else English."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import pytest

from db import deliveries
from db.alerts import Heard
from db.pool import Database
from languages import texts, written_date
from rules.alerts import AlertKind
from rules.events.alerts import AlertRaised, DigestSent
from rules.events.base import Event
from rules.events.catalogue import samples
from rules.events.mfa import MfaEnabled, MfaReset
from rules.events.policy import GraceReminderSent
from rules.events.samples import AT
from rules.events.standing import MfaDeadlineExtended
from rules.events.stored import Stored
from tests.alerts.hearing import happen
from tests.catalogues import TRANSLATED
from tests.emails.rendering import FACTS, MAILS, SampleMails, part
from tests.people import World
from tests.reminders.cast import pool
from workers import telling
from workers.emails import render
from workers.letters import Letter

__all__ = ["pool"]

IN = {language: SampleMails(language) for language in TRANSLATED}
HEAD = re.compile(r"<head>.*?</head>|<!--.*?-->|<div class=\"preheader.*?</div>", re.DOTALL)
WORDS = re.compile(r"[A-Za-z]{4,}")


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_mail_has_a_sentence_of_english_left(language: str) -> None:
    assert IN[language].keys() == MAILS.keys() != set()
    for name, mail in IN[language].items():
        english = set(part(MAILS[name], "plain").splitlines())
        same = {line for line in part(mail, "plain").splitlines() if line in english and " " in line.strip()}
        assert {line for line in same if not line.startswith("Browser: ") and WORDS.search(line)} == set(), name
        assert f'<html lang="{language}">' in part(mail, "html")
        assert mail["Subject"] != MAILS[name]["Subject"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_text_and_html_tell_the_same_in_each_language(language: str) -> None:
    assert IN[language]
    for name, mail in IN[language].items():
        html = re.sub(
            r"<head>.*?</head>|<!--.*?-->|<div class=\"preheader.*?</div>", " ", part(mail, "html"), flags=re.S
        )
        shown = set(re.findall(r"\w+", re.sub(r"<[^>]+>|&\S+?;", " ", html)))
        said = set(re.findall(r"\w+", part(mail, "plain")))
        assert shown - said <= words_of_button(language) | set(re.findall(r"\w+", mail["Subject"])), name


def words_of_button(language: str) -> set[str]:
    """What the HTML alone says: where its button leads."""
    text = texts(language, telling.DOMAIN).gettext("The button leads to %(link)s.")
    return set(re.findall(r"\w+", text))


def test_dates_are_written_as_each_language_does() -> None:
    assert {language: written_date(AT, language) for language in ["en", *TRANSLATED]} == {
        "en": "24 November 2026",
        "de": "24. November 2026",
        "es": "24 de noviembre de 2026",
        "fr": "24 novembre 2026",
        "pt": "24 de novembro de 2026",
    }


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("de", "Noch 1 Tag, um MFA einzurichten", "Noch 3 Tage, um MFA einzurichten"),
        ("fr", "Il reste 1 jour pour configurer la MFA", "Il reste 3 jours pour configurer la MFA"),
    ],
)
def test_singular_and_plural_are_the_languages_own(language: str, one: str, many: str) -> None:
    for days, subject in ((1, one), (3, many)):
        reminder = samples(GraceReminderSent)["grace_reminder"]
        assert isinstance(reminder, GraceReminderSent)
        event = replace(reminder, days_left=days)
        assert (
            render("grace_reminder", replace(FACTS, event=event, recipient="m@x.example", language=language))["Subject"]
            == subject
        )


def heard(event: Event, *agencies: str, actor: str | None = None) -> Heard:
    """What an alert tells of: it happened in these agencies."""
    return Heard(Stored.of(event), actor, "mia@agency.example", agencies, 1)


def told(language: str, *happened: Heard) -> list[str]:
    """How an alert tells of it."""
    raised = AlertRaised(account_id=uuid4(), subject_id=uuid4(), kind=AlertKind.MFA_RESET, count=1, told=("Kept.",))
    return telling.sentences(raised, happened, language)


def test_an_alert_is_told_in_the_owners_language_with_its_dates_and_doers() -> None:
    extended = samples(MfaDeadlineExtended)["mfa_deadline_extended"]
    assert told("de", heard(extended, "Agency", actor="olive@agency.example")) == [
        "olive@agency.example hat mia@agency.example bis 1. Dezember 2026 Zeit zum Einrichten von MFA gegeben."
    ]
    reset = MfaReset(subject_id=uuid4(), service_key="web")
    assert told("fr", heard(reset, "Agency")) == ["La clé de service web a réinitialisé la MFA de mia@agency.example."]
    assert told("de") == ["Kept."]


def test_an_alert_of_several_agencies_names_them() -> None:
    reset = MfaReset(subject_id=uuid4())
    assert told("en", heard(reset, "Riverbend"), heard(reset, "Hillside", "Riverbend")) == [
        '"Riverbend": Gatehouse reset the MFA of mia@agency.example.',
        '"Hillside", "Riverbend": Gatehouse reset the MFA of mia@agency.example.',
    ]


def test_a_letter_in_another_language_is_addressed_like_any() -> None:
    for language in TRANSLATED:
        facts = replace(FACTS, language=language)
        mail = Letter("mfa_enabled", facts).to("mia@example.com", 7)
        whole = render("mfa_enabled", replace(facts, recipient="mia@example.com", delivery_id=7))
        assert mail.content.count(b"mia@example.com") == 3
        assert f'lang="{language}"' in part(whole, "html")


@pytest.mark.parametrize(
    ("person", "account", "expected"),
    [(None, None, "en"), (None, "de", "de"), ("fr", "de", "fr"), ("en", "de", "en"), ("pt", None, "pt")],
)
async def test_the_persons_choice_goes_before_the_accounts(
    cast: World, pool: Database, person: str | None, account: str | None, expected: str
) -> None:
    mia = await cast.user_id("mia")
    await cast.database.execute("UPDATE users SET language = $2 WHERE id = $1", mia, person)
    await cast.database.execute("UPDATE accounts SET language = $2 WHERE id = $1", cast.account_id, account)
    await cast.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "VALUES ($1, '', 'test', 0, decode(repeat('00', 16), 'hex'), 'test')",
        mia,
    )
    await happen(cast, pool, MfaEnabled(subject_id=mia, actor_id=mia, client=FACTS.event.client))  # type: ignore[attr-defined]
    (claimed,) = await deliveries.claim(cast.database, "security", uuid4(), 10, 24)
    assert claimed.language == expected


def test_a_digest_counts_in_each_language() -> None:
    digest = DigestSent(account_id=uuid4(), pending_count=1, invited_count=2)
    assert telling.lines(digest, "en") == ["1 staff member still to set up MFA", "2 invitations open"]
    assert telling.lines(digest, "de") == ["1 Person muss MFA noch einrichten", "2 Einladungen sind offen"]
