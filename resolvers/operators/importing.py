"""Importing staff from CSV: streamed, checked line by line, applied in batches or all or nothing."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO
from uuid import UUID

from db import memberships, outbox
from db.pool import Connection, Database
from resolvers.operators.finding import OperatorError, keep_account
from rules import addresses
from rules.events.staff import StaffAdded
from rules.passwords import hash_password
from rules.people import Role

BATCH = 5000
COLUMNS = ("email", "role")


@dataclass(frozen=True)
class Row:
    """A checked line."""

    email: str
    role: Role


@dataclass
class Report:
    """What came of an import; `problems` are line numbers, as an editor counts them, and what is wrong there."""

    added: int = 0
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


async def import_staff(
    database: Database, account_id: UUID, source: TextIO, *, atomic: bool, progress: Callable[[int], None]
) -> Report:
    """Give each line's email its role. `progress` is told of the lines done.

    With `atomic` a single bad line means that nothing is applied. Raises OperatorError.
    """
    report = Report()
    # Nobody knows this password: whoever is new sets one in the product, or is given a hash there.
    password_hash = hash_password(secrets.token_urlsafe(32))
    if atomic:
        batches = list(_batches(source, report))
        if not report.problems:
            async with database.transaction() as connection:
                for batch in batches:
                    await _apply(connection, account_id, batch, password_hash, report)
                    progress(len(batch))
        return report
    for batch in _batches(source, report):
        async with database.transaction() as connection:
            await _apply(connection, account_id, batch, password_hash, report)
        progress(len(batch))
    return report


async def _apply(
    connection: Connection, account_id: UUID, batch: list[Row], password_hash: str, report: Report
) -> None:
    await keep_account(connection, account_id)
    added = await memberships.add_many(
        connection,
        account_id,
        [row.email for row in batch],
        [row.role for row in batch],
        [password_hash] * len(batch),
    )
    await outbox.append_all(
        connection, [StaffAdded(account_id=account_id, subject_id=user_id, role=role) for user_id, role in added]
    )
    report.added += len(added)
    report.known += len(batch) - len(added)


def _batches(source: TextIO, report: Report) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in _rows(source, report):
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(source: TextIO, report: Report) -> Iterator[Row]:
    reader = csv.DictReader(source, strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise OperatorError(f"The file's first line must name the columns email and role; {missing[0]} is missing.")
        first_lines: dict[str, int] = {}
        for given in reader:
            checked = _checked(given, first_lines, reader.line_num)
            if isinstance(checked, Row):
                yield checked
            else:
                report.problems.append((reader.line_num, checked))
    except (csv.Error, UnicodeDecodeError) as error:
        report.problems.append((reader.line_num + 1, f"not readable as CSV in UTF-8 ({error})"))


def _checked(given: dict[str, str | None], first_lines: dict[str, int], line: int) -> Row | str:
    """The row, or what is wrong with it."""
    text, role = (given.get("email") or "").strip(), (given.get("role") or "").strip().upper()
    if role not in Role.__members__:
        return f"the role must be owner, admin or member, not {role.lower()[:40]!r}"
    try:
        email = addresses.checked(text)
    except addresses.NotAnAddressError as error:
        return f"{text[:80]!r} is no email address: {error}".rstrip(".")
    first = first_lines.setdefault(email, line)
    return Row(email, Role[role]) if first == line else f"{email} is given twice, first in line {first}"
