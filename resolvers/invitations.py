"""Inviting people to an account's staff, taking that back, accepting it. The email makes its link as it leaves."""

from __future__ import annotations

from uuid import UUID

import db.invitations
import db.links
import db.memberships
import db.outbox
import db.sessions
import db.staff
import db.throttles
import db.users
import resolvers.access
import resolvers.coming_in
import resolvers.links
import rules.addresses
import rules.invitations
import rules.throttling
from db.staff import Member
from resolvers.coming_in import Offered
from resolvers.context import Context
from rules.events.staff import InvitationRevoked, StaffInvited
from rules.failures import InvalidInput, LinkExpired, NotFound
from rules.links import Purpose
from rules.people import Person, Role


async def invite(context: Context, account_id: UUID, email: str, role: Role) -> Member:
    """Invite somebody, or anew: the earlier link is worth nothing from then on.

    Raises what managed_account raises, InvalidInput, NotPermitted and TooManyAttempts.
    """
    person = await _inviter(context, account_id)
    address = _address(email)
    rules.invitations.require_permission(_role(person, account_id), role)
    async with context.changing(account_id) as connection:
        await db.invitations.add_person(connection, address)
        # Another statement, which sees whom another request has just added.
        user_id = await db.memberships.user_id_of(connection, address)
        assert user_id is not None
        await db.users.lock_all(connection, [person.id, user_id])
        person = await resolvers.access.confirm_manager(connection, person, account_id)
        rules.invitations.require_permission(_role(person, account_id), role)
        standing = await db.invitations.standing(connection, account_id, user_id)
        if standing is not None:
            rules.invitations.require_pause(standing.invited_at, standing.now, address)
            rules.invitations.require_permission(_role(person, account_id), standing.role)
        if not await db.invitations.open_invitation(connection, account_id, user_id, role, person.id):
            raise InvalidInput("email", f"{address} is staff of this account already.")
        await db.outbox.append(
            connection, StaffInvited(account_id=account_id, subject_id=user_id, actor_id=person.id, role=role)
        )
        await db.throttles.charge(connection, rules.throttling.invitations_key(person.id), rules.throttling.INVITATIONS)
        invited_key = rules.throttling.invited_key(account_id, user_id)
        await db.throttles.charge(connection, invited_key, rules.throttling.INVITATIONS_OF_ONE)
        (member,) = await db.staff.members(connection, account_id, [user_id])
    return member


async def revoke(context: Context, account_id: UUID, invitation_id: UUID) -> None:
    """Take an invitation back. Raises what managed_account raises, NotFound, NotPermitted and InvalidInput."""
    person = await _inviter(context, account_id)
    async with context.changing(account_id) as connection:
        standing = await db.invitations.standing_of(connection, account_id, invitation_id)
        if standing is None:
            raise NotFound
        await db.users.lock_all(connection, [person.id, standing.user_id])
        person = await resolvers.access.confirm_manager(connection, person, account_id)
        # As it is behind the lock: they may have been invited anew meanwhile, as another.
        standing = await db.invitations.standing(connection, account_id, standing.user_id)
        if standing is None:
            raise NotFound
        rules.invitations.require_permission(_role(person, account_id), standing.role)
        if not await db.invitations.revoke(connection, invitation_id):
            raise InvalidInput("invitationId", "This person has come already: there is no invitation to take back.")
        await db.sessions.end_of_uninvited(connection, [standing.user_id])
        await db.outbox.append(
            connection,
            InvitationRevoked(account_id=account_id, subject_id=standing.user_id, actor_id=person.id),
        )


async def accept(context: Context, token: str) -> Person | None:
    """Accept an invitation by the token of its link, which is used up by it; the person, None once signed out by it.

    Raises LinkExpired and TooManyAttempts.
    """
    person = await resolvers.access.fresh_person(context)
    found = await resolvers.links.find(context, token, Purpose.INVITATION, person.id)
    assert found.staff_id is not None
    offered = Offered(found.staff_id, found.made_at)
    async with context.changing(person.id) as connection:
        await resolvers.coming_in.keep_accounts(connection, [offered])
        await resolvers.access.lock_person(connection, person)
        if not await db.links.use(connection, found):
            raise LinkExpired
        if not await resolvers.coming_in.accept(connection, person.id, offered):
            raise LinkExpired
    context.go_on_with(context.token)
    return await context.person_or_none()


async def _inviter(context: Context, account_id: UUID) -> Person:
    person, _ = await resolvers.access.managed_account(context, account_id, to="invite staff")
    resolvers.access.require_freshness(person)
    return person


def _role(person: Person, account_id: UUID) -> Role:
    membership = person.membership_of(account_id)
    assert membership is not None
    return membership.role


def _address(email: str) -> str:
    try:
        return rules.addresses.checked(email)
    except rules.addresses.NotAnAddressError as error:
        raise InvalidInput("email", str(error)) from None
