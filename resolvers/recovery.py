"""A pass in place of a lost second factor: given by an owner or admin, good for replacing the factor and nothing else.

The old factor stays until the new one is verified, so a pass that a con man talks somebody into takes nothing away, and
a sign-in by the old app ends it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.challenges
import db.factors
import db.outbox
import db.recovery
import db.resets
import db.sessions
import db.sign_in
import db.throttles
import db.users
import resolvers.access
import resolvers.account_recovery
import resolvers.sign_in
import resolvers.staff
import resolvers.standing
import rules.standing
import rules.throttling
import rules.tokens
from db.challenges import Challenge
from db.pool import Connection
from db.staff import Member
from resolvers.context import Context
from resolvers.sign_in import SignedIn
from rules.clients import Client
from rules.events.recovery import RecoveryPassIssued, RecoveryPassUsed
from rules.failures import BadUserInput, ChallengeExpired, NotPermitted, RecoveryPassExpired, StaffMfaNotEnabled
from rules.recovery import AMR, SESSION_LIFETIME
from rules.resets import GOES_ROUND_APPROVAL

NOT_ONESELF = "You cannot give yourself a recovery pass. Another owner or admin can."


@dataclass(frozen=True)
class Issued:
    """A pass, shown this once."""

    token: str
    expires_at: datetime
    member: Member


async def issue(context: Context, account_id: UUID, staff_id: UUID, reason: str) -> Issued:
    """Give a staff member a pass, in an earlier one's place; they and the owners are emailed.

    Raises what managed_account raises, InvalidInput, NotFound, NotPermitted as for a reset, and StaffMfaNotEnabled.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="give recovery passes")
    resolvers.access.require_freshness(person)
    words = rules.standing.checked_reason(reason)
    token, token_hash = rules.tokens.issue(rules.tokens.RECOVERY_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    async with context.changing(account_id) as connection:
        member = await resolvers.staff.lock_member(connection, person, account_id, staff_id, NOT_ONESELF)
        if await db.resets.needs_approval(connection, member.user_id):
            raise NotPermitted(GOES_ROUND_APPROVAL)
        expires_at = await db.recovery.give(connection, member.user_id, account_id, person.id, token_hash)
        if expires_at is None:
            raise StaffMfaNotEnabled("This staff member has not set up MFA: the password is enough to sign in.")
        issued = RecoveryPassIssued(
            account_id=account_id,
            subject_id=member.user_id,
            actor_id=person.id,
            subject_email=member.email,
            reason=words,
            until=expires_at,
            client=context.client,
        )
        await db.outbox.append(connection, issued)
    return Issued(token, expires_at, member)


async def redeem(context: Context, challenge_token: str, recovery_pass: str) -> SignedIn:
    """Answer a challenge by a pass; a session begins that replaces the authenticator, signs out, and does nothing else.

    A pass cannot be guessed, so a wrong one costs none of the person's tries, and counts against its address alone.
    Raises ChallengeExpired, RecoveryPassExpired and TooManyAttempts.
    """
    challenge_hash = rules.tokens.digest(rules.tokens.CHALLENGE_PREFIX, challenge_token)
    async with context.database.connection() as connection:
        challenge = await db.challenges.find(connection, challenge_hash) if challenge_hash else None
    if challenge is None:
        raise ChallengeExpired
    if challenge.use_cookie and not context.takes_cookies:
        raise BadUserInput("A cookie can only be set over HTTP.")
    if context.is_service:
        context.client = Client(challenge.user_agent, challenge.ip_address)
    try:
        pass_hash = rules.tokens.digest(rules.tokens.RECOVERY_PREFIX, recovery_pass.strip())
        if pass_hash is None:
            raise RecoveryPassExpired
        async with context.changing(challenge.user_id) as connection:
            started = await _start(context, connection, challenge, pass_hash)
    except RecoveryPassExpired:
        async with context.database.connection() as connection:
            key = rules.throttling.wrong_link_key(context.client.ip_address)
            await db.throttles.charge(connection, key, rules.throttling.WRONG_LINK)
        raise
    assert started.token is not None
    context.sign_in_as(started.token, use_cookie=challenge.use_cookie)
    return SignedIn(None, started.expires_at) if challenge.use_cookie else started


async def _start(context: Context, connection: Connection, challenge: Challenge, pass_hash: bytes) -> SignedIn:
    """Exchange challenge and pass, each used up, for a session, taking the person's lock."""
    user_id = challenge.user_id
    arrived = await db.sign_in.answer(connection, user_id, challenge.id)
    if arrived is None:
        raise ChallengeExpired
    given = await db.recovery.use(connection, user_id, pass_hash)
    if given is None or arrived.factor is None:
        raise RecoveryPassExpired
    if arrived.is_shut_out:
        raise ChallengeExpired
    token, token_hash = rules.tokens.issue(rules.tokens.SESSION_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    amr = (*challenge.amr, *AMR)
    started = await db.sessions.start(
        connection,
        user_id,
        token_hash,
        context.client,
        amr,
        SESSION_LIFETIME,
        replaced=context.replaced_by_cookie(use_cookie=challenge.use_cookie),
        is_recovery=True,
        begun_by=challenge.begun_by,
    )
    await db.recovery.keep_giver(connection, started.session_id, given)
    used = RecoveryPassUsed(
        account_id=given.account_id,
        subject_id=user_id,
        actor_id=user_id,
        subject_email=arrived.email,
        client=context.client,
        service_key=challenge.begun_by.name if challenge.begun_by else None,
    )
    told = [
        used,
        *await resolvers.account_recovery.ended(connection, user_id, "recovery_pass"),
        *resolvers.standing.told_to_owners(context, arrived, " ".join(amr)),
    ]
    await db.outbox.append_all(connection, told)
    return SignedIn(token, started.expires_at)
