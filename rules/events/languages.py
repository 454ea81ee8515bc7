"""The languages that a person and an account have chosen."""

from __future__ import annotations

from dataclasses import dataclass

import rules.voice
from rules.events.base import AccountEvent, PersonEvent
from rules.events.samples import ADMIN_ID
from rules.languages import NAMES
from rules.voice import ENGLISH, Voice

LEFT_OPEN = rules.voice.later("the browser's, and the account's")


@dataclass(frozen=True, kw_only=True)
class LanguageChanged(PersonEvent):
    """`language` is None where it is the browser's, and the account's, again."""

    description = "A person chose the language of their emails and pages."
    sentence = "{subject} chose the language of their emails and pages: {chosen}."
    samples = {"language_changed": {"language": "de"}, "language_left_open": {}}

    language: str | None = None

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with the language by its name."""
        return super().words(voice) | {"chosen": voice.text(NAMES.get(self.language or "", LEFT_OPEN))}


@dataclass(frozen=True, kw_only=True)
class AccountLanguageChanged(AccountEvent):
    description = "The language of emails to those who have chosen none was changed."
    sentence = "{actor} set the language of emails to those who have chosen none: {chosen}."
    samples = {"account_language_changed": {"actor_id": ADMIN_ID, "language": "fr"}}

    language: str

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with the language by its name."""
        return super().words(voice) | {"chosen": voice.text(NAMES[self.language])}
