"""What the pages' modules ask of the API: the texts of their operations, as a browser sends them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
# A text between backticks or quotation marks, and the constant's name where it is one.
TEXT = re.compile(r'(?:\bconst (?P<name>[A-Z_]+) =\s+)?(?:`(?P<template>[^`]*)`|"(?P<plain>[^"\n]*)")')
OPERATION = re.compile(r"\s*(query|mutation|subscription)\s+\w+\s*[({]")
INSERTED = re.compile(r"\$\{([A-Z_]+)\}")


@cache
def page_operations() -> tuple[str, ...]:
    """Every operation of the pages."""
    modules = [_texts(path.read_text()) for path in sorted(STATIC.glob("*.js"))]
    shared = {name: text for texts in modules for name, text in texts if name}
    found = []
    for texts in modules:
        # A module's own constant hides another module's of the same name.
        constants = shared | {name: text for name, text in texts if name}
        found += [_filled(text, constants) for _, text in texts if OPERATION.match(text)]
    return tuple(dict.fromkeys(found))


def _texts(source: str) -> list[tuple[str | None, str]]:
    return [(each["name"], each["template"] or each["plain"] or "") for each in TEXT.finditer(source)]


def _filled(text: str, constants: dict[str, str]) -> str:
    while INSERTED.search(text):
        text = INSERTED.sub(lambda each: constants[each[1]], text)
    return text
