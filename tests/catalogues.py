"""The texts that people read, as the code has them, and the catalogues that hold them in other languages."""

from __future__ import annotations

import ast
import io
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from languages import CATALOGUES
from rules.events.catalogue import EVENTS, SHOWN
from rules.languages import ENGLISH, LANGUAGES
from rules.messages import FOR_PEOPLE
from web.static_files import STATIC
from web.texts import texts_in
from workers import telling

ROOT = Path(__file__).parents[1]
TRANSLATED = [language for language in LANGUAGES if language != ENGLISH]
Text = str | tuple[str, str]
SAYING = {"text", "count", "later"}
# How a missing one is added: the catalogue is put into order, and each new text gets an empty translation.
HOW = "Run `uv run python -m tests.catalogues`, then fill in the empty msgstr in languages/catalogues/*/{domain}.po."


def of_templates(folder: Path) -> Iterator[Text]:
    """What the templates of a folder mark as to be translated."""
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    for path in sorted(folder.rglob("*.*")):
        for _, _, text in environment.extract_translations(path.read_text()):  # type: ignore[attr-defined]
            if isinstance(text, str):
                yield text
            elif text and text[0]:
                yield text[0], text[1]


@cache
def used(domain: str) -> tuple[Text, ...]:
    """Every text of a domain, each once, in the order of the code."""
    return tuple(dict.fromkeys(SOURCES[domain]()))


def _emails() -> Iterable[Text]:
    yield from of_templates(ROOT / "workers" / "templates")
    yield from telling.texts()


def _pages() -> Iterable[Text]:
    yield from of_templates(ROOT / "web" / "templates")
    for path in sorted(STATIC.glob("*.js")):
        yield from texts_in(path.read_text())
    yield from (event.description for event in SHOWN)


def _events() -> Iterable[Text]:
    said = [*said_by(*sorted((ROOT / "rules").rglob("*.py")), *sorted((ROOT / "workers").glob("*.py")))]
    yield from said
    # What is said of a count has its sentence as the singular.
    singulars = {text[0] for text in said if isinstance(text, tuple)}
    for event in EVENTS:
        yield from (text for text in (event.sentence, event.alert_sentence) if text and text not in singulars)


def said_by(*modules: Path) -> Iterator[Text]:
    """What a voice is given to say: voice.text("…"), voice.count(n, "one", "many"), rules.voice.later("…")."""
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAYING:
                given = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
                whose = ast.unparse(node.func.value)
                if whose in {"voice", "rules.voice"} and given:
                    yield given[0] if len(given) == 1 else (given[0], given[1])


def _messages() -> Iterable[Text]:
    return FOR_PEOPLE


SOURCES: dict[str, Callable[[], Iterable[Text]]] = {
    "emails": _emails,
    "pages": _pages,
    "events": _events,
    "messages": _messages,
}


def catalogue(language: str, domain: str) -> Catalog:
    """The catalogue as it is kept."""
    path = CATALOGUES / language / f"{domain}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def in_order(language: str, domain: str, given: dict[Text, Text] | None = None) -> str:
    """The catalogue's text with all that is used, and nothing else; `given` are translations to be put in."""
    kept, made = catalogue(language, domain), Catalog(locale=language, charset="utf-8", fuzzy=False)
    made.mime_headers = [(name, value) for name, value in made.mime_headers if name in HEADERS]
    for text in used(domain):
        before = kept.get(text[0] if isinstance(text, tuple) else text)
        translated = (given or {}).get(text) or (before.string if before else "")
        if isinstance(text, tuple) and isinstance(translated, tuple | list):
            # What CLDR calls many, of millions, has the plural's words.
            translated = (*translated, *[translated[-1]] * made.num_plurals)[: made.num_plurals]
        made.add(text, translated)
    written = io.BytesIO()
    write_po(written, made, width=0, omit_header=True)
    plural = f"nplurals={made.num_plurals}; plural={made.plural_expr};"
    head = HEAD.format(language=language, plural=plural)
    return head + written.getvalue().decode()


HEADERS = {"Language", "Content-Type", "Plural-Forms"}
HEAD = (
    'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {plural}\\n"\n\n'
)


def main() -> None:
    """Put every catalogue in order."""
    for language in TRANSLATED:
        for domain in SOURCES:
            (CATALOGUES / language / f"{domain}.po").write_text(in_order(language, domain), encoding="utf-8")


if __name__ == "__main__":
    main()
