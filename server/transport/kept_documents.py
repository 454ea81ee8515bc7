"""Prepared documents that are kept by their text: small ones, and of these the last that have come more than once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

MAX_KEPT = 1_000
LONGEST_KEPT = 8 * 1024
# A parsed document takes up to 270 bytes for each character, so that this is 70 MB at worst.
MAX_KEPT_CHARS = 256 * 1024
# A text is kept when it comes again, if it is among the last so many that came once. Anybody may send thousands of
# texts of one use each: they push out none that is kept. Nor are they held long enough to become old garbage, which
# takes the collector ten times as long as young.
MAX_SEEN_ONCE = 10_000

Prepared = TypeVar("Prepared")


class KeptDocuments(Generic[Prepared]):
    """What was prepared, by its text."""

    def __init__(self) -> None:
        self.chars = 0
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._seen_once: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> Prepared | None:
        """What was made of this text, if it is kept."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
        return found

    def add(self, text: str, prepared: Prepared) -> None:
        """Keep it, if the text has come before."""
        if len(text) > LONGEST_KEPT or not (text in self._kept or self._has_come(text)):
            return
        self.chars += 0 if text in self._kept else len(text)
        self._kept[text] = prepared
        while len(self._kept) > MAX_KEPT or self.chars > MAX_KEPT_CHARS:
            oldest, _ = self._kept.popitem(last=False)
            self.chars -= len(oldest)

    def _has_come(self, text: str) -> bool:
        key = hash(text)
        if key in self._seen_once:
            del self._seen_once[key]
            return True
        self._seen_once[key] = None
        if len(self._seen_once) > MAX_SEEN_ONCE:
            self._seen_once.popitem(last=False)
        return False
