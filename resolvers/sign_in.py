"""Signing in: the password first, then, with MFA on, the second factor."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import backup_codes, challenges, factors, outbox, sessions, throttles, users
from db.challenges import Challenge
from db.factors import Factor
from db.pool import Connection
from resolvers import second_factor, standing
from resolvers.context import Context
from rules import addresses, passwords, throttling, tokens
from rules.backup_codes import digest as backup_code_digest
from rules.backup_codes import normalize as normalized_backup_code
from rules.events.signing_in import BackupCodeUsed, SignInLocked, SignInSucceeded
from rules.failures import BadUserInput, ChallengeExpired, InvalidCode, InvalidCredentials, RateLimited, TooManyAttempts
from rules.throttling import Charge

WRONG_BACKUP_CODE = "That backup code is not right, or it has been used already."


@dataclass(frozen=True)
class SignedIn:
    """A session has started; `token` is None when it went into a cookie."""

    token: str | None
    expires_at: datetime


@dataclass(frozen=True)
class ChallengeOpened:
    """The password was right, and the second factor is asked for."""

    token: str
    expires_at: datetime


async def sign_in(context: Context, email: str, password: str, use_cookie: bool) -> SignedIn | ChallengeOpened:
    """Check the password. Raises InvalidCredentials, TooManyAttempts, RateLimited."""
    if use_cookie and not context.takes_cookies:
        raise BadUserInput("A cookie can only be set over HTTP.")
    email = addresses.normalized(email)
    async with context.service.turns.of(email):
        return await _sign_in(context, email, password, use_cookie)


async def _sign_in(context: Context, email: str, password: str, use_cookie: bool) -> SignedIn | ChallengeOpened:
    charges = await charge_password(context, email)
    async with context.database.connection() as connection:
        known = await users.credentials(connection, email)
    await check_password(context, known, password, charges)
    assert known is not None and known.password_hash is not None

    rehashed = None
    if passwords.needs_rehash(password, known.password_hash):
        async with second_factor.given_back_on(context.database, charges, RateLimited):
            rehashed = await context.service.hasher.run(passwords.hash_password, password)
    async with context.database.transaction() as connection:
        await users.lock(connection, known.id)
        for charged in charges:
            await throttles.refund(connection, charged)
        if rehashed:
            await users.replace_password_hash(connection, known.id, known.password_hash, rehashed)
        if await factors.exists(connection, known.id):
            return await _open_challenge(connection, known.id, use_cookie)
        token, expires_at = await _start_session(context, connection, known.id)
    context.sign_in_as(token, use_cookie=use_cookie)
    return SignedIn(None if use_cookie else token, expires_at)


async def complete_challenge(
    context: Context, challenge_token: str, totp_code: str | None, backup_code: str | None
) -> SignedIn:
    """Answer a challenge by exactly one of the codes. Raises ChallengeExpired, InvalidCode, TooManyAttempts."""
    challenge, charged = await _charge_challenge(context, challenge_token)
    async with context.database.connection() as connection:
        factor = await factors.load(connection, challenge.user_id)
    if factor is None:
        raise ChallengeExpired
    async with second_factor.given_back_on(context.database, [charged], RateLimited):
        digest = await _digest(context, factor, backup_code) if backup_code is not None else None

    try:
        async with context.database.transaction() as connection:
            await users.lock(connection, challenge.user_id)
            # First, since a reset takes the codes too: a wrong code rolls it back.
            if not await challenges.consume(connection, challenge.id):
                raise ChallengeExpired
            if totp_code is not None:
                await _spend_totp(context, connection, challenge.user_id, totp_code)
            else:
                await _spend_backup_code(context, connection, challenge.user_id, digest)
            if challenge.use_cookie and not context.takes_cookies:
                raise BadUserInput("A cookie can only be set over HTTP.")
            await throttles.refund(connection, charged)
            token, expires_at = await _start_session(context, connection, challenge.user_id)
    except _WrongError as wrong:
        await second_factor.after_wrong(context.database, challenge.user_id, charged, context.client)
        left_here = throttling.CHALLENGE_ATTEMPTS - challenge.attempts
        raise InvalidCode(str(wrong), min(left_here, charged.remaining)) from None
    context.sign_in_as(token, use_cookie=challenge.use_cookie)
    return SignedIn(None if challenge.use_cookie else token, expires_at)


async def check_password(
    context: Context, known: users.Credentials | None, password: str, charges: list[Charge]
) -> None:
    """Compare in the same time whether or not the person is known. Raises InvalidCredentials, RateLimited."""
    password_hash = (known.password_hash if known else None) or passwords.NOBODYS_HASH
    async with second_factor.given_back_on(context.database, charges, RateLimited):
        is_right = await context.service.hasher.run(passwords.matches, password, password_hash)
    if is_right and known and known.password_hash:
        return
    if known and charges[0].remaining == 0:
        await _record_password_lock(context, known.id, charges[0])
    raise InvalidCredentials


async def charge_password(context: Context, email: str) -> list[Charge]:
    """Charge one guess at the email's password, from this address first. Raises TooManyAttempts."""
    address = context.client.ip_address
    async with context.database.transaction() as connection:
        # All or none: a refusal of one rolls the others back.
        return [
            await throttles.charge(connection, throttling.password_key(email, address), throttling.PASSWORD),
            await throttles.charge(connection, throttling.email_key(email), throttling.EMAIL),
            await throttles.charge(connection, throttling.address_key(address), throttling.ADDRESS),
        ]


class _WrongError(Exception):
    """The code is wrong: leave the transaction and change nothing."""


async def _charge_challenge(context: Context, token: str) -> tuple[Challenge, Charge]:
    token_hash = tokens.digest(tokens.CHALLENGE_PREFIX, token)
    if token_hash is None:
        raise ChallengeExpired
    user_id: UUID | None = None
    try:
        async with context.database.transaction() as connection:
            challenge = await challenges.charge(connection, token_hash)
            if challenge is None:
                raise ChallengeExpired
            user_id = challenge.user_id
            key = throttling.second_factor_key(user_id)
            return challenge, await throttles.charge(connection, key, throttling.SECOND_FACTOR)
    except TooManyAttempts as locked:
        assert user_id is not None
        await second_factor.record_lock(context.database, user_id, locked.retry_at, context.client)
        raise


async def _digest(context: Context, factor: Factor, code: str) -> bytes | None:
    normalized = normalized_backup_code(code)
    if normalized is None:
        return None
    ring = context.service.ring
    return await context.service.hasher.run(
        backup_code_digest, ring, normalized, factor.backup_salt, factor.backup_key_id
    )


async def _spend_totp(context: Context, connection: Connection, user_id: UUID, code: str) -> None:
    factor = await factors.load(connection, user_id)
    if factor is None:
        raise ChallengeExpired
    step = second_factor.matching_step(context.service.ring, factor, user_id, code)
    if step is None or not await factors.spend_step(connection, user_id, step):
        raise _WrongError(second_factor.WRONG_CODE)


async def _spend_backup_code(context: Context, connection: Connection, user_id: UUID, digest: bytes | None) -> None:
    remaining = None if digest is None else await backup_codes.spend(connection, user_id, digest)
    if remaining is None:
        raise _WrongError(WRONG_BACKUP_CODE)
    used = BackupCodeUsed(subject_id=user_id, actor_id=user_id, client=context.client, remaining=remaining)
    await outbox.append(connection, used)


async def _open_challenge(connection: Connection, user_id: UUID, use_cookie: bool) -> ChallengeOpened:
    token = tokens.make(tokens.CHALLENGE_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.CHALLENGE_PREFIX, token)
    assert token_hash is not None
    return ChallengeOpened(token, await challenges.open_challenge(connection, user_id, token_hash, use_cookie))


async def _start_session(context: Context, connection: Connection, user_id: UUID) -> tuple[str, datetime]:
    token = tokens.make(tokens.SESSION_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.SESSION_PREFIX, token)
    assert token_hash is not None
    expires_at = await sessions.start(connection, user_id, token_hash, context.client)
    await outbox.append(connection, SignInSucceeded(subject_id=user_id, actor_id=user_id, client=context.client))
    await standing.tell_owners(context, connection, user_id)
    return token, expires_at


async def _record_password_lock(context: Context, user_id: UUID, charged: Charge) -> None:
    async with context.database.transaction() as connection:
        until = await throttles.retry_at(connection, charged.key, throttling.PASSWORD)
        if await throttles.record_lock(connection, charged.key, until):
            await outbox.append(connection, SignInLocked(subject_id=user_id, client=context.client, until=until))
