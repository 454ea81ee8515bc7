"""Delivering webhooks: many at once on the event loop, a few at each endpoint, so that a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpcore

import db.outbox
import db.webhook_deliveries
import db.webhook_sending
import db.webhooks
import languages
import rules.chat
import rules.delivery
import rules.events.json_schema
import rules.webhooks
from db.webhook_sending import Claimed
from rules.chat import Format, Message
from rules.events.stored import LaterEventError, UnreadableEventError
from rules.events.webhooks import WebhookDisabled
from rules.failures import ServiceUnavailable
from rules.sealed import KeyMissingError
from workers.endpoints import Connections
from workers.guarded_network import ForbiddenAddressError
from workers.runtime import Runtime
from workers.wording import clean

MOST_AT_ONCE = 200
ATTEMPT_S = 15.0
CONNECT_S = 5.0
LOOK_EVERY_S = 0.2
GATHERED_S = 0.02
ANSWER_BYTES = 1_000
LONGEST_SPOKEN = 1_000
LATER_PAUSE_S = 60.0

log = logging.getLogger("gatehouse.webhooks")


@dataclass(frozen=True)
class AttemptResult:
    """What one attempt came to; no error: it was taken."""

    status: int | None = None
    answer: str | None = None
    error: str | None = None


class Pump:
    """One process's deliveries: it goes on while anything is due, and ends by itself."""

    def __init__(self, runtime: Runtime, attempt_s: float = ATTEMPT_S) -> None:
        self._runtime = runtime
        self._attempt_s = attempt_s
        self._keys = runtime.settings.keys if runtime.settings.secret_keys else {}
        if not self._keys:
            log.warning("GATEHOUSE_SECRET_KEYS is not set: this worker delivers no webhooks.")
        self._running = False

    def start(self) -> None:
        """Deliver what is due, unless that is under way; returns at once."""
        self._runtime.start(self._run())

    async def _run(self) -> None:
        if self._running or self._runtime.is_stopping:
            return
        self._running = True
        try:
            await self._deliver()
        except ServiceUnavailable:
            log.warning("The database does not answer; webhooks wait.")
        except Exception:
            log.exception("Webhooks cannot be delivered now.")
        finally:
            self._running = False

    async def _deliver(self) -> None:
        under_way: set[asyncio.Task[None]] = set()
        async with Connections(allow_private=self._runtime.settings.webhook_allow_private) as connections:
            while not self._runtime.is_stopping:
                room = MOST_AT_ONCE - len(under_way)
                found = await self._runtime.query_once(db.webhook_sending.claim, room, [*self._keys]) if room else []
                under_way |= {asyncio.create_task(self._attempt(connections, claimed)) for claimed in found}
                if not under_way:
                    return
                await connections.close_idle()
                await asyncio.wait(under_way, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                # Those that end at about the same time make room for one claim together.
                await asyncio.sleep(GATHERED_S)
                under_way = {task for task in under_way if not task.done()}
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _attempt(self, connections: Connections, claimed: Claimed) -> None:
        if _waits_for_later(claimed):
            await self._runtime.query_once(db.webhook_sending.put_off, claimed, LATER_PAUSE_S)
            return
        began_at = time.monotonic()
        try:
            with connections.to(claimed.webhook_id) as pool:
                outcome = await self._send(pool, claimed)
        except asyncio.CancelledError:
            await self._runtime.query_once(db.webhook_sending.give_back, claimed)
            raise
        pause_s = None
        if outcome.error is not None and not claimed.is_last:
            pause_s = rules.delivery.pause_s(claimed.attempts, secrets.randbelow(1000) / 1000)
        duration_ms = int((time.monotonic() - began_at) * 1000)
        answer = (outcome.status, outcome.answer, outcome.error)
        await self._runtime.query_once(db.webhook_sending.record, claimed, duration_ms, *answer, pause_s)
        if outcome.error is not None:
            await self._switch_off(claimed)

    async def _send(self, pool: httpcore.AsyncConnectionPool, claimed: Claimed) -> AttemptResult:
        try:
            headers, body = self._message(claimed)
            url = rules.webhooks.checked_url(
                claimed.url, production=self._runtime.settings.production, allow_private=True
            )
            async with asyncio.timeout(self._attempt_s):
                return await _post(pool, url, headers, body)
        except TimeoutError:
            return AttemptResult(error=f"No whole answer within {self._attempt_s:.0f} seconds.")
        except ForbiddenAddressError as error:
            return AttemptResult(error=str(error))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            return AttemptResult(error=f"The endpoint cannot be reached: {type(error).__name__}.")
        except KeyMissingError:
            return AttemptResult(error="The secret cannot be opened: its key is another one.")
        except Exception as error:
            log.exception("Webhook delivery %s cannot be made.", claimed.id)
            return AttemptResult(error=f"Not made: {type(error).__name__}.")

    def _message(self, claimed: Claimed) -> tuple[dict[str, str], bytes]:
        told = rules.events.json_schema.payload(
            claimed.event_id, claimed.occurred_at, claimed.stored, claimed.actor_email, claimed.subject_email
        )
        body = rules.webhooks.written(told if claimed.format == Format.STANDARD else self._spoken(claimed))
        # 6 MiB of cryptography that only a worker with webhooks to deliver needs.
        from rules.sealing import KeyRing

        ring = KeyRing(self._keys)
        sealed = [claimed.secret, *([claimed.previous] if claimed.previous else [])]
        opened = [ring.open(each, rules.webhooks.SECRET_PURPOSE, claimed.webhook_id) for each in sealed]
        # The database's clock: a receiver refuses what is minutes off.
        return rules.webhooks.headers(f"msg_{claimed.id}", int(claimed.sent_at.timestamp()), body, opened), body

    def _spoken(self, claimed: Claimed) -> dict[str, Any]:
        settings, voice = self._runtime.settings, languages.voice(claimed.language)
        if claimed.stored is not None:
            told = claimed.stored.summary(claimed.actor_email, claimed.subject_email, voice)
        else:
            told = voice.text("This is a test of {product}: alerts arrive here.").format(product=settings.product)
        where = clean(claimed.account_name or settings.product)
        context = f"{where} · {languages.written_time(claimed.occurred_at, claimed.language)}"
        link = voice.text("Open agency security")
        message = Message(clean(told, LONGEST_SPOKEN), context, settings.agency_security_url, link)
        return rules.chat.written(Format(claimed.format), message)

    async def _switch_off(self, claimed: Claimed) -> None:
        database = await self._runtime.database()
        async with database.transaction() as connection:
            webhook = await db.webhooks.switch_off(connection, claimed.webhook_id)
            if webhook is None:
                return
            log.warning("Webhook %s is switched off: it has failed for three days.", webhook.id)
            event = WebhookDisabled(account_id=webhook.account_id, host=rules.webhooks.host_of(webhook.url))
            await db.outbox.append(connection, event)
        # In steps, since there may be a million; what is left when this process ends, housekeeping takes up.
        while await self._runtime.query_once(db.webhook_deliveries.give_up):
            pass


def _waits_for_later(claimed: Claimed) -> bool:
    """Whether another version's worker can say what this one cannot, and still may come.

    Whoever is told the bare facts can be told them by any version.
    """
    if claimed.stored is None or claimed.format == Format.STANDARD or claimed.is_last:
        return False
    try:
        claimed.stored.read()
    except LaterEventError:
        return True
    except UnreadableEventError:
        return False
    return False


async def _post(pool: httpcore.AsyncConnectionPool, url: str, headers: dict[str, str], body: bytes) -> AttemptResult:
    """Post, follow no redirect, and read no more of the answer than is kept."""
    everything: list[tuple[bytes | str, bytes | str]] = [
        *headers.items(),
        ("content-type", "application/json"),
        ("user-agent", "Gatehouse-Webhooks"),
        ("accept-encoding", "identity"),
    ]
    timeouts = {"connect": CONNECT_S, "read": ATTEMPT_S, "write": ATTEMPT_S, "pool": ATTEMPT_S}
    answer = b""
    async with pool.stream("POST", url, headers=everything, content=body, extensions={"timeout": timeouts}) as response:
        async for chunk in response.aiter_stream():
            answer += chunk
            if len(answer) >= ANSWER_BYTES:
                break
    text = answer[:ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
    if 200 <= response.status < 300:
        return AttemptResult(response.status, text)
    return AttemptResult(response.status, text, f"The endpoint answered {response.status}.")
