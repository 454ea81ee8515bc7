"""Sending what is due in a queue: claim, render, hand over, mark."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID, uuid4

import db.deliveries
import db.delivery_outcomes
import rules.delivery
from db.alerts import Heard
from db.deliveries import Claimed
from db.seldom import Seldom
from rules.events.stored import LaterEventError
from rules.links import Purpose
from telemetry import metrics, traces
from workers.alerts import heard_of
from workers.emails import Brand, Facts, PageUrls
from workers.later_versions import require_known
from workers.letters import Letter, Mail
from workers.links import links_of
from workers.mailer import VERDICT_TIMEOUT_S, Mailer
from workers.runtime import Runtime
from workers.verdicts import DeferredError, LeftError, OvertakenError, RefusedError, ServerError, UnsendableError

MOST_AT_ONCE = {"security": 20, "bulk": 100}
BATCH_S = 20.0
LOOK_EVERY_S = 0.5
RENEW_EVERY_S = 8.0
LEASE_S = 24.0  # others take over after 30 s
LONGEST_START_S = 20.0  # from the connection's beginning to the login's end, whatever the server says meanwhile
LONGEST_MAIL_S = 60.0
LONGEST_GOODBYE_S = 2.0
STOP_AFTER_S = 2.5
MARK_PATIENCE_S = 60.0
READ_PATIENCE_S = 10.0  # with one statement that takes too long less than a mail may take

log = logging.getLogger("gatehouse.sending")
trouble = Seldom(log)


class ClaimLostError(Exception):
    """Another worker has taken over what was claimed."""


def send_batch(runtime: Runtime, queue: str, wake_another: Callable[[], None]) -> bool:
    """Send one batch of a queue; true when there may be more to send at once.

    When it could not claim all that is due, another is woken to begin beside it.
    """
    claim_id = uuid4()
    limit, retry_hours = MOST_AT_ONCE[queue], runtime.settings.delivery_retry_hours
    claimed = runtime.query(db.deliveries.claim, queue, claim_id, limit, retry_hours)
    if len(claimed) == limit:
        wake_another()
    return bool(claimed) and _Batch(runtime, claim_id, claimed).run()


class _Batch:
    """One claim on its way. Every mark names the claim, so that one taken over marks nothing."""

    def __init__(self, runtime: Runtime, claim_id: UUID, claimed: list[Claimed]) -> None:
        self.runtime = runtime
        self.claim_id = claim_id
        self.waiting = {delivery.id: delivery for delivery in claimed}
        self.sent: list[int] = []  # and not marked yet
        self.letters: dict[tuple[int, str, str], Letter] = {}
        self.mailer = Mailer(runtime.settings.smtp_url, runtime.settings.own_mail_name)
        self.began_at = self.renewed_at = time.monotonic()
        self.must_end_at = self.began_at + LONGEST_START_S

    def run(self) -> bool:
        """Send until all are sent, time is up or the process is to end; true when the server can be used."""
        keeper = self.runtime.start(self._keep())
        try:
            return self._run()
        finally:
            self._have(LONGEST_GOODBYE_S)
            self.mailer.close()
            keeper.cancel()

    def _run(self) -> bool:
        try:
            self.mailer.connect()
            self._send_all()
        except ServerError as error:
            trouble.warning("The mail server cannot be used: %s", error)
            self._end(list(self.waiting.values()), str(error), is_in_doubt=error.body_has_left)
            return False
        except ClaimLostError:
            log.warning("Another worker has taken over a claim of ours.")
        finally:
            if self.sent:
                self._mark(db.deliveries.leave, self.sent, None)
            self._mark(db.deliveries.release)
        return True

    def _send_all(self) -> None:
        for delivery in list(self.waiting.values()):
            if self.runtime.is_stopping or time.monotonic() - self.began_at > BATCH_S:
                return
            self._have(LONGEST_MAIL_S)
            self._send(delivery)

    def _have(self, seconds: float) -> None:
        """Give the server so long for what it is asked now."""
        self.must_end_at = time.monotonic() + seconds

    def _send(self, delivery: Claimed) -> None:
        try:
            require_known(delivery)
            links = links_of(self.runtime, delivery, MARK_PATIENCE_S)
            heard = self._heard_of(delivery)
            with metrics.smtp(), traces.span("send", "CLIENT", delivery.traceparent, **_known(delivery)):
                self.mailer.send(self._mail_of(delivery, links, heard), lambda: self._leave(delivery.id))
        except OvertakenError:
            self._mark(db.delivery_outcomes.drop, [delivery.id])
            del self.waiting[delivery.id]
        except UnsendableError as error:
            self._fail([delivery], str(error))
        except RefusedError as error:
            self._refused(delivery, str(error))
        except DeferredError as error:
            self._end([delivery], str(error))
        except LeftError as error:
            self._end([delivery], str(error), is_left=True)
        else:
            self.runtime.refusals.forget()
            del self.waiting[delivery.id]
            self.sent.append(delivery.id)
            log.info("Delivery sent", extra=_known(delivery))

    def _heard_of(self, delivery: Claimed) -> tuple[Heard, ...]:
        """What an alert tells of. Raises OvertakenError, and LeftError when that cannot be read now."""
        try:
            return heard_of(self.runtime, delivery, READ_PATIENCE_S)
        except OvertakenError:
            raise
        except Exception as error:
            log.exception("What delivery %s tells of cannot be read.", delivery.id)
            raise LeftError(f"What it tells of cannot be read now: {type(error).__name__}") from error

    def _refused(self, delivery: Claimed, words: str) -> None:
        """Fail it; unless the server says the same to everybody: then it is tried later, with those before it."""
        # In this order, so that whoever hears of the last of them finds all of them failed.
        self._fail([delivery], words)
        failed = self.runtime.refusals.hear(delivery.id, delivery.email, words)
        if failed:
            log.warning("The mail server refuses everybody, so %s are tried again: %s", len(failed), words)
            pause, hours = rules.delivery.pause_s(delivery.attempts, 0), self.runtime.settings.delivery_retry_hours
            self.runtime.query(db.delivery_outcomes.revive, failed, pause, hours, patience_s=MARK_PATIENCE_S)

    def _mail_of(self, delivery: Claimed, links: Mapping[Purpose, str], heard: tuple[Heard, ...]) -> Mail:
        key = delivery.event_id, delivery.message, delivery.language
        try:
            letter = self.letters.get(key)
            if letter is None or links:
                letter = Letter(delivery.message, self._facts_of(delivery, links, heard))
            if not links:  # a link is one person's, so that no letter with one is kept for another
                self.letters[key] = letter
            return letter.to(delivery.email, delivery.id)
        except LaterEventError as error:
            raise LeftError(str(error)) from error
        except Exception as error:
            # A broken fact or template ends this delivery, and stops none behind it.
            log.exception("Delivery %s cannot be rendered.", delivery.id)
            raise UnsendableError(f"Not rendered: {type(error).__name__}") from error

    def _facts_of(self, delivery: Claimed, links: Mapping[Purpose, str], heard: tuple[Heard, ...]) -> Facts:
        settings = self.runtime.settings
        return Facts(
            event=delivery.stored.read(),
            occurred_at=delivery.occurred_at,
            account_name=delivery.account_name,
            recipient=delivery.email,
            delivery_id=delivery.id,
            public_url=settings.public_url,
            sender=settings.email_from,
            pages=PageUrls(settings.sign_in_url, settings.security_url, settings.agency_security_url),
            brand=Brand.of(settings),
            links=links,
            language=delivery.language,
            heard=heard,
        )

    def _leave(self, delivery_id: int) -> None:
        """Mark the mails before this one as sent, and this one as leaving, while the claim is still ours."""
        if not self._mark(db.deliveries.leave, self.sent, delivery_id):
            raise ClaimLostError
        self.sent = []
        self._have(LONGEST_MAIL_S + VERDICT_TIMEOUT_S)

    def _end(self, ended: list[Claimed], error: str, *, is_in_doubt: bool = False, is_left: bool = False) -> None:
        """Try these later, each after its own pause; those whose time is over have failed."""
        overdue = [delivery for delivery in ended if delivery.is_overdue]
        later = [delivery for delivery in ended if not delivery.is_overdue]
        if overdue:
            self._fail(overdue, error)
        if later:
            pauses = [rules.delivery.pause_s(delivery.attempts, secrets.randbelow(1000) / 1000) for delivery in later]
            ids = [delivery.id for delivery in later]
            self._mark(db.delivery_outcomes.try_later, ids, error, pauses, is_in_doubt, is_left)
        for delivery in later:
            del self.waiting[delivery.id]

    def _fail(self, failed: list[Claimed], error: str) -> None:
        self._mark(db.delivery_outcomes.fail, [delivery.id for delivery in failed], error)
        for delivery in failed:
            log.warning("Delivery %s has failed: %s", delivery.id, error, extra=_known(delivery))
            del self.waiting[delivery.id]

    def _mark(self, statement: Callable[..., Awaitable[object]], *arguments: object) -> object:
        # The server's word is worth waiting for the database, which may be restarting.
        return self.runtime.query(statement, self.claim_id, *arguments, patience_s=MARK_PATIENCE_S)

    async def _keep(self) -> None:
        """Keep the claim ours while the server is slow; end the connection when that fails or takes too long."""
        while not self._must_end():
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            if now - self.renewed_at > RENEW_EVERY_S:
                try:
                    await self.runtime.query_once(db.deliveries.renew, self.claim_id)
                except Exception as error:
                    trouble.warning("A claim cannot be renewed now: %s", type(error).__name__)
                else:
                    self.renewed_at = now
        self.mailer.abort()

    def _must_end(self) -> bool:
        now, stopping_since = time.monotonic(), self.runtime.stopping_since
        return (
            now - self.renewed_at > LEASE_S
            or now > self.must_end_at
            or (stopping_since is not None and now - stopping_since > STOP_AFTER_S)
        )


def _known(delivery: Claimed) -> dict[str, str | int | None]:
    """What leads from a line of the log to the request that it began with."""
    return {
        "delivery_id": delivery.id,
        "event_id": delivery.event_id,
        "template": delivery.message,
        "request_id": delivery.request_id,
    }
