"""A database out of a backup: what had ended since is ended again, before anybody comes in by it."""

from __future__ import annotations

from dataclasses import dataclass

import db.outbox
import db.resets
import db.restoring
import db.service_keys
from db.pool import Database
from db.restoring import Counts
from db.service_keys import Listed
from rules.events.account_recovery import OPERATOR, AccountRecoveryStopped


@dataclass(frozen=True)
class Restored:
    """What was ended, and the service keys that hold, of which some may have been revoked since the backup."""

    ended: Counts
    resets: int
    recoveries: int
    service_keys: list[Listed]


async def end_all(database: Database) -> Restored:
    """End whatever lets anybody in without signing in anew, and whatever waits to do so, of which people are mailed."""
    async with database.transaction() as connection:
        ended = await db.restoring.end_all(connection)
        resets = await db.restoring.end_resets(connection)
        await db.resets.tell(connection, resets)
        recoveries = await db.restoring.stop_recoveries(connection)
        stopped = [AccountRecoveryStopped(subject_id=user_id, how=OPERATOR) for user_id in recoveries]
        await db.outbox.append_all(connection, stopped)
        return Restored(ended, len(resets), len(recoveries), await db.service_keys.listed(connection))
