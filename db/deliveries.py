"""Deliveries: pending → sending → sent, failed or dropped. Each is claimed before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import db.outbox
import rules.events.stored
from db.pool import Connection
from rules.delivery import CLAIM_LIFETIME
from rules.events.standing import MfaDeadlineExtended, MfaExempted
from rules.events.stored import Stored
from rules.languages import ENGLISH
from rules.totp import STEP_S

SWEEP_LOCK_ID = 0x6A7E_0003  # any constant that is ours alone
MOST_ATTEMPTS = 200
PRUNE_BATCH = 10_000
UNKNOWN = "It was handed over, and no answer came: whether the server took it is not known."
# Both give it.
(UNTIL,) = {rules.events.stored.key_of(event, "until") for event in (MfaDeadlineExtended, MfaExempted)}


@dataclass(frozen=True)
class Claimed:
    """A delivery that this claim may send, with the facts of its event."""

    id: int
    event_id: int
    message: str
    email: str
    attempts: int
    is_overdue: bool
    occurred_at: datetime
    account_name: str | None
    language: str
    holds_while: str | None
    request_id: str | None
    traceparent: str | None
    stored: Stored


PLAIN = [each.name for each in fields(Claimed) if each.name != "stored"]


async def claim(connection: Connection, queue: str, claim_id: UUID, limit: int, retry_hours: int) -> list[Claimed]:
    """Claim up to `limit` due or abandoned deliveries; `is_overdue` says that this try is the last one.

    The send looks again: what is not true any more is dropped. Emails to one address of a person leave in the order of
    their events, whatever queue they wait in; a former address that is dead holds up nothing to the one of now. What a
    sender has handed over, and died or heard no answer, goes out again as often as it may, or counts as sent.
    """
    rows = await connection.fetch(
        """
        WITH due_first AS (
            -- one mail to each address of a person, and none where one is on its way: nobody's many hold up others
            SELECT user_id, email FROM deliveries AS due
            WHERE queue = $1 AND state = 'pending' AND next_attempt_at <= now() AND NOT EXISTS (
                SELECT FROM deliveries AS own
                WHERE own.user_id = due.user_id AND own.email = due.email AND own.state IN ('pending', 'sending')
                    AND (own.event_id, own.id) < (due.event_id, due.id)
                    AND (own.state = 'sending' OR own.queue = due.queue AND own.next_attempt_at <= now())
                OFFSET 0 -- looked at row by row, until there are enough
            ) AND NOT EXISTS (
                -- nor do those whose mail waits for an event, as any number may while many events are dispatched
                SELECT FROM events AS undispatched
                WHERE undispatched.subject_id = due.user_id AND undispatched.id < due.event_id
                    AND num_nonnulls(dispatched_at, failure, left_at) = 0 -- as its index has it
                OFFSET 0
            )
            -- in no further order: what a fan-out has written in one moment would be sorted for each claim
            ORDER BY next_attempt_at LIMIT $3 * 3
        ), waiting AS (
            -- of each of these people the mail of the earliest event, even if it waits in the other queue or for later
            SELECT id FROM deliveries
            WHERE state = 'pending' AND id IN (
                SELECT earliest.id FROM due_first, LATERAL (
                    SELECT id, event_id FROM deliveries AS own
                    WHERE own.user_id = due_first.user_id AND own.email = due_first.email
                        AND own.state IN ('pending', 'sending')
                        -- what waits for a later version may wait for a day
                        AND (own.left_at IS NULL OR own.next_attempt_at <= now())
                    ORDER BY event_id, id LIMIT 1
                ) AS earliest
                WHERE NOT EXISTS (SELECT FROM events AS undispatched
                    WHERE undispatched.subject_id = due_first.user_id AND undispatched.id < earliest.event_id
                        -- what waits for a later version, since left_at, may wait for a day
                        AND num_nonnulls(dispatched_at, failure, left_at) = 0)
            )
            ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
        ), abandoned AS (
            SELECT id FROM deliveries
            WHERE queue = $1 AND state = 'sending' AND claimed_at < now() - $7::interval
            LIMIT $3 FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT id FROM abandoned UNION ALL SELECT id FROM waiting LIMIT $3
        ), judged AS (
            SELECT due.id, occurred_at, accounts.name AS account_name,
                -- the person's, or the account's, or that of an account of theirs
                coalesce(users.language, accounts.language, (
                    SELECT elsewhere.language FROM staff AS own JOIN accounts AS elsewhere ON elsewhere.id = account_id
                    WHERE own.user_id = users.id AND elsewhere.language IS NOT NULL ORDER BY elsewhere.id LIMIT 1
                ), $8) AS language, type, events.account_id, subject_id,
                actor_id, data, service_key, request_id, traceparent,
                CASE
                    WHEN body_sent_at IS NOT NULL AND resends = 0 THEN 'sent'
                    WHEN expires_at <= now() THEN 'dropped'
                    -- deleted while it was written, for no foreign key is looked at
                    WHEN users.id IS NULL THEN 'dropped'
                    WHEN users.email <> deliveries.email AND holds_while IS DISTINCT FROM 'FORMER_ADDRESS'
                    THEN 'dropped'
                    WHEN NOT CASE holds_while
                        WHEN 'ENROLLED' THEN factors.user_id IS NOT NULL
                        WHEN 'NOT_ENROLLED' THEN factors.user_id IS NULL
                        WHEN 'NOT_PROVED' THEN factors.user_id IS NOT NULL
                            -- a code is good for a step after its own, too
                            AND greatest(enabled_at, to_timestamp((last_step + 2) * $9::int)) < occurred_at
                        WHEN 'MEMBER_NOT_ENROLLED' THEN
                            factors.user_id IS NULL AND staff.id IS NOT NULL AND staff.invited_at IS NULL
                            -- an exception holds that is not over, ended or replaced by another
                            AND (type NOT IN ('MFA_DEADLINE_EXTENDED', 'MFA_EXEMPTED')
                                OR excepted_until > now() AND excepted_until = (data ->> $10::text)::timestamptz
                                    AND is_exempt = (type = 'MFA_EXEMPTED')) IS TRUE
                        WHEN 'INVITED' THEN staff.invited_at IS NOT NULL
                        WHEN 'OWNER' THEN coalesce(staff.role = 'OWNER' AND staff.invited_at IS NULL, false)
                        WHEN 'MANAGER' THEN
                            coalesce(manages(staff.role) AND staff.invited_at IS NULL, false)
                        WHEN 'MANAGER_OF_ANY' THEN EXISTS (SELECT FROM staff AS own
                            WHERE own.user_id = deliveries.user_id AND manages(own.role)
                                AND own.invited_at IS NULL)
                        -- nothing, or what a later version judges by: the sender leaves it
                        ELSE true END
                    THEN 'dropped'
                    WHEN deliveries.required_since IS NULL THEN 'sending'
                    WHEN accounts.required_since = deliveries.required_since
                        AND mfa_deadline(accounts, staff) = coalesce(deadline, accounts.grace_deadline)
                        AND staff.invited_at IS NULL
                        -- but for whom an event tells in particular
                        AND (subject_id IS NOT NULL OR NOT is_told_later(accounts, staff))
                        AND factors.user_id IS NULL AND users.reenrollment_required_at IS NULL
                    THEN 'sending'
                    ELSE 'dropped'
                END AS fate
            FROM due
            JOIN deliveries ON deliveries.id = due.id
            JOIN events ON events.id = deliveries.event_id
            LEFT JOIN users ON users.id = deliveries.user_id
            LEFT JOIN factors ON factors.user_id = deliveries.user_id
            LEFT JOIN accounts ON accounts.id = events.account_id
            LEFT JOIN staff ON staff.account_id = events.account_id AND staff.user_id = deliveries.user_id
        ), claimed AS (
            UPDATE deliveries
            SET state = fate,
                claim_id = CASE WHEN fate = 'sending' THEN $2::uuid END,
                claimed_at = CASE WHEN fate = 'sending' THEN now() END,
                sent_at = CASE WHEN fate = 'sent' THEN body_sent_at END,
                last_error = CASE WHEN fate = 'sent' THEN $6 ELSE last_error END,
                attempts = attempts + (fate = 'sending')::int,
                resends = resends - (fate = 'sending' AND body_sent_at IS NOT NULL)::int,
                body_sent_at = NULL
            FROM judged WHERE deliveries.id = judged.id
            RETURNING deliveries.id, event_id, message, email, attempts, state, occurred_at, account_name,
                language, holds_while, type, account_id, subject_id, actor_id, data, service_key, request_id,
                traceparent, created_at < now() - make_interval(hours => $4) OR attempts >= $5 AS is_overdue
        ), in_order AS (
            SELECT staff.id FROM claimed
            JOIN staff ON staff.account_id = claimed.account_id AND staff.user_id = claimed.subject_id
            WHERE state = 'dropped' AND type = 'GRACE_REMINDER_SENT' AND reminder_claimed_at <= occurred_at
            ORDER BY staff.id FOR NO KEY UPDATE OF staff
        ), given_back AS (
            -- whoever was not reminded after all may be reminded again
            UPDATE staff SET reminder_claimed_at = NULL FROM in_order WHERE staff.id = in_order.id
        )
        SELECT id, event_id, message, email, attempts, is_overdue, occurred_at, account_name,
            language, holds_while, type, account_id, subject_id, actor_id, data, service_key, request_id, traceparent
        FROM claimed WHERE state = 'sending' ORDER BY id
        """,
        queue,
        claim_id,
        limit,
        retry_hours,
        MOST_ATTEMPTS,
        UNKNOWN,
        CLAIM_LIFETIME,
        ENGLISH,
        STEP_S,
        UNTIL,
    )
    return [Claimed(stored=db.outbox.stored_from(row), **{name: row[name] for name in PLAIN}) for row in rows]


async def renew(connection: Connection, claim_id: UUID) -> None:
    """Keep what is left of a claim from being taken over for another 30 seconds."""
    await connection.execute(
        """
        UPDATE deliveries SET claimed_at = now() WHERE id IN (
            -- as their sender marks them
            SELECT id FROM deliveries WHERE claim_id = $1 AND state = 'sending' ORDER BY id FOR NO KEY UPDATE
        )
        """,
        claim_id,
    )


async def leave(connection: Connection, claim_id: UUID, sent_ids: list[int], next_id: int | None) -> bool:
    """The server has taken `sent_ids`, and the body of `next_id` is about to leave: may it? The roster shows reminders.

    One statement for both, so that after a crash only the one mail under way is in doubt. It does not wait for the
    disk: a crash of the database too, within a moment of this, costs a mail sent twice under one Message-ID.
    """
    may_leave: bool = await connection.fetchval(
        """
        WITH quick AS MATERIALIZED (
            SELECT set_config('synchronous_commit', 'off', true) AS setting
        ), marked AS (
            UPDATE deliveries
            SET state = CASE WHEN id = ANY ($2) THEN 'sent' ELSE state END,
                sent_at = CASE WHEN id = ANY ($2) THEN now() END,
                claim_id = CASE WHEN id = ANY ($2) THEN NULL ELSE claim_id END,
                claimed_at = CASE WHEN id = ANY ($2) THEN NULL ELSE now() END,
                body_sent_at = CASE WHEN id = ANY ($2) THEN NULL ELSE now() END
            FROM quick
            WHERE id = ANY (array_append($2::bigint[], $3::bigint)) AND claim_id = $1 AND state = 'sending'
            RETURNING id, event_id, user_id
        ), shown AS (
            UPDATE staff SET last_reminded_at = now(), reminder_claimed_at = now(), last_reminder_failed_at = NULL
            FROM marked JOIN events ON events.id = marked.event_id
            WHERE marked.id = ANY ($2) AND events.type = 'GRACE_REMINDER_SENT'
                AND staff.account_id = events.account_id AND staff.user_id = marked.user_id
        )
        SELECT EXISTS (SELECT FROM marked WHERE id = $3)
        """,
        claim_id,
        sent_ids,
        next_id,
    )
    return may_leave


async def release(connection: Connection, claim_id: UUID) -> None:
    """Give back what was claimed and not tried."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL, attempts = attempts - 1
        WHERE claim_id = $1 AND state = 'sending' AND body_sent_at IS NULL
        """,
        claim_id,
    )


async def due_queues(connection: Connection) -> list[str]:
    """The queues with something to send or to take over; none while another sweep looks."""
    rows = await connection.fetch(
        """
        SELECT queue
        FROM (SELECT pg_try_advisory_xact_lock($1) AS is_ours) AS sweep
        JOIN (VALUES ('security'), ('bulk')) AS q (queue) ON is_ours
        WHERE EXISTS (SELECT FROM deliveries AS d
                      WHERE d.queue = q.queue AND state = 'pending' AND next_attempt_at <= now())
            OR EXISTS (SELECT FROM deliveries AS d
                       WHERE d.queue = q.queue AND state = 'sending' AND claimed_at < now() - $2::interval)
        """,
        SWEEP_LOCK_ID,
        CLAIM_LIFETIME,
    )
    return [row["queue"] for row in rows]


async def prune(connection: Connection, older_than_days: int) -> int:
    """Delete up to 10,000 ended deliveries that are older; return how many."""
    status = await connection.execute(
        """
        DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries
            WHERE created_at < now() - make_interval(days => $1) AND state IN ('sent', 'failed', 'dropped')
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        PRUNE_BATCH,
    )
    return int(status.split()[1])
