"""A CSV file of staff, line by line: what each says, or what is wrong with it. Secrets are never repeated."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import rules.addresses
import rules.csv_records
import rules.passwords
import rules.typed
from rules.csv_records import Record
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
    """What is wrong with a row, with no stop at its end."""

    words: str


@dataclass(frozen=True)
class Found:
    """What a row says, or what is wrong with it, and its first and last line as an editor counts them."""

    first: int
    last: int
    says: Row | Problem


def read(source: Iterable[bytes]) -> Iterator[Found]:
    """What each row says; empty ones are left out. Raises NotAStaffFileError."""
    seen: dict[str, int] = {}
    names: list[str] | None = None
    for record in rules.csv_records.read(source):
        if names is None:
            names = _names(record)
        elif record.wrong:
            yield Found(record.first, record.last, Problem(record.wrong))
        elif any(cell.strip() for cell in record.cells):
            yield Found(record.first, record.last, _checked(names, record.cells, seen, record.first))
    if names is None:
        _names(Record(1, 1, "", []))


def _names(head: Record) -> list[str]:
    names = [rules.typed.visible(cell).lower() for cell in head.cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing and (cause := _other_than_commas(head.text)):
        raise NotAStaffFileError(cause)
    if missing and head.wrong:
        raise NotAStaffFileError(f"The file's first line is {head.wrong}.")
    if missing:
        raise NotAStaffFileError(
            f"The file's first line must name the columns email and role; {missing[0]} is missing."
        )
    for name in (*COLUMNS, *SECRETS):
        if names.count(name) > 1:
            raise NotAStaffFileError(f"The file's first line names the column {name} twice.")
    return names


def _other_than_commas(text: str) -> str | None:
    """What other programs have made of a file, by its first line, in a sentence."""
    if "\0" in text:
        return "The file is in UTF-16: save it as CSV in UTF-8."
    if text.strip().strip('"').lower().startswith("sep="):
        return "The file's first line is sep=…, which only some programs read: take that line away."
    if "\r" in text.rstrip("\r\n"):
        return "The file ends its lines by CR alone: save it with LF or CRLF."
    for word, separator in (("semicolons", ";"), ("tabs", "\t")):
        parts = {rules.typed.visible(part).strip('"').lower() for part in text.split(separator)}
        if parts.issuperset(COLUMNS):
            return f"The file has {word} between its cells: save it with commas."
    return None


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
