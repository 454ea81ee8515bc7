"""Inviting people to an account's staff, and taking that back. The email's link is made where the email is."""

from __future__ import annotations

from uuid import UUID

from db import invitations, memberships, outbox, staff, throttles, users
from db.staff import Member
from resolvers import access
from resolvers.context import Context
from rules import addresses, throttling
from rules import invitations as invitation_rules
from rules.events.staff import InvitationRevoked, StaffInvited
from rules.failures import InvalidInput, NotFound
from rules.people import Person, Role


async def invite(context: Context, account_id: UUID, email: str, role: Role) -> Member:
    """Invite somebody, or anew: the earlier link is worth nothing from then on.

    Raises what managed_account raises, InvalidInput, NotPermitted and TooManyAttempts.
    """
    person, own_role = await _inviter(context, account_id)
    address = _address(email)
    invitation_rules.require_permission(own_role, role)
    async with context.changing(account_id) as connection:
        await invitations.add_person(connection, address)
        # Another statement, which sees whom another request has just added.
        user_id = await memberships.user_id_of(connection, address)
        assert user_id is not None
        await users.lock_all(connection, [person.id, user_id])
        await access.confirm_manager(connection, person, account_id)
        standing = await invitations.standing(connection, account_id, user_id)
        if standing is not None:
            invitation_rules.require_pause(standing.invited_at, standing.now, address)
            invitation_rules.require_permission(own_role, standing.role)
        if not await invitations.open_invitation(connection, account_id, user_id, role):
            raise InvalidInput("email", f"{address} is staff of this account already.")
        await outbox.append(
            connection, StaffInvited(account_id=account_id, subject_id=user_id, actor_id=person.id, role=role)
        )
        await throttles.charge(connection, throttling.invitations_key(person.id), throttling.INVITATIONS)
        (member,) = await staff.members(connection, account_id, [user_id])
    return member


async def revoke(context: Context, account_id: UUID, invitation_id: UUID) -> None:
    """Take an invitation back. Raises what managed_account raises, NotFound, NotPermitted and InvalidInput."""
    person, own_role = await _inviter(context, account_id)
    async with context.changing(account_id) as connection:
        standing = await invitations.standing_of(connection, account_id, invitation_id)
        if standing is None:
            raise NotFound
        invitation_rules.require_permission(own_role, standing.role)
        await users.lock_all(connection, [person.id, standing.user_id])
        await access.confirm_manager(connection, person, account_id)
        if not await invitations.revoke(connection, invitation_id):
            raise InvalidInput("invitationId", "This person has come already: there is no invitation to take back.")
        await outbox.append(
            connection,
            InvitationRevoked(account_id=account_id, subject_id=standing.user_id, actor_id=person.id),
        )


async def _inviter(context: Context, account_id: UUID) -> tuple[Person, Role]:
    person, _ = await access.managed_account(context, account_id, to="invite staff")
    access.require_freshness(person)
    membership = person.membership_of(account_id)
    assert membership is not None
    return person, membership.role


def _address(email: str) -> str:
    try:
        return addresses.checked(email)
    except addresses.NotAnAddressError as error:
        raise InvalidInput("email", str(error)) from None
