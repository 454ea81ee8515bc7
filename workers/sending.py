"""Sending what is due in a queue: claim, render, hand over, mark, a batch at a time."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID, uuid4

from db import deliveries
from db.deliveries import Claimed
from rules.delivery import pause_s
from workers.emails import Facts, render
from workers.mailer import Mailer, PermanentError, ServerError, TemporaryError
from workers.runtime import Runtime

RENEW_EVERY_S = 5.0
BATCH_S = 20.0
MARK_PATIENCE_S = 60.0
SERVER_PAUSE_S = 60.0

log = logging.getLogger("gatehouse.sending")


@dataclass(frozen=True)
class Pace:
    """How many deliveries one claim takes, and how many sent ones one mark covers."""

    claim: int
    mark: int


# After a crash, what was sent but not marked goes out again, under the same Message-ID: one mail, or twenty.
PACES = {"security": Pace(20, 1), "bulk": Pace(100, 20)}


def send_batch(runtime: Runtime, queue: str) -> int:
    """Send one batch of a queue; return how many deliveries were claimed."""
    pace, claim_id = PACES[queue], uuid4()
    retry_hours = runtime.settings.delivery_retry_hours
    claimed = runtime.query(deliveries.claim, queue, claim_id, pace.claim, retry_hours)
    if claimed:
        batch = _Batch(runtime, claim_id, pace.mark)
        try:
            with Mailer(runtime.settings.smtp_url) as mailer:
                batch.send_all(mailer, claimed)
        except ServerError as error:
            log.warning("The mail server cannot be used: %s", error)
            batch.postpone(claimed, str(error))
        finally:
            batch.finish()
    return len(claimed)


class _Batch:
    """One claim on its way. Every mark names the claim, so that one taken over marks nothing."""

    def __init__(self, runtime: Runtime, claim_id: UUID, mark_every: int) -> None:
        self.runtime = runtime
        self.claim_id = claim_id
        self.mark_every = mark_every
        self.unmarked: list[int] = []
        self.ended: set[int] = set()
        self.started_at = self.renewed_at = time.monotonic()

    def send_all(self, mailer: Mailer, claimed: list[Claimed]) -> None:
        """Send until all are sent, time is up or the process is to stop. Raises ServerError."""
        for delivery in claimed:
            if self.runtime.stopping.is_set() or time.monotonic() - self.started_at > BATCH_S:
                return
            if time.monotonic() - self.renewed_at > RENEW_EVERY_S:
                self._query(deliveries.renew)
                self.renewed_at = time.monotonic()
            self._send(mailer, delivery)
            if len(self.unmarked) >= self.mark_every:
                self._mark()

    def postpone(self, claimed: list[Claimed], error: str) -> None:
        """The server is at fault, not the recipients: what is left waits, and fails for nothing but its age."""
        rest = [d for d in claimed if d.id not in self.ended]
        overdue = [d for d in rest if d.is_overdue]
        for delivery in overdue:
            self._query(deliveries.fail, delivery.id, error)
        later = [d for d in rest if not d.is_overdue]
        if later:
            pause = pause_s(min(d.attempts for d in later), _jitter())
            self._query(deliveries.try_later, [d.id for d in later], error, min(pause, SERVER_PAUSE_S))
        self.ended.update(d.id for d in rest)

    def finish(self) -> None:
        """Mark what was sent, and give back what was not tried."""
        self._mark()
        self._query(deliveries.release)

    def _send(self, mailer: Mailer, delivery: Claimed) -> None:
        try:
            mailer.send(self._render(delivery))
        except PermanentError as error:
            self._query(deliveries.fail, delivery.id, str(error))
        except TemporaryError as error:
            if delivery.is_overdue:
                self._query(deliveries.fail, delivery.id, str(error))
            else:
                self._query(deliveries.try_later, [delivery.id], str(error), pause_s(delivery.attempts, _jitter()))
        except RenderingError as error:
            log.error("Delivery %s cannot be rendered: %s", delivery.id, error)
            self._query(deliveries.fail, delivery.id, f"Not rendered: {error}")
        else:
            self.unmarked.append(delivery.id)
        self.ended.add(delivery.id)

    def _render(self, delivery: Claimed) -> EmailMessage:
        settings = self.runtime.settings
        facts = Facts(
            event_type=delivery.type,
            occurred_at=delivery.occurred_at,
            data=delivery.data,
            account_name=delivery.account_name,
            recipient=delivery.email,
            delivery_id=delivery.id,
            public_url=settings.public_url,
            sender=settings.email_from,
        )
        try:
            return render(delivery.message, facts)
        except Exception as error:
            # A broken fact or template ends this delivery, and stops none behind it.
            raise RenderingError(type(error).__name__) from error

    def _mark(self) -> None:
        if self.unmarked:
            self._query(deliveries.mark_sent, self.unmarked)
            self.unmarked = []
            self.renewed_at = time.monotonic()

    def _query(self, statement: Callable[..., Awaitable[None]], *arguments: object) -> None:
        # The server's word is worth waiting for the database, which may be restarting.
        self.runtime.query(statement, self.claim_id, *arguments, patience_s=MARK_PATIENCE_S)


class RenderingError(Exception):
    """A message could not be made of its facts."""


def _jitter() -> float:
    return secrets.randbelow(1000) / 1000
