"""Every text that people read is in the catalogues, in each language, whole and with all that is put into it."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from languages import CATALOGUES
from tests.catalogues import HOW, ROOT, SOURCES, TRANSLATED, Text, catalogue, in_order, used

MAILS = ROOT / "workers" / "templates"
# What a text is filled in with: %(name)s of templates, {name} of sentences.
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# Words of English that a sentence is filled in with, which another language does without.
ENGLISH_WORDS = {"{of_whom}", "{days}"}
TAG = re.compile(r"<[^>]*>|&\w+;")
JINJA = re.compile(r"{%-?\s*trans.*?endtrans\s*\+?-?%}|{#.*?#}|{{.*?}}|{%.*?%}", re.DOTALL)
# Names, which are the same everywhere, and the words of machines.
NAMES = re.compile(r"\b(?:Gatehouse|TaskJuice|Segoe UI)\b")
IN_HEAD = re.compile(r"<head>.*?</head>|<!--.*?-->|<(style|script)\b.*?</\1>", re.DOTALL)
each = pytest.mark.parametrize(("language", "domain"), [(each, domain) for each in TRANSLATED for domain in SOURCES])


def untranslated(source: str) -> list[str]:
    """The words of a template that stand in no block to be translated."""
    bare = TAG.sub(" ", JINJA.sub(" ", IN_HEAD.sub(" ", source)))
    return re.findall(r"[A-Za-z]{2,}", NAMES.sub(" ", bare))


@each
def test_nothing_is_missing_and_nothing_is_left_over(language: str, domain: str) -> None:
    kept = catalogue(language, domain)
    missing = [text for text in used(domain) if not whole(kept.get(text[0] if isinstance(text, tuple) else text))]
    assert missing == [], f"{language} has no translation of these. {HOW.format(domain=domain)}"
    ids: set[Text] = {message.id for message in kept if message.id}  # type: ignore[misc]
    assert ids == set(used(domain)), f"{language} has others. {HOW.format(domain=domain)}"


def forms(text: object) -> tuple[str, ...]:
    """Singular and plural, or the one text."""
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text),)


def whole(message: Message | None) -> bool:
    """Whether there is a translation, of singular and plural alike."""
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


@each
def test_every_translation_has_what_the_text_is_filled_in_with(language: str, domain: str) -> None:
    for message in catalogue(language, domain):
        if not message.id:
            continue
        originals, translations = forms(message.id), forms(message.string)
        places = {frozenset(PLACE.findall(text)) - ENGLISH_WORDS for text in originals}
        assert {frozenset(PLACE.findall(text)) for text in translations} <= places, message.id
        assert all(text.strip() == text and "  " not in text for text in translations), message.id
        ends = {text[-1] for text in originals if text[-1] in ".:?!"}
        assert not ends or {text[-1] for text in translations} == ends, message.id


@each
def test_the_catalogue_is_in_order(language: str, domain: str) -> None:
    kept = (CATALOGUES / language / f"{domain}.po").read_text(encoding="utf-8")
    assert kept == in_order(language, domain), HOW.format(domain=domain)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workers" / "templates").rglob("*.*")), ids=lambda path: str(path)[-40:]
)
def test_no_sentence_of_an_email_stands_outside_a_catalogue(path: object) -> None:
    source = path.read_text()  # type: ignore[attr-defined]
    assert untranslated(source) == [], "Put it between {% trans %} and {% endtrans %}, and translate it."


def test_what_stands_outside_is_seen() -> None:
    assert untranslated("<p>Hello {{ name }}</p>{% trans %}Not me{% endtrans +%}") == ["Hello"]
