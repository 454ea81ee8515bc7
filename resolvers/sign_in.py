"""Signing in: the password first, then, with MFA on, the second factor."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.challenges
import db.outbox
import db.sessions
import db.sign_in
import db.users
import resolvers.devices
import resolvers.guessing.codes
import resolvers.guessing.passwords
import resolvers.reenrollment
import resolvers.second_factor
import resolvers.standing
import rules.addresses
import rules.passwords
import rules.recovery
import rules.throttling
import rules.tokens
from db.pool import Connection
from db.sign_in import Arrival
from db.users import Credentials
from resolvers.context import Context
from resolvers.guessing.charged import WrongGuess
from resolvers.hashing import Asker
from rules.clients import Client
from rules.events.base import Event
from rules.events.signing_in import SignInSucceeded
from rules.failures import BadUserInput, ChallengeExpired, InvalidCredentials
from rules.oidc import Vouched
from rules.service_keys import BegunBy
from telemetry import metrics

# How a person was recognised, in the words of RFC 8176, which has none for a backup code.
PASSWORD, TOTP, BACKUP_CODE = ("pwd",), ("otp", "mfa"), ("backup_code", "mfa")
# The words of what is shown here after the first factor.
SHOWN_HERE = frozenset((*TOTP, *BACKUP_CODE, *rules.recovery.AMR))


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


class ShutOut(InvalidCredentials):
    """The person belongs nowhere, and nobody's invitation waits for them, or a directory has made them inactive."""


async def sign_in(context: Context, email: str, password: str, use_cookie: bool) -> SignedIn | ChallengeOpened:
    """Check the password. Raises InvalidCredentials, TooManyAttempts, RateLimited and BadUserInput."""
    if use_cookie and not context.takes_cookies:
        raise BadUserInput("A cookie can only be set over HTTP.")
    email = rules.addresses.normalized(email)
    async with context.database.connection() as connection:
        known = await db.users.credentials(connection, email)
    door = resolvers.guessing.passwords.sign_in_door(context, email, known)
    async with (
        resolvers.guessing.passwords.at_door(context, door, known) as guess,
        password_shown(context, known, password, door.asker) as (connection, arrived),
    ):
        try:
            outcome = await enter(context, connection, arrived, use_cookie, place=door.place)
        except ShutOut:
            raise WrongGuess from None  # nobody is to find out here whether the password was right
        await guess.give_back(connection)
    if isinstance(outcome, ChallengeOpened):
        return outcome
    return _signed_in(context, arrived.user_id, arrived.now, outcome, use_cookie)


async def recognised(
    context: Context,
    connection: Connection,
    user_id: UUID,
    now: datetime,
    amr: Sequence[str],
    vouched: Vouched,
) -> SignedIn | ChallengeOpened:
    """Go on with somebody whom a provider has vouched for, under their lock, in a browser. Raises ShutOut.

    Whoever has a second factor here shows it here, whatever the provider has asked for.
    """
    arrived = await db.sign_in.arrive(connection, user_id)
    place = rules.throttling.PROVIDERS
    outcome = await enter(context, connection, arrived, True, amr, vouched=vouched, place=place)
    return _signed_in(context, user_id, now, outcome, True) if isinstance(outcome, SignedIn) else outcome


async def complete_challenge(
    context: Context, challenge_token: str, totp_code: str | None, backup_code: str | None
) -> SignedIn:
    """Answer a challenge by exactly one of the codes. Raises ChallengeExpired, InvalidCode, TooManyAttempts."""
    with metrics.challenge("totp" if totp_code is not None else "backup_code"):
        return await _complete_challenge(context, challenge_token, totp_code, backup_code)


async def _complete_challenge(
    context: Context, challenge_token: str, totp_code: str | None, backup_code: str | None
) -> SignedIn:
    token_hash = rules.tokens.digest(rules.tokens.CHALLENGE_PREFIX, challenge_token)
    if token_hash is None:
        raise ChallengeExpired
    async with resolvers.guessing.codes.of_challenge(context, token_hash) as (guess, challenge):
        factor = challenge.factor
        if factor is None:
            raise ChallengeExpired
        if context.is_service:
            context.client = Client(challenge.user_agent, challenge.ip_address)
        given = await resolvers.second_factor.answer(context, challenge.user_id, factor, totp_code, backup_code)
        async with context.changing(challenge.user_id) as connection:
            # The challenge first, since a reset takes the codes too: a wrong code rolls it back.
            arrived = await db.sign_in.answer(connection, challenge.user_id, challenge.id)
            if arrived is None or arrived.factor is None:
                raise ChallengeExpired
            spent = await resolvers.second_factor.spend(context, connection, arrived.user_id, given, arrived.factor)
            if challenge.use_cookie and not context.takes_cookies:
                raise BadUserInput("A cookie can only be set over HTTP.")
            if arrived.is_shut_out:
                raise ChallengeExpired
            amr = (*challenge.amr, *(BACKUP_CODE if totp_code is None else TOTP))
            signed_in = await _start_session(
                context,
                connection,
                arrived,
                amr,
                challenge.begun_by,
                # Its word for a second factor is none beside the one that is shown here.
                Vouched(None, challenge.shown_at) if challenge.shown_at else None,
                use_cookie=challenge.use_cookie,
                so_far=spent,
                has_second_factor=True,
            )
            await guess.give_back(connection)
    return _signed_in(context, challenge.user_id, factor.now, signed_in, challenge.use_cookie)


@asynccontextmanager
async def password_shown(
    context: Context, known: Credentials | None, password: str, asker: Asker
) -> AsyncIterator[tuple[Connection, Arrival]]:
    """A transaction that holds the lock of the person whose password this is, and how they stand behind it.

    Raises WrongGuess, RateLimited.
    """
    hasher = context.service.hasher
    while True:
        checked, password_hash = await check_password(context, known, password, asker)
        rehashed = None
        if rules.passwords.needs_rehash(password, password_hash, hasher.cost):
            own = Asker(str(checked.id))
            rehashed = await hasher.run(own, rules.passwords.hash_password, password, hasher.cost)
        async with context.changing(checked.id) as connection:
            if arrived := await db.sign_in.arrive(connection, checked.id, password_hash):
                if rehashed:
                    await db.users.replace_password_hash(connection, checked.id, password_hash, rehashed)
                yield connection, arrived
                return
            known = await db.users.credentials_of(connection, checked.id)  # changed meanwhile: compare again


async def check_password(
    context: Context, known: Credentials | None, password: str, asker: Asker
) -> tuple[Credentials, str]:
    """Compare, in the same time whether or not they are known; return whose and the hash. Raises WrongGuess."""
    hasher = context.service.hasher
    password_hash = known.password_hash if known else None
    compared = password_hash or hasher.nobodys
    is_right = await hasher.compare(asker, rules.passwords.matches, password, compared)
    if not is_right or known is None or password_hash is None:
        raise WrongGuess
    return known, password_hash


async def enter(
    context: Context,
    connection: Connection,
    arrived: Arrival | None,
    use_cookie: bool,
    amr: Sequence[str] = PASSWORD,
    begun_by: BegunBy | None = None,
    vouched: Vouched | None = None,
    *,
    place: str,
) -> SignedIn | ChallengeOpened:
    """Start a session of somebody recognised by `amr`, under their lock, or ask for the second factor.

    Challenges from another `place` stay. Raises ShutOut.
    """
    if arrived is None or arrived.is_shut_out:
        raise ShutOut
    if arrived.factor is None:
        return await _start_session(context, connection, arrived, amr, begun_by, vouched, use_cookie=use_cookie)
    token, token_hash = rules.tokens.issue(rules.tokens.CHALLENGE_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    shown_at = vouched.shown_at if vouched else None
    expires_at = await db.challenges.open_challenge(
        connection, arrived.user_id, token_hash, use_cookie, amr, context.client, begun_by, place, shown_at
    )
    return ChallengeOpened(token, expires_at)


async def _start_session(
    context: Context,
    connection: Connection,
    arrived: Arrival,
    amr: Sequence[str],
    begun_by: BegunBy | None = None,
    vouched: Vouched | None = None,
    *,
    use_cookie: bool,
    so_far: Sequence[Event] = (),
    has_second_factor: bool = False,
) -> SignedIn:
    """Start the session of somebody let in, under their lock; `so_far` are the events that have led to it."""
    user_id, methods = arrived.user_id, " ".join(amr)
    token, token_hash = rules.tokens.issue(rules.tokens.SESSION_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    lifetime = context.service.limits.session_lifetime
    device, device_before = resolvers.devices.digests(context, use_cookie=use_cookie)
    started = await db.sessions.start(
        connection,
        user_id,
        token_hash,
        context.client,
        amr,
        lifetime,
        vouched,
        device=device,
        device_before=device_before,
        replaced=context.replaced_by_cookie(use_cookie=use_cookie),
        begun_by=begun_by,
        has_second_factor=has_second_factor,
    )
    told = [
        *so_far,
        SignInSucceeded(
            subject_id=user_id,
            actor_id=user_id,
            client=context.client,
            amr=methods,
            service_key=begun_by.name if begun_by else None,
        ),
        *resolvers.standing.told_to_owners(context, arrived, methods),
        *await resolvers.devices.noticed(context, connection, user_id, started, methods, use_cookie=use_cookie),
        *await resolvers.reenrollment.link_sent(context, connection, arrived, methods),
    ]
    await db.outbox.append_all(connection, told)
    return SignedIn(token, started.expires_at)


def _signed_in(context: Context, user_id: UUID, now: datetime, started: SignedIn, use_cookie: bool) -> SignedIn:
    assert started.token is not None
    context.sign_in_as(started.token, use_cookie=use_cookie)
    context.know_device(user_id, now)
    return SignedIn(None, started.expires_at) if use_cookie else started
