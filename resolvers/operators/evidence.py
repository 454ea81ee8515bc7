"""A bundle of evidence for an auditor: what happened on an account in a window, chained and signed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import db.compliance
import db.evidence
import db.outbox
import resolvers.operators.finding
import rules.spreadsheets
from db.pool import Connection, Database
from resolvers.operators.finding import OperatorError
from rules.sealing import KeyRing

PURPOSE = "evidence"
# Transactions take milliseconds; a dump of the database takes long.
MOST_LOOKS, LOOK_EVERY_S = 50, 0.1
MARGIN = timedelta(seconds=1)
UNDER_WAY = (
    "A transaction that began before the window's end is still under way, and may tell of what happened then: "
    "try again later, or let the window end earlier."
)
TO_SHOW = (
    "Something that happened in the window shows only once its email is written, as asking for a new password does, "
    "and waits for that: see `gatehouse deliveries status` and `deliveries list --failed`, and try again later."
)
HIDDEN = (
    "Somebody is connected to the database as another role, whose transactions {role} cannot see: they may tell of "
    "what happened in the window. Let a superuser do this first: GRANT pg_read_all_stats TO {role}"
)


@dataclass(frozen=True)
class Window:
    """Of which account, from when to before when."""

    account_id: UUID
    begin: datetime
    end: datetime


@dataclass
class Bundle:
    """The zip file under way: the hash of each of its files, and the chain over its events."""

    file: ZipFile
    chain: str
    hashes: dict[str, str] = field(default_factory=dict)
    events: int = 0

    def add(self, name: str, content: str) -> None:
        """Write a file, and keep its hash."""
        raw = content.encode()
        self.file.writestr(name, raw)
        self.hashes[name] = hashlib.sha256(raw).hexdigest()


def public_key(ring: KeyRing, key_id: str) -> str:
    """What bundles signed under this ring key are verified with: 32 bytes in hex."""
    return ring.signer(PURPOSE, key_id).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


async def export(
    database: Database,
    ring: KeyRing,
    window: Window,
    file: IO[bytes],
    progress: Callable[[int], None],
    *,
    retention_days: int,
) -> int:
    """Write the bundle to a file that holds nothing yet; return how many events it holds. Raises OperatorError.

    What is signed is all that happened within the window: events pruned or still under way are a reason to refuse.
    """
    if window.begin >= window.end:
        raise OperatorError("The window must end after it begins.")
    async with database.connection() as connection:
        await _let_settle(connection, window)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            name = await db.evidence.account_name(connection, window.account_id)
            if name is None:
                raise resolvers.operators.finding.no_account(window.account_id)
            until = await db.evidence.pruned_until(connection, retention_days)
            if until is not None and window.begin <= until:
                raise OperatorError(f"Events are kept since {_iso(until)} alone: let the window begin after that.")
            scope = f"gatehouse {window.account_id} {_iso(window.begin)} {_iso(window.end)}"
            with ZipFile(file, "w", ZIP_DEFLATED) as zipped:
                bundle = Bundle(zipped, hashlib.sha256(scope.encode()).hexdigest())
                await _add_events(connection, bundle, window, progress)
                await _add_tables(connection, bundle, window)
                _sign(bundle, ring, scope, window, name)
    return bundle.events


async def _let_settle(connection: Connection, window: Window) -> None:
    """Wait until all that began before the window's end is over, and shows. Raises OperatorError."""
    if await connection.fetchval("SELECT $1::timestamptz > clock_timestamp()", window.end):
        raise OperatorError("The window must end in the past.")
    why = UNDER_WAY
    for _ in range(MOST_LOOKS):
        found = await db.evidence.unsettled(connection, window.end, MARGIN)
        if found.hidden_from is not None:
            raise OperatorError(HIDDEN.format(role=found.hidden_from))
        if not found.is_under_way and not found.is_too_soon:
            # Now nothing can come to wait there any more.
            if not await db.evidence.is_to_show(connection, window.begin, window.end):
                return
            why = TO_SHOW
        await asyncio.sleep(LOOK_EVERY_S)
    raise OperatorError(why)


async def _add_events(connection: Connection, bundle: Bundle, window: Window, progress: Callable[[int], None]) -> None:
    whole = hashlib.sha256()
    # Nobody knows beforehand how many there are, and what may pass 2 GiB must say so at its beginning.
    with bundle.file.open("events.jsonl", "w", force_zip64=True) as file:
        async for row in db.evidence.events(connection, window.account_id, window.begin, window.end):
            stored = db.outbox.stored_from(row)
            event = {
                "id": str(row["id"]),
                "type": stored.type,
                "occurredAt": _iso(row["occurred_at"]),
                "actor": row["actor_email"],
                "subject": row["subject_email"],
                "summary": stored.summary(row["actor_email"], row["subject_email"]),
                "data": stored.data,
            }
            bundle.chain = hashlib.sha256(f"{bundle.chain}\n{_canonical(event)}".encode()).hexdigest()
            line = _canonical({**event, "chain": bundle.chain}).encode() + b"\n"
            whole.update(line)
            file.write(line)
            bundle.events += 1
            if bundle.events % db.evidence.BATCH == 0:
                progress(bundle.events)
    bundle.hashes["events.jsonl"] = whole.hexdigest()


async def _add_tables(connection: Connection, bundle: Bundle, window: Window) -> None:
    account_id, begin, end = window.account_id, window.begin, window.end
    found = [await db.compliance.at(connection, account_id, instant) for instant in (begin, end)]
    tables: dict[str, Iterable[Mapping[str, object]]] = {
        "compliance.csv": [asdict(each) for each in found if each],
        "staff.csv": map(dict, await db.evidence.members(connection, account_id, end)),
        "policies.csv": map(dict, await db.evidence.policies(connection, account_id, begin, end)),
        "exceptions.csv": map(dict, await db.evidence.exceptions(connection, account_id, begin, end)),
    }
    for name, rows in tables.items():
        bundle.add(name, rules.spreadsheets.written(map(_told, rows)))


def _sign(bundle: Bundle, ring: KeyRing, scope: str, window: Window, name: str) -> None:
    manifest = {
        "version": 1,
        "scope": scope,
        "account": {"id": str(window.account_id), "name": name},
        "from": _iso(window.begin),
        "to": _iso(window.end),
        "exportedAt": _iso(datetime.now(UTC)),
        "events": bundle.events,
        "head": bundle.chain,
        "files": bundle.hashes,
        "keyId": ring.newest,
        "publicKey": public_key(ring, ring.newest),
    }
    raw = json.dumps(manifest, indent=2, sort_keys=True).encode()
    bundle.file.writestr("manifest.json", raw)
    bundle.file.writestr("manifest.sig", ring.signer(PURPOSE, ring.newest).sign(raw).hex())


def _canonical(event: Mapping[str, object]) -> str:
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def _told(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
