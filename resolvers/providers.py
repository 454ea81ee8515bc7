"""Signing in at an OpenID provider: there, and back, as somebody who is known here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import db.identities
import db.memberships
import db.outbox
import db.users
import resolvers.coming_in
import resolvers.sign_in
import rules.oidc
import rules.throttling
from db.pool import Connection
from resolvers.coming_in import Offered
from resolvers.context import Context
from resolvers.sign_in import ChallengeOpened, ShutOut, SignedIn
from rules.events.signing_in import IdentityLinked
from rules.oidc import Identity, Pending, Returned, SignInProblem
from rules.sealed import NONCE_BYTES

if TYPE_CHECKING:
    from oidc.provider import Provider

# What the provider did to recognise them is its own affair: its word for a second factor counts only in accounts whose
# owners have allowed it, and there for the requirement alone.
AMR = (rules.oidc.AMR,)


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie that it comes back with, kept under the state's name."""

    url: str
    state: str
    cookie: str


async def begin(context: Context, provider: Provider, wanted: str, *, is_fresh: bool) -> Begun:
    """Begin a sign-in there, for which they show anew who they are if it `is_fresh`.

    Raises SignInProblem, RateLimited.
    """
    async with context.database.connection() as connection:
        now = await db.identities.now(connection)
    randomness = secrets.token_bytes(rules.oidc.RANDOM_BYTES)
    pending = rules.oidc.begin(provider.config.name, wanted, now, randomness, is_fresh=is_fresh)
    url = await provider.authorization_url(pending, rules.throttling.address_key(context.client.ip_address))
    return Begun(url, pending.state, rules.oidc.sealed(context.service.ring, pending, secrets.token_bytes(NONCE_BYTES)))


async def finish(
    context: Context, provider: Provider, returned: Returned, cookie: str | None
) -> tuple[SignedIn | ChallengeOpened, str]:
    """Sign in whom the provider vouches for, and where they wanted to go. Raises SignInProblem, RateLimited."""
    async with context.database.connection() as connection:
        now = await db.identities.now(connection)
    pending = rules.oidc.opened(context.service.ring, cookie, provider.config.name, returned.state, now)
    try:
        return await _come(context, provider, returned, pending, now), pending.wanted
    except SignInProblem as problem:
        raise SignInProblem(problem.code, str(problem), pending.wanted) from None


async def _come(
    context: Context, provider: Provider, returned: Returned, pending: Pending, now: datetime
) -> SignedIn | ChallengeOpened:
    source = rules.throttling.address_key(context.client.ip_address)
    identity = await provider.identity(returned, pending, now.timestamp(), source)
    vouched = rules.oidc.vouched(provider.config, identity, pending, now, context.service.limits.proof)
    async with context.database.transaction() as connection:
        offered = await _offered(connection, identity)
        user_id = await db.identities.find(connection, identity.issuer, identity.subject)
        if user_id is None:
            user_id = await _linked(context, connection, provider, identity)
        else:
            await _require_word(connection, provider, identity, user_id)
        await _accept(connection, identity, user_id, offered)
        try:
            return await resolvers.sign_in.recognised(context, connection, user_id, now, AMR, vouched)
        except ShutOut:
            raise SignInProblem(rules.oidc.REFUSED) from None


async def _offered(connection: Connection, identity: Identity) -> list[Offered]:
    """The invitations that the word for this address accepts, if it is believed; their accounts are kept as they are.

    As the link of a first password does, since the provider has seen to it, too, that the mailbox is theirs.
    """
    email = identity.verified_email
    user_id = await db.memberships.user_id_of(connection, email) if email else None
    offered = await resolvers.coming_in.open_to(connection, user_id) if user_id else []
    await resolvers.coming_in.keep_accounts(connection, offered)
    return offered


async def _accept(connection: Connection, identity: Identity, user_id: UUID, offered: list[Offered]) -> None:
    """Accept them, under the lock of the person who is believed, unless their address is not the one verified."""
    email = identity.verified_email
    if offered and email and await db.memberships.user_id_of(connection, email) == user_id:
        for each in offered:
            await resolvers.coming_in.accept(connection, user_id, each)


async def _require_word(connection: Connection, provider: Provider, identity: Identity, user_id: UUID) -> None:
    """Lock whoever is known by an identity. Raises SignInProblem where their address takes another provider's word."""
    await db.users.lock(connection, user_id)
    if await db.identities.find(connection, identity.issuer, identity.subject) != user_id:
        raise SignInProblem(rules.oidc.REMOVED)  # meanwhile
    known = await db.users.credentials_of(connection, user_id)
    domain = known.email.rpartition("@")[2] if known else ""
    if not await db.identities.vouches_for(connection, provider.config.name, domain):
        raise SignInProblem(rules.oidc.REFUSED)


async def _linked(context: Context, connection: Connection, provider: Provider, identity: Identity) -> UUID:
    """The person with the identity's address, known by the identity from now on, and told of it."""
    email = identity.verified_email
    if email is None:
        raise SignInProblem(rules.oidc.UNVERIFIED)
    if not await db.identities.vouches_for(connection, provider.config.name, email.rpartition("@")[2]):
        raise SignInProblem(rules.oidc.REFUSED)
    user_id = await db.memberships.user_id_of(connection, email)
    if user_id is None:
        raise SignInProblem(rules.oidc.UNKNOWN)
    await db.users.lock(connection, user_id)
    if await db.memberships.user_id_of(connection, email) != user_id:
        raise SignInProblem(rules.oidc.UNKNOWN)  # the address has become another's, or nobody's, meanwhile
    if await db.identities.is_refused(connection, user_id, identity.issuer):
        raise SignInProblem(rules.oidc.REMOVED)
    if not await db.identities.link(connection, identity.issuer, identity.subject, user_id):
        # Two at once of the same browser: one has just linked it. Anything else is another person's address by now.
        if await db.identities.find(connection, identity.issuer, identity.subject) != user_id:
            raise SignInProblem(rules.oidc.TAKEN)
        return user_id
    event = IdentityLinked(subject_id=user_id, actor_id=user_id, client=context.client, provider=provider.config.title)
    await db.outbox.append(connection, event)
    return user_id
