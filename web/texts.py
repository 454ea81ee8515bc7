"""The texts of the pages in another language: those of the templates, and those that the modules look for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import languages

DOMAIN = "pages"
LITERAL = r"""(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')"""
# t("One text"), and n(count, "one", "many") with either of them in a constant just before.
ONE = re.compile(rf"(?<![\w.])t\(\s*{LITERAL}")
CONSTANT = re.compile(rf"const (\w+) = {LITERAL};")
MANY = re.compile(rf"(?<![\w.])n\(\s*[^,]+?,\s*(?:(\w+)|{LITERAL}),\s*{LITERAL}")
Text = str | tuple[str, str]


def texts_in(module: str) -> Iterator[Text]:
    """What a module looks for; a singular with its plural."""
    constants = {name: double or single for name, double, single in CONSTANT.findall(module)}
    for found in ONE.finditer(module):
        yield found[1] or found[2]
    for found in MANY.finditer(module):
        yield constants[found[1]] if found[1] else found[2] or found[3], found[4] or found[5]


def translated(modules: Iterable[str], language: str) -> dict[str, str | list[str]]:
    """Each text of these modules in the language; of a plural all forms, in the order of the catalogue."""
    texts = languages.texts(language, DOMAIN)
    found: dict[str, str | list[str]] = {}
    for text in dict.fromkeys(text for module in modules for text in texts_in(module)):
        if isinstance(text, str):
            found[text] = texts.gettext(text)
        else:
            forms = [texts.ngettext(*text, count) for count in (1, 1_000_000, 2)]
            found[text[0]] = forms
    return found
