"""Members of whom MFA is asked sooner than before a policy was saved, each told of their own deadline."""

from __future__ import annotations

from uuid import UUID

import db.outbox
import rules.events.stored
import rules.often
from db.pool import Connection
from rules.events.policy import MfaRequired
from rules.often import JOININGS_MAILED, SPAN
from rules.policy import Policy

DEADLINE = rules.events.stored.key_of(MfaRequired, "deadline")
IS_MAILED = rules.events.stored.key_of(MfaRequired, "is_mailed")


async def tell(connection: Connection, account_id: UUID, before: Policy, *, is_mailed: bool) -> None:
    """Append an MfaRequired for each who is asked sooner than by the policy before, or is asked for the first time.

    Where the policy's own event is mailed, those who stand by the account's deadline hear of that; and nobody hears of
    theirs more often in a day than of joining. Under the account's lock, and one statement: an account may have taken
    in any number of people. That is why it appends past the outbox, which would have them all read out and written
    back; what it keeps of an event is the outbox's, and it shows where the outbox would have it: in the account's log.
    """
    assert before.required_since is not None
    assert before.deadline is not None
    told = MfaRequired(
        account_id=account_id, subject_id=account_id, required_since=before.required_since, deadline=before.deadline
    )
    await connection.execute(
        """
        WITH asked AS (
            SELECT user_id, mfa_deadline(accounts, staff) AS deadline
            FROM staff JOIN accounts ON accounts.id = account_id
            WHERE account_id = $1 AND invited_at IS NULL AND NOT has_mfa AND NOT was_reset
                -- whoever is exempted until a day or more before it is told as that ends
                AND NOT is_told_later(accounts, staff)
                AND mfa_deadline(accounts, staff) < coalesce(mfa_deadline(
                    required_since, $2, $3, $4, role, staff.created_at, excepted_until), 'infinity')
                AND NOT ($5 AND mfa_deadline(accounts, staff) = grace_deadline)
        ), counted AS (
            INSERT INTO throttles AS throttle (key, failures)
            SELECT $6 || user_id, ARRAY[now()] FROM asked ORDER BY user_id
            ON CONFLICT (key) DO UPDATE SET failures = one_more(throttle.failures, $7), updated_at = now()
            WHERE (closed_until(throttle.failures, $7, $8, false) > now()) IS NOT TRUE
            RETURNING key
        ), appended AS (
            INSERT INTO events (type, account_id, subject_id, data, request_id, traceparent)
            SELECT $9, $1, user_id, $10::jsonb || jsonb_build_object(
                $13::text, to_char(deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                $14::text, $6 || user_id IN (SELECT key FROM counted)), $11, $12
            FROM asked ORDER BY user_id
            RETURNING id
        )
        INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM appended
        """,
        account_id,
        before.deadline,
        before.joiner_days,
        before.required_of,
        is_mailed,
        rules.often.joining_key(account_id, ""),
        JOININGS_MAILED,
        SPAN,
        told.type(),
        *db.outbox.told(told),
        DEADLINE,
        IS_MAILED,
    )
