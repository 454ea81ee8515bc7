"""What has happened is told in the reader's language: in the audit log the request's, to a channel the account's."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from uuid import UUID

import pytest

import languages
from db import outbox
from resolvers.webhooks import insert
from rules.chat import Format
from rules.clients import Client as Origin
from rules.events.catalogue import EVENTS, samples
from rules.events.mfa import MfaDisabled, MfaReset
from rules.events.policy import PolicyChanged, PolicyEnabled
from rules.events.signing_in import BackupCodeUsed, SessionsEnded
from rules.events.stored import OPERATOR, Stored
from rules.policy import RequiredOf
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.account.acts import reset, save
from tests.catalogues import TRANSLATED
from tests.client import SECRET_KEYS
from tests.languages.operations import ASK_APPROVAL_OF_EVERYONE, DELIVERY_ERRORS
from tests.line import Line
from tests.operations import AUDIT
from tests.people import World, email
from tests.webhooks.receiver import receiving


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_sentence_of_an_event_is_left_in_english(language: str) -> None:
    voice = languages.voice(language)
    for event in EVENTS:
        for sample in samples(event).values():
            for english, said in (
                (sample.summary("o@a.b", "m@a.b"), sample.summary("o@a.b", "m@a.b", voice)),
                (sample.summary(None, None), sample.summary(None, None, voice)),
                (sample.alert_summary("o@a.b", "m@a.b"), sample.alert_summary("o@a.b", "m@a.b", voice)),
            ):
                assert said != english, event
                assert "{" not in said, event
                assert said.count("o@a.b") == english.count("o@a.b"), said
                assert said.count("m@a.b") == english.count("m@a.b"), said


def test_counts_are_each_languages_own() -> None:
    ended = SessionsEnded(subject_id=UUID(int=1), client=Origin(None, None), count=1)
    used = BackupCodeUsed(subject_id=UUID(int=1), client=Origin(None, None), remaining=0)
    told = {
        language: [
            ended.summary(None, "m@a.b", languages.voice(language)),
            replace(ended, count=2).summary(None, "m@a.b", languages.voice(language)),
            used.summary(None, "m@a.b", languages.voice(language)),
        ]
        for language in ("en", "de", "es")
    }
    assert told == {
        "en": [
            "m@a.b ended 1 session of theirs.",
            "m@a.b ended 2 sessions of theirs.",
            "m@a.b signed in with a backup code; 0 left.",
        ],
        "de": [
            "m@a.b hat 1 eigene Sitzung beendet.",
            "m@a.b hat 2 eigene Sitzungen beendet.",
            "m@a.b hat sich mit einem Backup-Code angemeldet; übrig sind 0.",
        ],
        "es": [
            "m@a.b cerró 1 sesión propia.",
            "m@a.b cerró 2 sesiones propias.",
            "m@a.b inició sesión con un código de respaldo; quedan 0.",
        ],
    }


def test_who_did_it_at_the_command_line_or_by_a_service_key_is_said_in_the_language_too() -> None:
    german = languages.voice("de")
    stored = Stored("MFA_RESET", None, UUID(int=2), None, {OPERATOR: "ops"})
    assert stored.summary(None, "m@a.b", german) == "ops vom Betrieb hat die MFA von m@a.b zurückgesetzt."
    told = Stored("STAFF_REMOVED", UUID(int=1), UUID(int=2), None, {OPERATOR: "ops"}).summary(None, "m@a.b", german)
    assert told == "m@a.b gehört nicht mehr zum Personal des Kontos, durch ops vom Betrieb."
    by_key = replace(stored, type="STAFF_REMOVED", account_id=UUID(int=1), data={}, service_key="web")
    assert by_key.summary(None, "m@a.b", german) == (
        "m@a.b gehört nicht mehr zum Personal des Kontos, über den Dienstschlüssel web."
    )
    assert Stored("NO_SUCH", None, None, None, {}).summary(None, None, german) == (
        "Was geschehen ist, kann nicht gelesen werden."
    )


def test_what_is_decided_by_the_event_is_said_by_its_own_sentence() -> None:
    (moved, *_) = samples(PolicyChanged).values()
    assert isinstance(moved, PolicyChanged)
    stayed = replace(moved, previous_deadline=moved.deadline, joiner_days=1)
    assert stayed.alert_summary("o@a.b", None, languages.voice("fr")) == (
        "o@a.b exige la MFA pour tout le personnel, avec 1 jour pour les personnes qui arrivent plus tard."
    )
    narrowed = replace(moved, required_of=RequiredOf.OWNERS_AND_ADMINS)
    assert [narrowed.summary("o@a.b", None, languages.voice(language)) for language in TRANSLATED] == [
        "o@a.b hat die MFA-Frist auf 1. Dezember 2026 verschoben: verlangt von Inhabern und Administratoren; wer "
        "später hinzukommt, hat 0 Tage Zeit.",
        "o@a.b cambió el plazo de la MFA al 1 de diciembre de 2026: se exige a propietarios y administradores, con 0 "
        "días para quienes se incorporen después.",
        "o@a.b a déplacé la date limite de la MFA au 1 décembre 2026 : exigée pour propriétaires et administrateurs, "
        "avec 0 jour pour les personnes qui arrivent plus tard.",
        "o@a.b mudou o prazo da MFA para 1 de dezembro de 2026: exigida de proprietários e administradores, com 0 "
        "dia para quem entrar depois.",
    ]
    (enabled, *_) = samples(PolicyEnabled).values()
    assert isinstance(enabled, PolicyEnabled)
    enabled = replace(enabled, required_of=RequiredOf.OWNERS_AND_ADMINS)
    assert [enabled.summary("o@a.b", None, languages.voice(language)) for language in TRANSLATED] == [
        "o@a.b verlangt bis 1. Dezember 2026 MFA von Inhabern und Administratoren; wer später hinzukommt, hat 0 Tage "
        "Zeit.",
        "o@a.b exigió la MFA a propietarios y administradores antes del 1 de diciembre de 2026, con 0 días para "
        "quienes se incorporen después.",
        "o@a.b a exigé la MFA pour propriétaires et administrateurs avant le 1 décembre 2026, avec 0 jour pour les "
        "personnes qui arrivent plus tard.",
        "o@a.b exigiu a MFA de proprietários e administradores até 1 de dezembro de 2026, com 0 dia para quem "
        "entrar depois.",
    ]
    reason = MfaReset(subject_id=UUID(int=2), reason="Phone lost.", requester_email="a@a.b")
    assert reason.summary("o@a.b", "m@a.b", languages.voice("de")) == (
        "o@a.b hat die MFA von m@a.b zurückgesetzt, wie von a@a.b erbeten: Phone lost."
    )


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"accept-language": "de-AT"}, "olive@agency.example verlangt bis "),
        ({"accept-language": "de", "cookie": "gatehouse-language=fr"}, "olive@agency.example a exigé la MFA"),
        ({}, "olive@agency.example required MFA of all staff by "),
    ],
)
async def test_the_audit_log_speaks_the_language_of_the_request(
    world: World, headers: dict[str, str], said: str
) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True, 7)
    olive.headers |= headers
    log = (await olive.ask(AUDIT, account=str(world.account_id)))["account"]["auditLog"]["nodes"]
    (summary,) = [node["summary"] for node in log if node["type"] == "POLICY_ENABLED"]
    assert summary.startswith(said)


@pytest.mark.parametrize("format_", [Format.SLACK, Format.TEAMS])
async def test_a_channel_is_told_in_the_accounts_language(line: Line, format_: Format) -> None:
    world = line.world
    await line.database.execute("UPDATE accounts SET language = 'pt' WHERE id = $1", world.account_id)
    async with receiving() as receiver:
        ring = KeyRing(parse_secret_keys(SECRET_KEYS))
        await insert(line.database, ring, world.account_id, receiver.url, None, format_)
        await line.start("relay", "worker", webhook_allow_private="true")
        mia = await world.user_id("mia")
        await outbox.append(line.database, MfaDisabled(subject_id=mia, client=Origin(None, None)))

        async def has_come() -> object:
            return receiver.requests

        await line.until(has_come, "the channel is told")
    (body,) = receiver.bodies()
    text = json.dumps(body, ensure_ascii=False)
    assert f"{email('mia')} desativou a MFA." in text
    assert "Abrir a segurança da agência" in text
    assert re.search(r"Agency · \d+ de \w+ de \d{4}, \d\d:\d\d UTC", text)


async def test_why_an_endpoint_was_not_told_is_said_in_the_readers_language(world: World) -> None:
    olive = await world.sign_in("olive")
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    webhook, _ = await insert(world.database, ring, world.account_id, "https://hooks.example.com", None)
    delivery_id = await world.database.fetchval(
        "INSERT INTO webhook_deliveries (webhook_id, state) VALUES ($1, 'failed') RETURNING id", webhook.id
    )
    await world.database.execute(
        "INSERT INTO webhook_attempts (delivery_id, duration_ms, status, error) VALUES ($1, 7, 503, $2)",
        delivery_id,
        "The endpoint answered 503.",
    )
    olive.headers["accept-language"] = "es"
    (delivery,) = (await olive.ask(DELIVERY_ERRORS, id=str(webhook.id)))["webhook"]["deliveries"]
    assert delivery == {"error": "El destino respondió 503.", "attempts": [{"error": "El destino respondió 503."}]}


async def test_a_refusal_by_the_rules_of_resets_comes_in_the_readers_language(world: World) -> None:
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    await world.enroll(await world.sign_in("mia"))
    adam.headers["accept-language"] = "de"
    assert (await adam.do(ASK_APPROVAL_OF_EVERYONE, account=str(world.account_id)))["message"] == (
        "Nur ein Inhaber des Kontos darf bestimmen, wessen Zurücksetzen einen zweiten Inhaber oder Administrator "
        "braucht."
    )
    await olive.do(ASK_APPROVAL_OF_EVERYONE, account=str(world.account_id))
    waits = await reset(adam, world, "mia")
    assert waits["message"].startswith("Ein anderer Inhaber oder Administrator muss dieses Zurücksetzen")
