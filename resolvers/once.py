"""A mutation under an idempotency key: executed once, and answered as before when it is asked again.

A claim is committed first, and the unique place lets one request have it. The change is committed together with the
sealed answer, on the condition that the claim still stands: what dies between the lines has changed nothing, and its
claim runs out. See docs/decisions/an-answer-is-kept-with-its-change.md.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import db.answers
import rules.addresses
import rules.idempotency
import rules.throttling
from db.answers import Kept
from resolvers.context import Context
from rules.failures import (
    BadUserInput,
    Failure,
    IdempotencyAnswerLost,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    RateLimited,
    ServiceUnavailable,
)
from rules.idempotency import ANSWER_PURPOSE, LEASE, LIFETIME
from rules.sealed import NONCE_BYTES, KeyMissingError, Sealed
from rules.service_keys import Right

logger = logging.getLogger("gatehouse.api")

FULL = "Too many idempotency keys within ten minutes. Nothing was changed; try again later, or send none."
TOO_LARGE = "The answer is larger than can be kept under an idempotencyKey. Nothing was changed; ask for less at once."


@dataclass(frozen=True)
class Asked:
    """One mutation as it was asked: by whom, under which key, with which input.

    `place` is None when it is asked in a session that is no more: only an answer of before may then be found.
    """

    mutation: str
    arguments: dict[str, Any]
    place: bytes | None
    token_place: bytes | None
    owner: str
    most: int

    def hashed(self, context: Context, place: bytes, key_id: str) -> bytes:
        """The digest of mutation and input, which says nothing of them to whoever reads the database."""
        text = rules.idempotency.canonical(self.mutation, self.arguments, place)
        return context.service.ring.authenticate(text, rules.idempotency.INPUT_PURPOSE, key_id)


async def asked(
    context: Context,
    key: str,
    mutation: str,
    arguments: dict[str, Any],
    token_field: str | None = None,
    email_field: str | None = None,
) -> Asked:
    """Who asks: whoever has the token in this field of the input, a stranger about an email, or a session."""
    if token_field is not None:
        place = rules.idempotency.place("bearer", arguments["input"][token_field], key=key)
        if context.is_service:  # all whom a product signs in come from its one address
            owner, most = f"service:{await _scope(context)}", rules.idempotency.MOST_OF_A_SERVICE
        else:
            owner, most = _address(context), rules.idempotency.MOST_OF_AN_ADDRESS
        return Asked(mutation, arguments, place, None, owner, most)
    if email_field is not None:
        email = rules.addresses.normalized(arguments["input"][email_field])
        place = rules.idempotency.place("stranger", _address(context), email, key=key)
        return Asked(mutation, arguments, place, None, _address(context), rules.idempotency.MOST_OF_AN_ADDRESS)
    return await _in_session(context, key, mutation, arguments)


async def _in_session(context: Context, key: str, mutation: str, arguments: dict[str, Any]) -> Asked:
    """A service, or a session, known by its id, and by the token that it came with where a change replaces that."""
    if context.is_service:
        scope = await _scope(context)
        place = rules.idempotency.place("service", scope, key=key)
        return Asked(mutation, arguments, place, None, f"service:{scope}", rules.idempotency.MOST_OF_A_SERVICE)
    token_place = rules.idempotency.place("token", context.token_hash.hex(), key=key) if context.token_hash else None
    person = await context.person_or_none() or await context.recovering_person()
    if person is None:
        return Asked(mutation, arguments, None, token_place, "", 0)
    place = rules.idempotency.place("session", str(person.session_id), key=key)
    return Asked(mutation, arguments, place, token_place, f"person:{person.id}", rules.idempotency.MOST_OF_A_PERSON)


@dataclass(frozen=True)
class Work:
    """What executes the mutation; whether a result is a failure; and how a result becomes JSON and is read again."""

    execute: Callable[[], Awaitable[Any]]
    is_failure: Callable[[Any], bool]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class _Claim:
    """The right to execute."""

    place: bytes
    id: UUID
    input_hash: bytes
    key_id: str


async def once(context: Context, asked: Asked, work: Work) -> Any:
    """The answer. Raises IdempotencyKeyReused, IdempotencyInProgress, IdempotencyAnswerLost, RateLimited, and what
    executing raises.
    """
    if asked.place is None:
        kept = await _found(context, asked)
        return await work.execute() if kept is None else await _repeated(context, asked, kept, work)
    was_free = False
    for wait_s in (*rules.idempotency.LOOKS_AGAIN_AFTER_S, None):
        if (claim := await _claimed(context, asked, asked.place)) is not None:
            return await _executed(context, claim, work)
        if (kept := await _found(context, asked)) is None:
            if was_free:
                raise RateLimited(FULL)
            was_free = True  # what was under way has just failed; if not, the owner's keys are too many
            continue
        was_free = False
        if kept.answer is not None:
            return await _repeated(context, asked, kept, work)
        await _require_same_input(context, asked, kept)
        if wait_s is not None:
            await asyncio.sleep(wait_s)
    raise IdempotencyInProgress


async def _claimed(context: Context, asked: Asked, place: bytes) -> _Claim | None:
    key_id = context.service.ring.newest
    claim = _Claim(place, uuid4(), asked.hashed(context, place, key_id), key_id)
    async with context.database.connection() as connection:
        is_ours = await db.answers.claim(
            connection,
            place,
            asked.token_place,
            asked.owner,
            asked.most,
            claim.input_hash,
            key_id,
            claim.id,
            LEASE,
            LIFETIME,
        )
    return claim if is_ours else None


async def _found(context: Context, asked: Asked) -> Kept | None:
    async with context.database.connection() as connection:
        return await db.answers.find(connection, asked.place, asked.token_place, LIFETIME)


async def _require_same_input(context: Context, asked: Asked, kept: Kept) -> None:
    try:
        is_same = hmac.compare_digest(asked.hashed(context, kept.place, kept.key_id), kept.input_hash)
    except KeyMissingError:
        # While the answer is being made, a process with a newer key may be about it.
        raise (IdempotencyInProgress if kept.answer is None else IdempotencyAnswerLost) from None
    if is_same and kept.other_inputs < rules.idempotency.MOST_OTHER_INPUTS:
        return
    async with context.database.connection() as connection:
        await db.answers.count_other_input(connection, kept.place)
    raise IdempotencyKeyReused


async def _executed(context: Context, claim: _Claim, work: Work) -> Any:
    headers_before, token_before, is_done = len(context.response_headers), context.token, False
    context.holds_changes = True
    try:
        result = await work.execute()
        is_done = True
        if not work.is_failure(result):
            cookies = [value for name, value in context.response_headers[headers_before:] if name == "set-cookie"]
            session = None if context.token == token_before else [context.token]
            answer = _sealed(context, claim, [work.write(result), cookies, session])
            async with context.database.connection() as connection:
                if not await db.answers.keep(connection, claim.place, claim.id, answer):
                    raise IdempotencyInProgress  # this took so long that another has taken over
        await context.settle()
    except BaseException as error:
        if isinstance(error, Failure) and not (is_done or isinstance(error, ServiceUnavailable)):
            await context.settle()  # what was changed before it failed holds, as without a key
        else:
            await context.abandon(error)
            # Nor does a browser get a cookie that nobody may know: under the key that of before brings the answer back.
            del context.response_headers[headers_before:]
            context.go_on_with(token_before)
        await _release(context, claim)
        raise
    finally:
        context.holds_changes = False
    if work.is_failure(result):
        await _release(context, claim)
    return result


async def _release(context: Context, claim: _Claim) -> None:
    """Nothing is kept, so that the key may be used again; a claim that stays runs out."""
    with suppress(ServiceUnavailable):
        async with context.database.connection() as connection:
            await db.answers.release(connection, claim.place, claim.id)


async def _repeated(context: Context, asked: Asked, kept: Kept, work: Work) -> Any:
    """The answer as it was given, with its cookies."""
    await _require_same_input(context, asked, kept)
    if kept.answer is None:
        raise IdempotencyInProgress
    opened = context.service.ring.open(Sealed(kept.answer, kept.key_id), ANSWER_PURPOSE, _owner(kept.input_hash))
    written, cookies, session = json.loads(zlib.decompress(opened))
    try:
        result = work.read(written)
    except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
        # Another version has written it, whose results have other fields.
        logger.warning("An answer kept for %s cannot be read: %s.", asked.mutation, type(error).__name__)
        raise IdempotencyAnswerLost from None
    context.response_headers.extend(("set-cookie", cookie) for cookie in cookies)
    if session is not None:
        context.go_on_with(session[0])
    return result


def _sealed(context: Context, claim: _Claim, answer: object) -> bytes:
    plain = zlib.compress(json.dumps(answer).encode())
    if len(plain) > rules.idempotency.MOST_BYTES:
        raise BadUserInput(TOO_LARGE)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return context.service.ring.seal(plain, ANSWER_PURPOSE, _owner(claim.input_hash), nonce).data


def _owner(input_hash: bytes) -> UUID:
    """What the seal is bound to: caller, key, mutation and input."""
    return UUID(bytes=input_hash[:16])


async def _scope(context: Context) -> str:
    """Among which keys a service's are known. Raises Unauthenticated and Forbidden."""
    return (await context.service_key(*Right)).answers_scope


def _address(context: Context) -> str:
    return f"address:{rules.throttling.source(context.client.ip_address)}"
