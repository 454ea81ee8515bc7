"""The records of a CSV file in UTF-8, one after another, whatever is broken in the one before."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# So that a quote which nothing closes does not swallow the file; a note in a column of no interest may have this many.
MOST_LINES = 100
UNCLOSED = "not readable as CSV: a quote is opened in it and not closed"


@dataclass(frozen=True)
class Record:
    """Cells, or why there are none; its first and last line as an editor counts them, and the first one's text."""

    first: int
    last: int
    text: str
    cells: list[str]
    wrong: str | None = None


def read(source: Iterable[bytes]) -> Iterator[Record]:
    """Each record; behind one that cannot be read the next line begins a new one."""
    lines = _Lines(source)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.begin_record()
        cells: list[str] | None = []
        wrong = None
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # Over several lines, or at the file's end, it is within quotes.
            is_within = lines.is_over or lines.number > lines.first
            wrong = UNCLOSED if is_within else f"not readable as CSV ({error})"
        if cells is None:
            return
        if lines.is_bad and not wrong:
            wrong = "not in UTF-8: save the file in that encoding"
        yield Record(lines.first, lines.number, lines.text, cells, wrong)


class _Lines:
    """Lines of bytes as text, one at a time, so that one in another encoding costs no other."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self.number = 0
        self.begin_record()
        self.is_over = False

    def begin_record(self) -> None:
        """Take the next line for a record's first."""
        self.first = self.number + 1
        self.text = ""
        self.is_bad = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.number - self.first + 1 == MOST_LINES:
            raise csv.Error(UNCLOSED)
        line = next(self._source, None)
        if line is None:
            self.is_over = True
            raise StopIteration
        encoding = "utf-8" if self.number else "utf-8-sig"
        self.number += 1
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            self.is_bad = True
            text = line.decode(encoding, "replace")
        self.text = self.text or text
        return text
