"""Every text that people read is in the catalogues, in each language, whole and with all that is put into it."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from languages import CATALOGUES
from tests.catalogues import HOW, ROOT, SOURCES, TRANSLATED, Text, catalogue, in_order, used
from web.static_files import STATIC
from web.texts import texts_in

TEMPLATES = [path for name in ("workers", "web") for path in sorted((ROOT / name / "templates").rglob("*.*"))]
# What a text is filled in with: %(name)s of templates, {name} of sentences and modules.
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# Words of English that a sentence is filled in with, which another language does without.
ENGLISH_WORDS = {"{of_whom}", "{days}", "{to}"}
TAG = re.compile(r"<[^>]*>|&\w+;")
JINJA = re.compile(r"{%-?\s*trans.*?endtrans\s*\+?-?%}|{#.*?#}|{{.*?}}|{%.*?%}", re.DOTALL)
# Names, which are the same everywhere, the languages by their own, and the words of machines.
NAMES = re.compile(r"\b(?:Gatehouse|TaskJuice|Segoe UI|English|Deutsch|Español|Français|Português)\b")
IN_HEAD = re.compile(r"<style.*?</style>|<!--.*?-->|<!doctype html>|<title>.*?</title>", re.DOTALL)
FOR_MACHINES = re.compile(r"{% block (?:kind|data|at_\w+) %}.*?{% endblock %}")
ATTRIBUTE = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')
CALL = re.compile(r"{{\s*(?:field|code|backup_code|scan)\((.*?)}}", re.DOTALL)
GIVEN = re.compile(r'(?<!_\()(?<![=\w])"([A-Z0-9][^"]*)"|hint="([^"]+)"')
STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`([^`]*)`")
COMMENT = re.compile(r"/\*(?s:.*?)\*/|^\s*//.*$|(?<=[;{,(\s])// .*$", re.MULTILINE)
IN_BRACES = re.compile(r"\$?\{[^{}]*\}")
SENTENCE = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]|^[A-Z][a-z]+[.…]?$")
# An operation or a part of one, fields, classes, a selector, a cookie, and what is said to programmers.
MACHINES = re.compile(
    r"^\s*(query|mutation|subscription)\b|__typename|\.\.\. on |^[a-z]\w*(\s+[a-z]\w*)+( \{.*)?$|^nodes \{|^id |"
    r"^badge |[\[\]]|^\.\w|; Path=|no \$\{selector\}|^Reauthenticated$|:checked$",
    re.DOTALL,
)
PROGRAMS = {"Edg", "Edge", "OPR", "Opera", "Firefox", "Chrome", "Safari", "Android", "Windows", "Mac OS X", "Mac"} | {
    "Linux",
    "Escape",
}
each = pytest.mark.parametrize(("language", "domain"), [(each, domain) for each in TRANSLATED for domain in SOURCES])


def untranslated(source: str) -> list[str]:
    """What a template says in no block to be translated."""
    body = FOR_MACHINES.sub(" ", IN_HEAD.sub(" ", source))
    words = re.findall(r"[A-Za-z]{2,}", NAMES.sub(" ", TAG.sub(" ", JINJA.sub(" ", body))))
    said = [text for text in ATTRIBUTE.findall(body) if re.search("[A-Za-z]{2}", JINJA.sub("", text))]
    given = [first or hint for call in CALL.findall(body) for first, hint in GIVEN.findall(call)]
    return [*words, *said, *given]


def unsaid(source: str) -> list[str]:
    """The sentences of a module that are looked for in no catalogue."""
    looked_for = {text for found in texts_in(source) for text in ([found] if isinstance(found, str) else found)}
    found = [double or single or template for double, single, template in STRING.findall(COMMENT.sub("", source))]
    sentences = [text for text in found if SENTENCE.search(without_code(text)) and not MACHINES.search(text)]
    return [text for text in sentences if text not in PROGRAMS | looked_for]


def without_code(text: str) -> str:
    """A text of a module without what it is filled in with."""
    while text != (rest := IN_BRACES.sub("", text)):
        text = rest
    return text


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
    messages = [message for message in catalogue(language, domain) if message.id]
    assert messages
    for message in messages:
        originals, translations = forms(message.id), forms(message.string)
        places = {frozenset(PLACE.findall(text)) - ENGLISH_WORDS for text in originals}
        assert {frozenset(PLACE.findall(text)) - ENGLISH_WORDS for text in translations} <= places, message.id
        assert all(text.strip() == text and "  " not in text for text in translations), message.id
        ends = {text[-1] for text in originals if text[-1] in ".:?!"}
        assert not ends or {text[-1] for text in translations} == ends, message.id


@each
def test_the_catalogue_is_in_order(language: str, domain: str) -> None:
    kept = (CATALOGUES / language / f"{domain}.po").read_text(encoding="utf-8")
    assert kept == in_order(language, domain), HOW.format(domain=domain)


@pytest.mark.parametrize("name", [str(path.relative_to(ROOT)) for path in TEMPLATES])
def test_no_sentence_of_a_template_stands_outside_a_catalogue(name: str) -> None:
    how = "Put it between {% trans %} and {% endtrans %}, or into _(), and translate it."
    assert untranslated((ROOT / name).read_text()) == [], how


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.js")))
def test_no_sentence_of_a_module_stands_outside_a_catalogue(name: str) -> None:
    assert unsaid((STATIC / name).read_text()) == [], "Say it by t() or n() of texts.js, and translate it."


def test_what_stands_outside_is_seen() -> None:
    assert untranslated("<p>Hello {{ name }}</p>{% trans %}Not me{% endtrans +%}") == ["Hello"]
    calls = '{{ field("a", "Your name", hint="As it is") }}{{ field("b", _("Yes"), hint=_("No")) }}'
    assert untranslated(f'<p aria-label="Near here">{calls}</p>') == ["Near here", "Your name", "As it is"]
    module = 'const one = "{count} day left."; say("Well done."); t("It is."); n(3, one, "{count} days left.");'
    assert unsaid(module) == ["Well done."]
    assert unsaid("say(`Well ${so} done now`); // What a comment says\n") == ["Well ${so} done now"]


def test_what_a_module_looks_for_is_found() -> None:
    module = 't("One"); n(total, "{count} a", "{count} b"); const x = "{count} c"; n(2, x, "{count} d");'
    assert list(texts_in(module)) == ["One", ("{count} a", "{count} b"), ("{count} c", "{count} d")]
