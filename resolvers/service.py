"""What a product's backend does for its people: signing them in after its own first factor, and asking who they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from uuid import UUID

import db.external_ids
import db.sign_in
import db.users
import resolvers.access
import resolvers.sign_in
import rules.clients
import rules.throttling
import rules.tokens
from db.external_ids import Known
from db.pool import Connection
from resolvers.context import Context
from resolvers.sign_in import ChallengeOpened, SignedIn
from rules.clients import Client
from rules.failures import BadUserInput, InvalidCredentials
from rules.people import Person
from rules.service_keys import Right, ServiceKey

METHOD = re.compile(r"[a-z0-9_.:-]{1,32}")
MOST_METHODS = 8


@dataclass(frozen=True)
class Who:
    """Whom the service means: exactly one of these is given."""

    email: str | None = None
    user_id: UUID | None = None
    external_id: str | None = None


async def service_sign_in(context: Context, who: Who, client: Client, amr: list[str]) -> SignedIn | ChallengeOpened:
    """Go on with somebody whose first factor the service has verified as `amr`.

    Raises InvalidCredentials, BadUserInput.
    """
    key = await context.service_key(Right.SIGN_IN)
    if not amr or len(amr) > MOST_METHODS or not all(METHOD.fullmatch(method) for method in amr):
        raise BadUserInput(f"amr must be 1 to {MOST_METHODS} names of methods, as RFC 8176 has them.")
    if key.account_id is not None and not resolvers.sign_in.SHOWN_HERE.isdisjoint(amr):
        # Whoever else reads them in the session believes that Gatehouse has asked for them.
        raise BadUserInput("amr tells of the first factor: a service key of one account vouches for no second one.")
    at = replace(context, client=client)
    async with context.changing() as connection:
        await resolvers.access.confirm_service(connection, key)
        known = await _known(connection, key, who)
        arrived = await db.sign_in.arrive(connection, known.id)
        if key.account_id is not None:
            await _known(connection, key, who)  # who has joined another account meanwhile is not this one's any more
        place = rules.throttling.PRODUCTS
        outcome = await resolvers.sign_in.enter(at, connection, arrived, False, amr, key.begins, place=place)
    if isinstance(outcome, SignedIn):
        assert outcome.token is not None
        context.sign_in_as(outcome.token, use_cookie=False)
    return outcome


async def _known(connection: Connection, key: ServiceKey, who: Who) -> Known:
    """Whom the key may sign in. Raises InvalidCredentials."""
    known = await db.external_ids.find(
        connection, key.account_id, external_id=who.external_id, user_id=who.user_id, email=who.email
    )
    if known is None or not known.is_within(key.account_id):
        raise InvalidCredentials("This service key can sign in nobody like that.")
    return known


async def session(context: Context, token: str) -> Person | None:
    """Whose live session this is, as far as the key's account goes; None when there is none."""
    async with context.database.connection() as connection:
        key = await context.service_key(Right.SIGN_IN, over=connection)
        token_hash = rules.tokens.digest(rules.tokens.SESSION_PREFIX, token)
        if token_hash is None:
            return None
        person = await db.users.person_of_session(connection, token_hash, context.service.limits)
        if person is None or key.account_id is None:
            return person
        known = await db.external_ids.find(connection, key.account_id, user_id=person.id)
    if known is None or not known.is_member:
        return None
    return replace(person, memberships=tuple(m for m in person.memberships if m.account.id == key.account_id))


async def external_id(context: Context, user_id: UUID) -> str | None:
    """What the systems of the key's account, or the product, call the person."""
    key = await context.service_key(Right.SIGN_IN)
    async with context.database.connection() as connection:
        return await db.external_ids.of(connection, key.account_id, user_id)


def client_of(ip: str | None, user_agent: str | None) -> Client:
    """Where the person is, as the service tells it. Raises BadUserInput."""
    try:
        address = str(ip_address(ip)) if ip else None
    except ValueError:
        raise BadUserInput("client.ipAddress is no IP address.") from None
    return Client(rules.clients.shown_user_agent(user_agent or ""), address)


def account_of(key: ServiceKey, account_id: UUID | None) -> UUID | None:
    """The account meant: the one given, or the one that the key is for. Raises NotFound."""
    if account_id is not None:
        key.require_account(account_id)
    return account_id or key.account_id
