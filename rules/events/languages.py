"""The languages that a person and an account have chosen."""

from __future__ import annotations

from dataclasses import dataclass

from rules.events.base import AccountEvent, PersonEvent
from rules.events.samples import ADMIN_ID
from rules.languages import NAMES


@dataclass(frozen=True, kw_only=True)
class LanguageChanged(PersonEvent):
    """`language` is None where it is the browser's, and the account's, again."""

    description = "A person chose the language of their emails and pages."
    sentence = "{subject} chose the language of their emails and pages: {chosen}."
    samples = {"language_changed": {"language": "de"}, "language_left_open": {}}

    language: str | None = None

    def words(self) -> dict[str, str]:
        """The facts, with the language by its name."""
        return super().words() | {"chosen": NAMES.get(self.language or "", "the browser's, and the account's")}


@dataclass(frozen=True, kw_only=True)
class AccountLanguageChanged(AccountEvent):
    description = "The language of emails to those who have chosen none was changed."
    sentence = "{actor} set the language of emails to those who have chosen none: {chosen}."
    samples = {"account_language_changed": {"actor_id": ADMIN_ID, "language": "fr"}}

    language: str

    def words(self) -> dict[str, str]:
        """The facts, with the language by its name."""
        return super().words() | {"chosen": NAMES[self.language]}
