"""A CSV file of staff, line by line: what each says, or what is wrong with it. Secrets are never repeated."""

from __future__ import annotations

import base64
import binascii
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import rules.addresses
import rules.passwords
import rules.typed
from rules.foreign_hashes import UnknownHashError
from rules.people import Role

COLUMNS = ("email", "role")
SECRETS = ("password_hash", "totp_secret")
LEAST_SECRET_BYTES = 14  # 112 bits, as NIST has it
MOST_SECRET_BYTES = 64


class NotAStaffFileError(Exception):
    """The first line does not name what is needed; the message is one plain sentence."""


@dataclass(frozen=True)
class Row:
    """A checked line."""

    email: str
    role: Role
    password_hash: str | None = None
    totp_secret: bytes | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with a line, with no stop at its end."""

    words: str


NOT_UTF8 = Problem("not in UTF-8: save the file in that encoding")


def read(source: Iterable[bytes]) -> Iterator[tuple[int, Row | Problem]]:
    """Each line's number, as an editor counts them, and what it says; empty ones are left out.

    Raises NotAStaffFileError.
    """
    lines = _Lines(source)
    reader = csv.reader(lines, strict=True)
    seen: dict[str, int] = {}
    names: list[str] | None = None
    try:
        for cells in reader:
            if names is None:
                names = _names(cells)
            elif any(cell.strip() for cell in cells):
                read_to = reader.line_num
                yield read_to, NOT_UTF8 if lines.is_bad else _checked(names, cells, seen, read_to)
            lines.is_bad = False
    except csv.Error as error:
        yield reader.line_num, Problem(f"not readable as CSV ({error})")
    if names is None:
        _names([])


class _Lines:
    """Lines of bytes as text, one at a time, so that one in another encoding costs no other."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self._is_first = True
        self.is_bad = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        encoding = "utf-8-sig" if self._is_first else "utf-8"
        self._is_first = False
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            self.is_bad = True
            return line.decode(encoding, "replace")


def _names(cells: list[str]) -> list[str]:
    names = [rules.typed.visible(cell).lower() for cell in cells]
    for name in COLUMNS:
        if name not in names:
            raise NotAStaffFileError(f"The file's first line must name the columns email and role; {name} is missing.")
    for name in (*COLUMNS, *SECRETS):
        if names.count(name) > 1:
            raise NotAStaffFileError(f"The file's first line names the column {name} twice.")
    return names


def _checked(names: list[str], cells: list[str], seen: dict[str, int], line: int) -> Row | Problem:
    if any(cell.strip() for cell in cells[len(names) :]):
        return Problem(f"it has {len(cells)} cells where the first line names {len(names)}")
    given = dict.fromkeys((*COLUMNS, *SECRETS), "") | dict(zip(names, cells, strict=False))
    # Where secrets are about, a cell in the wrong column may be one: nothing of the line is repeated.
    may_repeat = not set(SECRETS) & set(names)
    role = rules.typed.visible(given["role"]).upper()
    if role not in Role.__members__:
        return Problem(
            "the role must be owner, admin or member" + (f", not {role.lower()[:40]!r}" if may_repeat else "")
        )
    try:
        email = rules.addresses.checked(given["email"])
    except rules.addresses.NotAnAddressError as error:
        if not may_repeat:
            return Problem("the email is no address")
        return Problem(f"{given['email'].strip()[:80]!r} is no email address: {str(error).rstrip('.')}")
    try:
        row = Row(email, Role[role], _hash(given["password_hash"]), _secret(given["totp_secret"]))
    except _WrongCellError as error:
        return Problem(str(error))
    first = seen.setdefault(email, line)
    return row if first == line else Problem(f"{email} is given twice, first in line {first}")


class _WrongCellError(Exception):
    """What is wrong with a cell, without it."""


def _hash(cell: str) -> str | None:
    if not (text := cell.strip()):
        return None
    try:
        return rules.passwords.from_elsewhere(text)
    except UnknownHashError as error:
        raise _WrongCellError(f"the password_hash cannot be taken: {error}") from None


def _secret(cell: str) -> bytes | None:
    if not (text := rules.typed.code(cell).upper().rstrip("=")):
        return None
    try:
        secret = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise _WrongCellError("the totp_secret is not in base32") from None
    if not LEAST_SECRET_BYTES <= len(secret) <= MOST_SECRET_BYTES:
        bits = f"{LEAST_SECRET_BYTES * 8} to {MOST_SECRET_BYTES * 8}"
        raise _WrongCellError(f"the totp_secret must have {bits} bits, not {len(secret) * 8}")
    return secret
