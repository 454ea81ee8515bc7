"""Files for spreadsheets, in which no cell begins a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping

# What one takes for the beginning of a formula, in full width, too.
FORMULA_STARTS = {*"=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20"}


def written(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows as CSV, below their names; nothing at all when there is none."""
    file = io.StringIO()
    # Some spreadsheets end a cell at a semicolon, too, unless it is quoted.
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row.keys())
        writer.writerow([_cell(value) for value in row.values()])
    return file.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if _begins_formula(text) else text


def _begins_formula(text: str) -> bool:
    """Whether a spreadsheet might read a formula, also behind spaces and what is not seen."""
    for character in text:
        if character in FORMULA_STARTS:
            return True
        if not character.isspace() and unicodedata.category(character) != "Cf":
            return False
    return False
