"""What a product's backend changes about staff, each person by the id that the product has for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

import db.external_ids
import db.identities
import db.invitations
import db.links
import db.memberships
import db.operators
import db.outbox
import db.policy
import db.service_keys
import db.sessions
import db.users
import resolvers.access
import resolvers.joining
import resolvers.service
import rules.addresses
from db.external_ids import Known
from db.pool import Connection
from resolvers.context import Context
from rules.addresses import NotAnAddressError
from rules.events.staff import EmailChanged, StaffAdded, StaffReactivated, StaffRemoved, StaffRoleChanged
from rules.failures import InvalidInput, NotFound, NotPermitted
from rules.people import Role
from rules.service_keys import Right, ServiceKey

Answer = dict[str, Any]
LONGEST_ID = 255


async def provision(
    context: Context, account_id: UUID | None, external_id: str, email: str, role: Role, idempotency_key: str | None
) -> Answer:
    """Let the person be staff, made known by `external_id`. Raises InvalidInput, NotFound."""
    key, account_id = await _asked(context, account_id)
    email = checked_email(email)

    async def work(connection: Connection) -> Answer:
        await lock_account(connection, account_id)
        known = await db.external_ids.find(connection, key.account_id, external_id=external_id)
        if known is not None and known.email != email:
            raise InvalidInput("email", "This external id is somebody else's: change that person's email first.")
        user_id = known.id if known else await person(connection, email)
        if known is None and not await _bind(connection, key, external_id, user_id):
            raise InvalidInput("externalId", f"{email} is known by another external id.")
        if (
            not await let_join(connection, key, account_id, user_id, email, role)
            and await db.memberships.role_of(connection, account_id, email) is not role
        ):
            raise InvalidInput("role", f"{email} has another role already: change it by changeStaffRole.")
        return await _answer(connection, account_id, user_id, external_id)

    given = ["provisionStaff", account_id, external_id, email, role]
    return await _once(context, key, idempotency_key, given, work)


async def change_role(
    context: Context, account_id: UUID | None, external_id: str, role: Role, idempotency_key: str | None
) -> Answer:
    """Give the staff member another role. Raises InvalidInput, NotPermitted (the last owner), NotFound."""
    key, account_id = await _asked(context, account_id)

    async def work(connection: Connection) -> Answer:
        await lock_account(connection, account_id)
        known = await _known(connection, key, external_id)
        before = await _role(connection, account_id, known)
        await give_role(connection, key, account_id, known, before, role)
        return await _answer(connection, account_id, known.id, external_id)

    return await _once(context, key, idempotency_key, ["changeStaffRole", account_id, external_id, role], work)


async def remove(context: Context, account_id: UUID | None, external_id: str, idempotency_key: str | None) -> Answer:
    """Take the staff member's role away. Raises InvalidInput, NotPermitted (the last owner), NotFound."""
    key, account_id = await _asked(context, account_id)

    async def work(connection: Connection) -> Answer:
        await lock_account(connection, account_id)
        known = await _known(connection, key, external_id)
        await _role(connection, account_id, known)
        await db.users.lock(connection, known.id)
        await take_role(connection, account_id, known)
        event = StaffRemoved(account_id=account_id, subject_id=known.id, service_key=key.name)
        await db.outbox.append(connection, event)
        await db.sessions.end_of_outsider(connection, known.id)
        return {"user_id": str(known.id), "external_id": external_id}

    return await _once(context, key, idempotency_key, ["removeStaff", account_id, external_id], work)


async def change_email(context: Context, external_id: str, email: str, idempotency_key: str | None) -> Answer:
    """Let the person sign in with another address; both are told. Raises InvalidInput, NotPermitted."""
    key = await context.service_key(Right.PROVISION)
    email = checked_email(email)

    async def work(connection: Connection) -> Answer:
        known = await _known(connection, key, external_id)
        if not known.is_within(key.account_id) or known.is_awaited:
            raise NotPermitted(f"{known.email} belongs to other accounts, too.")
        await replace_email(connection, known, email, key)
        return {"user_id": str(known.id), "external_id": external_id, "email": email}

    return await _once(context, key, idempotency_key, ["changeEmail", external_id, email], work)


async def replace_email(connection: Connection, known: Known, email: str, key: ServiceKey) -> None:
    """Give the person another address, with its event; what is on its way follows. Raises InvalidInput, NotPermitted.

    No account may change the address of somebody who is another's, too. Whether they are is asked once the person is
    locked: whoever would give them a role elsewhere waits for that lock.
    """
    await _require_domain(connection, key, email)
    await db.users.lock_whole(connection, known.id)
    held = await db.external_ids.find(connection, key.account_id, user_id=known.id)
    if key.account_id is not None and (held is None or held.is_shared or held.is_awaited):
        raise NotPermitted(f"{known.email} belongs to other accounts, too: their address is not this one's to change.")
    try:
        previous = await db.users.replace_email(connection, known.id, email, key.account_id)
    except asyncpg.UniqueViolationError:
        raise InvalidInput("email", "Somebody else has this email address.") from None
    if previous is not None:
        # Whoever reads the earlier mailbox is to come in by none of them.
        await db.links.void(connection, known.id, None)
        event = EmailChanged(subject_id=known.id, previous_email=previous, email=email, service_key=key.name)
        await db.outbox.append(connection, event)


async def let_join(
    connection: Connection,
    key: ServiceKey,
    account_id: UUID,
    user_id: UUID,
    email: str,
    role: Role,
    told_as: type[StaffAdded | StaffReactivated] = StaffAdded,
) -> bool:
    """Let the person of the address be staff, with the event, under the account's lock; false when they are already.

    Raises InvalidInput. However a key comes to know somebody, it is here that they are taken to its account.
    """
    await _require_domain(connection, key, email)
    if not await db.memberships.join(connection, account_id, user_id, role):
        return False
    event = told_as(account_id=account_id, subject_id=user_id, role=role, service_key=key.name)
    await db.outbox.append(connection, event)
    await resolvers.joining.tell_joined(connection, account_id, [user_id])
    return True


async def give_role(
    connection: Connection, key: ServiceKey, account_id: UUID, known: Known, before: Role, role: Role
) -> None:
    """Give the staff member another role, with the event, under the account's lock. Raises NotPermitted."""
    if await db.memberships.change_role(connection, account_id, known.email, role) is not None:
        event = StaffRoleChanged(account_id=account_id, subject_id=known.id, role=role, service_key=key.name)
        await db.outbox.append(connection, event)
        await resolvers.joining.tell_promoted(connection, account_id, known.id, before, role)
    elif before is not role:
        raise _last_owner(known)


async def take_role(connection: Connection, account_id: UUID, known: Known) -> None:
    """Take the staff member's role away, under the account's lock. Raises NotPermitted."""
    if await db.memberships.remove(connection, account_id, known.email) is None:
        raise _last_owner(known)


async def _asked(context: Context, account_id: UUID | None) -> tuple[ServiceKey, UUID]:
    key = await context.service_key(Right.PROVISION)
    meant = resolvers.service.account_of(key, account_id)
    if meant is None:
        raise InvalidInput("accountId", "Say which account: this service key is for all of them.")
    return key, meant


async def _once(
    context: Context,
    key: ServiceKey,
    idempotency_key: str | None,
    given: list[object],
    work: Callable[[Connection], Awaitable[Answer]],
) -> Answer:
    """Do the work once for this key and input, and answer as before when it comes again within 24 hours."""
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= LONGEST_ID:
        raise InvalidInput("idempotencyKey", f"An idempotency key has 1 to {LONGEST_ID} characters.")
    scope, input_hash = key.answers_scope, hashlib.sha256(json.dumps(given, default=str).encode()).digest()
    async with context.database.transaction() as connection:
        await resolvers.access.confirm_service(connection, key)
        if idempotency_key is None:
            return await work(connection)
        if not await db.service_keys.claim_answer(connection, scope, idempotency_key, input_hash):
            answer = await db.service_keys.answer(connection, scope, idempotency_key, input_hash)
            if answer is None:
                raise InvalidInput("idempotencyKey", "This idempotency key came with other input before.")
            return answer
        answer = await work(connection)
        await db.service_keys.keep_answer(connection, scope, idempotency_key, answer)
        return answer


async def lock_account(connection: Connection, account_id: UUID) -> None:
    """Be alone in changing who belongs to the account. Raises NotFound."""
    if await db.policy.lock(connection, account_id) is None:
        raise NotFound


async def person(connection: Connection, email: str) -> UUID:
    """The id of whoever has the address: a new person, without a password, if nobody has."""
    await db.invitations.add_person(connection, email)
    user_id = await db.operators.keep_person(connection, email)
    assert user_id is not None
    return user_id


async def _require_domain(connection: Connection, key: ServiceKey, email: str) -> None:
    """Let a key of one account take nobody to it who is by their address another's: they can be invited."""
    domain = email.rpartition("@")[2]
    if key.account_id is not None and not await db.identities.is_left_to(connection, key.account_id, email, domain):
        raise InvalidInput("email", f"{domain} is another agency's domain: invite the person, who then decides.")


async def _bind(connection: Connection, key: ServiceKey, external_id: str, user_id: UUID) -> bool:
    if not 1 <= len(external_id) <= LONGEST_ID:
        raise InvalidInput("externalId", f"An external id has 1 to {LONGEST_ID} characters.")
    await db.external_ids.bind(connection, key.account_id, external_id, user_id)
    return await db.external_ids.of(connection, key.account_id, user_id) == external_id


async def _known(connection: Connection, key: ServiceKey, external_id: str) -> Known:
    known = await db.external_ids.find(connection, key.account_id, external_id=external_id)
    if known is None:
        raise InvalidInput("externalId", "Nobody is known by this external id.")
    return known


async def _role(connection: Connection, account_id: UUID, known: Known) -> Role:
    role = await db.memberships.role_of(connection, account_id, known.email)
    if role is None:
        raise InvalidInput("externalId", f"{known.email} is not staff of this account.")
    return role


async def _answer(connection: Connection, account_id: UUID, user_id: UUID, external_id: str) -> Answer:
    member = await db.operators.staff_of(connection, account_id, user_id)
    return {**member, "user_id": str(user_id), "external_id": external_id}


def _last_owner(known: Known) -> NotPermitted:
    return NotPermitted(f"{known.email} is the last owner of the account. Make somebody else an owner first.")


def checked_email(text: str) -> str:
    """The address in its one form. Raises InvalidInput."""
    try:
        return rules.addresses.checked(text)
    except NotAnAddressError as error:
        raise InvalidInput("email", str(error)) from None
