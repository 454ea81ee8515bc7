"""Every secret that a test uses, and every line that is written meanwhile: none of the former may be in the latter.

Secrets are kept as they pass: what a client sends and is answered, what a command prints, what an email brings, what a
process is started with. Lines are those of every process that the tests start, whether it runs on or ends, and those
of the applications that are served within the tests' own process.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from telemetry import logs

PASSWORDS = {"password", "currentPassword", "newPassword", "current", "new"}
ANSWERED = {"sessionToken", "challengeToken", "backupCodes", "manualEntryKey", "token", "secret"}
# Shorter ones are words that a log may well hold.
SHORTEST_PASSWORD, SHORTEST = 12, 8
# Tokens, keys and webhooks' secrets, wherever they stand.
TOKEN = re.compile(r"\bgh_[a-z]_[\w-]{20,}|\bwhsec_[\w+/=-]{20,}")
# A code that somebody has logged stands in quotes; bare, six digits may be any number.
CODE = re.compile(r"""["'](\d{6})\\?["']""")
OF_A_URL = re.compile(r"://[^/\s:@]*:([^@/\s]{12,})@")

_used: set[str] = set()
_codes: set[str] = set()
_lines: list[str] = []


@dataclass
class _Log:
    """A file that a process writes to, as long as that lives; so many bytes of it have been looked at."""

    path: Path
    lives: Callable[[], bool]
    read: int = 0

    def more(self) -> str:
        """What has come since the last look."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                content = file.read()
        except OSError:
            return ""
        self.read += len(content)
        return content.decode(errors="replace")


_logs: dict[Path, _Log] = {}


class _Kept(logging.Handler):
    """Keeps what is logged in this very process, as a part would write it."""

    def emit(self, record: logging.LogRecord) -> None:
        _lines.append(self.format(record))


def listen() -> None:
    """Keep the lines of this process from now on, those of each request, too."""
    handler = _Kept()
    handler.setFormatter(logs.formatter(logs.JSON))
    logging.getLogger().addHandler(handler)
    logging.getLogger("access").setLevel(logging.INFO)


def begin() -> None:
    """Begin a test: nothing is used, nothing is written."""
    found()
    _used.clear()
    _codes.clear()
    _lines.clear()


def watch(path: Path, lives: Callable[[], bool] = lambda: False) -> None:
    """A process writes to this file: until the test's end, and for as long as it lives."""
    _logs.setdefault(path, _Log(path, lives))


def forget(path: Path) -> None:
    """What has been written there is another's to judge."""
    _logs.pop(path, None)


def wrote(text: str) -> None:
    """A process that has ended wrote this."""
    _lines.append(text)


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


def note_exchange(variables: Mapping[str, object], body: Mapping[str, object]) -> None:
    """Keep the passwords that were sent and the secrets that came back."""
    note(variables, PASSWORDS, SHORTEST_PASSWORD)
    note(body, ANSWERED, SHORTEST)


def note_tokens(text: str) -> None:
    """Keep whatever is a token in a text of the tests' own: a header, an email, what a command has printed."""
    _used.update(TOKEN.findall(text))


def note_code(code: str) -> None:
    """Keep a code of an authenticator app."""
    _codes.add(code)


def note_password(password: str) -> None:
    """Keep a password."""
    if len(password) >= SHORTEST_PASSWORD:
        _used.add(password)


def note_environment(given: Mapping[str, str]) -> None:
    """Keep the secrets of the settings that a process is started with."""
    for name, value in given.items():
        if name.endswith(("SECRET_KEYS", "CLIENT_SECRET")) and len(value) > SHORTEST:
            _used.update(part.partition(":")[2] or part for part in value.split(","))
        _used.update(OF_A_URL.findall(value))


def holds(text: str) -> str | None:
    """A secret that is in the text."""
    spaced = (part for secret in _used if " " in secret for part in (secret, secret.replace(" ", "")))
    found = next((secret for secret in (*(each for each in _used if " " not in each), *spaced) if secret in text), None)
    return found or next((code for code in CODE.findall(text) if code in _codes), None)


def found_in(paths: Iterable[Path]) -> list[str]:
    """The files that hold any of them."""
    return [str(path) for path in paths if holds(path.read_text(errors="replace"))]


def found() -> list[str]:
    """The lines written since the test began that hold any of them."""
    text = "\n".join([*_lines, *(log.more() for log in _logs.values())])
    for path in [path for path, log in _logs.items() if not log.lives()]:
        del _logs[path]
    return [line for line in text.splitlines() if holds(line)] if holds(text) else []
