"""The weekly digest: numbers and a link to owners, and to admins where owners wish; none where nothing is open."""

from __future__ import annotations

from dataclasses import asdict

import db.digests
import db.outbox
import rules.digests
from db.pool import Database
from rules.events.alerts import DigestSent


async def write_digests(database: Database) -> int:
    """Record the digests that are due, each account's once a week; return how many there were to send."""
    sent = 0
    while True:
        async with database.transaction() as connection:
            claimed = await db.digests.claim(connection, rules.digests.due_since(await db.digests.now(connection)))
            told = [DigestSent(**asdict(each)) for each in claimed if each.total]
            if told:
                await db.outbox.append_all(connection, told)
        sent += len(told)
        if len(claimed) < db.digests.AT_ONCE:
            return sent
