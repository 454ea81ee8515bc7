"""Importing staff from CSV: streamed, checked line by line, applied in batches or all or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import db.factors
import db.memberships
import db.outbox
import resolvers.joining
import resolvers.operators.finding
import rules.backup_codes
import rules.staff_file
from db.factors import Brought
from db.memberships import Joined
from db.pool import Connection, Database
from resolvers.operators.finding import OperatorError
from rules.events.base import Event
from rules.events.staff import StaffAdded, StaffInvited
from rules.links import INVITATION
from rules.people import Role
from rules.sealed import NONCE_BYTES
from rules.sealing import KeyRing
from rules.staff_file import NotAStaffFileError, Problem, Row
from rules.totp import TOTP_PURPOSE

BATCH = 5000


@dataclass(frozen=True)
class Wishes:
    """How to import: all or nothing, and whether those who have no password are invited to set one."""

    atomic: bool
    invite: bool


@dataclass
class Report:
    """What came of an import; lines are numbered as an editor counts them.

    `problems` says of each bad row where it begins and what is wrong there, `unread` between which lines nothing was
    read since a row's quote had taken them in, and `within` how many lines were more of a good row's cell.
    """

    added: int = 0
    invited: int = 0
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    unread: list[tuple[int, int]] = field(default_factory=list)
    within: int = 0


async def import_staff(
    database: Database,
    ring: Callable[[], KeyRing],
    account_id: UUID,
    source: Iterable[bytes],
    wishes: Wishes,
    progress: Callable[[int], None],
) -> Report:
    """Give each line's email its role. `progress` is told of the lines done, `ring` asked for where secrets come along.

    When all or nothing is wished, a single bad line means that nothing is applied. Raises OperatorError.
    """
    ring = cache(ring)  # which reads all settings
    report = Report()
    batches = _batches(source, report)
    if wishes.atomic:
        read = list(batches)
        if not report.problems:
            async with database.transaction() as connection:
                for batch in read:
                    await _apply(connection, ring, account_id, batch, wishes.invite, report)
                    progress(len(batch))
        return report
    for batch in batches:
        async with database.transaction() as connection:
            await _apply(connection, ring, account_id, batch, wishes.invite, report)
        progress(len(batch))
    return report


async def _apply(
    connection: Connection,
    ring: Callable[[], KeyRing],
    account_id: UUID,
    batch: list[Row],
    invite: bool,
    report: Report,
) -> None:
    await resolvers.operators.finding.keep_account(connection, account_id)
    joined = await db.memberships.add_many(
        connection,
        account_id,
        [row.email for row in batch],
        [row.role for row in batch],
        [row.password_hash for row in batch],
        invite,
        INVITATION.lifetime,
    )
    brought = {row.email: row.totp_secret for row in batch if row.totp_secret is not None}
    await db.factors.bring(
        connection, [_sealed(ring(), one, brought[one.email]) for one in joined if _brings(one, brought)]
    )
    await db.outbox.append_all(connection, [_event(account_id, one) for one in joined])
    await resolvers.joining.tell_joined(connection, account_id, [one.user_id for one in joined])
    invited = sum(one.is_invited for one in joined)
    report.added += len(joined) - invited
    report.invited += invited
    report.known += len(batch) - len(joined)


def _brings(joined: Joined, brought: dict[str, bytes]) -> bool:
    """Only a new person brings a factor: whoever is known has their own, or none."""
    return joined.is_new and joined.email in brought


def _sealed(ring: KeyRing, joined: Joined, secret: bytes) -> Brought:
    sealed = ring.seal(secret, TOTP_PURPOSE, joined.user_id, secrets.token_bytes(NONCE_BYTES))
    return Brought(joined.user_id, sealed, secrets.token_bytes(rules.backup_codes.SALT_BYTES))


def _event(account_id: UUID, joined: Joined) -> Event:
    role = Role(joined.role)
    if joined.is_invited:
        return StaffInvited(account_id=account_id, subject_id=joined.user_id, role=role, is_imported=True)
    return StaffAdded(account_id=account_id, subject_id=joined.user_id, role=role)


def _batches(source: Iterable[bytes], report: Report) -> Iterator[list[Row]]:
    batch: list[Row] = []
    try:
        for found in rules.staff_file.read(source):
            if isinstance(found.says, Problem):
                report.problems.append((found.first, found.says.words))
                if found.last > found.first:
                    report.unread.append((found.first, found.last))
                continue
            report.within += found.last - found.first
            batch.append(found.says)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except NotAStaffFileError as error:
        raise OperatorError(str(error)) from None
    if batch:
        yield batch
