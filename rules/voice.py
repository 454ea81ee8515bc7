"""How sentences are said: in English here, and in other languages by who has their catalogues."""

from __future__ import annotations

from datetime import datetime


class Voice:
    """English, as the code has it; a voice of another language says the same in that."""

    def text(self, text: str) -> str:
        return text

    def count(self, count: int, one: str, many: str) -> str:
        """The one that fits the count."""
        return one if count == 1 else many

    def date(self, instant: datetime) -> str:
        """1 December 2026."""
        return f"{instant.day} {instant:%B %Y}"


ENGLISH = Voice()


def later(text: str) -> str:
    """A text that a voice is to say when its time has come: marked, so that the catalogues have it."""
    return text
