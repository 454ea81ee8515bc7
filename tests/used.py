"""The secrets that a test uses, so that what its processes write can be searched for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PASSWORDS = {"password", "currentPassword", "newPassword", "current", "new"}
ANSWERED = {"sessionToken", "challengeToken", "backupCodes", "manualEntryKey", "token", "secret"}
# Shorter ones are words that a log may well hold.
SHORTEST_PASSWORD, SHORTEST = 12, 8

_used: set[str] = set()


def forget() -> None:
    """Begin anew."""
    _used.clear()


def note(told: object, names: Iterable[str], shortest: int) -> None:
    """Keep every text of at least so many characters that stands under one of these names, however deep."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name in names:
                texts = value if isinstance(value, list) else [value]
                _used.update(text for text in texts if isinstance(text, str) and len(text) >= shortest)
            note(value, names, shortest)
    elif isinstance(told, list):
        for value in told:
            note(value, names, shortest)


def note_exchange(variables: dict[str, object], body: dict[str, object]) -> None:
    """Keep the passwords that were sent and the secrets that came back."""
    note(variables, PASSWORDS, SHORTEST_PASSWORD)
    note(body, ANSWERED, SHORTEST)


def found_in(logs: Iterable[Path]) -> list[str]:
    """The logs that hold any of them."""
    secrets = {*_used, *(text.replace(" ", "") for text in _used)}
    written = {log: log.read_text(errors="replace") for log in logs}
    return [str(log) for log, text in written.items() if any(secret in text for secret in secrets)]
