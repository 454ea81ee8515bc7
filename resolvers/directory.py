"""What an account's directory does with its people by SCIM: the same as provisioning, by another protocol.

What it may change of somebody who belongs to other accounts, too, is their place in its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import db.directory
import db.external_ids
import db.links
import db.outbox
import db.sessions
import db.users
import resolvers.access
import resolvers.provisioning
import resolvers.sessions
from db.directory import Entry, Wanted
from db.external_ids import Known
from db.pool import Connection
from resolvers.context import Context
from rules.events.staff import StaffDeactivated, StaffReactivated, StaffRemoved
from rules.failures import Forbidden, InvalidInput, NotFound
from rules.links import Purpose
from rules.people import Role
from rules.service_keys import Right, ServiceKey

OF_ONE_ACCOUNT = "A directory's service key is for one account: make it with --account."


@dataclass(frozen=True)
class Given:
    """A person as the directory wants them; `user_name` in the form in which it is looked up."""

    user_name: str
    email: str
    external_id: str | None
    role: Role
    is_active: bool
    said: dict[str, Any]


class Taken(InvalidInput):
    """Somebody else in the directory has this name, address or id."""


async def asked(context: Context) -> tuple[ServiceKey, UUID]:
    """The directory's key and its account. Raises Unauthenticated, Forbidden."""
    key = await context.service_key(Right.SCIM)
    if key.account_id is None:
        raise Forbidden(OF_ONE_ACCOUNT)
    return key, key.account_id


async def get(context: Context, user_id: UUID) -> Entry:
    """One person of the directory. Raises NotFound, and as `asked`."""
    _, account_id = await asked(context)
    async with context.database.connection() as connection:
        return await _entry(connection, account_id, user_id)


async def search(context: Context, wanted: Wanted) -> list[Entry]:
    """Those for whom anything of what is wanted holds: at most one for each of it."""
    _, account_id = await asked(context)
    async with context.database.connection() as connection:
        return await db.directory.entries(
            connection, account_id, await db.directory.find(connection, account_id, wanted)
        )


async def page(context: Context, is_active: bool | None, offset: int, limit: int) -> tuple[int, list[Entry]]:
    """How many people there are in the directory, and `limit` of them from behind `offset`."""
    _, account_id = await asked(context)
    async with context.database.connection() as connection:
        total = await db.directory.count(connection, account_id, is_active)
        user_ids = await db.directory.page(connection, account_id, is_active, offset, limit)
        return total, await db.directory.entries(connection, account_id, user_ids)


async def create(context: Context, given: Given) -> Entry:
    """Let somebody be in the directory. Raises InvalidInput, Taken, and as `asked`."""
    key, account_id = await asked(context)
    email = resolvers.provisioning.checked_email(given.email)
    async with context.changing(account_id) as connection:
        await _begin(connection, key, account_id)
        await _require_free(connection, account_id, None, given)
        user_id = await resolvers.provisioning.person(connection, email)
        await db.users.lock(connection, user_id)
        await resolvers.provisioning.let_join(connection, key, account_id, user_id, email, given.role)
        await _rename(connection, account_id, user_id, given.external_id)
        await db.directory.keep(connection, account_id, user_id, given.user_name, given.said)
        if not given.is_active:
            await _deactivate(connection, key, account_id, await _known(connection, account_id, user_id), given.role)
        return await _entry(connection, account_id, user_id)


async def change(context: Context, user_id: UUID, decide: Callable[[Entry], Awaitable[Given]]) -> Entry:
    """Change somebody of the directory into what is decided when nobody else can change them.

    Raises NotFound, InvalidInput, Taken, NotPermitted (the last owner; the address of somebody who is also another
    account's), and as `asked` and `decide`.
    """
    key, account_id = await asked(context)
    async with context.changing(account_id) as connection:
        await _begin(connection, key, account_id)
        before = await _locked(connection, account_id, user_id, db.users.lock_whole)
        given = await decide(before)
        await _require_free(connection, account_id, user_id, given)
        await _change_name(connection, key, account_id, before, given)
        await _change_standing(connection, key, account_id, before, given)
        return await _entry(connection, account_id, user_id)


async def remove(context: Context, user_id: UUID, check: Callable[[Entry], None]) -> None:
    """Let somebody be in the directory no more. Raises NotFound, NotPermitted, and as `asked` and `check`."""
    key, account_id = await asked(context)
    async with context.changing(account_id) as connection:
        await _begin(connection, key, account_id)
        entry = await _locked(connection, account_id, user_id, db.users.lock)
        check(entry)
        if entry.is_active:
            await resolvers.provisioning.take_role(
                connection, account_id, await _known(connection, account_id, user_id)
            )
        await db.directory.forget(connection, account_id, user_id)
        await db.outbox.append(
            connection, StaffRemoved(account_id=account_id, subject_id=user_id, service_key=key.name)
        )
        await db.sessions.end_of_outsider(connection, user_id)


async def _begin(connection: Connection, key: ServiceKey, account_id: UUID) -> None:
    await resolvers.access.confirm_service(connection, key)
    await resolvers.provisioning.lock_account(connection, account_id)


async def _entry(connection: Connection, account_id: UUID, user_id: UUID) -> Entry:
    found = await db.directory.entries(connection, account_id, [user_id])
    if not found:
        raise NotFound
    return found[0]


async def _locked(
    connection: Connection, account_id: UUID, user_id: UUID, lock: Callable[[Connection, UUID], Awaitable[object]]
) -> Entry:
    """The entry as it is behind the person's lock, which nobody takes who has no such entry. Raises NotFound."""
    await _entry(connection, account_id, user_id)
    await lock(connection, user_id)
    return await _entry(connection, account_id, user_id)


async def _known(connection: Connection, account_id: UUID, user_id: UUID) -> Known:
    known = await db.external_ids.find(connection, account_id, user_id=user_id)
    assert known is not None
    return known


async def _require_free(connection: Connection, account_id: UUID, user_id: UUID | None, given: Given) -> None:
    wanted = Wanted(user_name=given.user_name, email=given.email, external_id=given.external_id)
    found = await db.directory.find(connection, account_id, wanted)
    for other in await db.directory.entries(connection, account_id, [each for each in found if each != user_id]):
        if other.user_name == given.user_name:
            raise Taken("userName", "Somebody else in this directory has this userName.")
        if other.email == given.email:
            raise Taken("emails", "Somebody else in this directory has this email address.")
        if given.external_id is not None and other.external_id == given.external_id:
            raise Taken("externalId", "Somebody else in this directory has this externalId.")


async def _change_name(connection: Connection, key: ServiceKey, account_id: UUID, before: Entry, given: Given) -> None:
    """What the person is called: address, names and the directory's id."""
    if given.email != before.email:
        email = resolvers.provisioning.checked_email(given.email)
        known = await _known(connection, account_id, before.user_id)
        await resolvers.provisioning.replace_email(connection, known, email, key)
    if given.external_id != before.external_id:
        await _rename(connection, account_id, before.user_id, given.external_id)
    await db.directory.keep(connection, account_id, before.user_id, given.user_name, given.said)


async def _change_standing(
    connection: Connection, key: ServiceKey, account_id: UUID, before: Entry, given: Given
) -> None:
    """Role, and whether they are active."""
    known = await _known(connection, account_id, before.user_id)
    if before.is_active:
        await resolvers.provisioning.give_role(connection, key, account_id, known, before.role, given.role)
        if not given.is_active:
            await _deactivate(connection, key, account_id, known, given.role)
        return
    await db.directory.set_inactive_role(connection, account_id, known.id, given.role)
    if given.is_active:
        await resolvers.provisioning.let_join(
            connection, key, account_id, known.id, known.email, given.role, StaffReactivated
        )


async def _deactivate(connection: Connection, key: ServiceKey, account_id: UUID, known: Known, role: Role) -> None:
    """Take the role away until they are active again. Who belongs nowhere else is signed out, and stays it."""
    await db.directory.set_inactive_role(connection, account_id, known.id, role)
    await resolvers.provisioning.take_role(connection, account_id, known)
    event = StaffDeactivated(account_id=account_id, subject_id=known.id, role=role, service_key=key.name)
    await db.outbox.append(connection, event)
    arrived = await db.sign_in.arrive(connection, known.id)
    if arrived is not None and arrived.is_shut_out:
        await resolvers.sessions.leave_nothing_open(connection, known.id)
        await db.links.void(connection, known.id, [Purpose.PASSWORD_RESET, Purpose.ENROLLMENT])


async def _rename(connection: Connection, account_id: UUID, user_id: UUID, external_id: str | None) -> None:
    """Let the directory's id for the person be this one; who was called so before is in the directory no more."""
    await db.external_ids.unbind(connection, account_id, external_id, user_id)
    if external_id is not None:
        await db.external_ids.bind(connection, account_id, external_id, user_id)
