"""Who may what: the one gate, the roles, and the freshness of the password.

Every way to an account passes `account` or `managed_account`, and so the gate; no resolver asks the tables itself.
"""

from __future__ import annotations

from uuid import UUID

import db.accounts
import db.outbox
import db.service_keys
import db.sessions
import db.staff
import db.throttles
import db.users
import rules.throttling
from db.pool import Connection
from resolvers.context import Context
from rules.events.staff import AccountViewed
from rules.failures import (
    MfaEnrollmentRequired,
    NotFound,
    NotPermitted,
    ReauthenticationRequired,
    Unauthenticated,
)
from rules.notice import RESET_MESSAGE
from rules.people import Account, Person
from rules.service_keys import Right, ServiceKey

SECOND_FACTOR_ASKED = "Confirm with a code from your authenticator app to go on."
OPERATORS_ENROLL = "Platform operators set up MFA before they view an account. Set it up now to continue."
NOBODYS_ID = UUID(int=0)


def parse_id(text: str) -> UUID:
    """An id as given by a client; what cannot be one becomes an id that nothing has, and is treated alike."""
    try:
        return UUID(text)
    except ValueError:
        return NOBODYS_ID


async def account(context: Context, account_id: UUID) -> Account:
    """The account, for its staff and for super-admins. Raises Unauthenticated, NotFound, MfaEnrollmentRequired."""
    if context.is_service:
        return await _account_for_service(context, account_id, *Right)
    person = await context.person()
    membership = person.membership_of(account_id)
    if membership is not None:
        return pass_gate(person, membership.account)
    require_operator(person)
    found = pass_gate(person, await _loaded(context, account_id))
    await _tell_of_view(context, person, account_id)
    return found


async def _tell_of_view(context: Context, person: Person, account_id: UUID) -> None:
    """A platform operator looks at an account, which is told of it once an hour."""
    if account_id in context.viewed:
        return
    async with context.database.transaction() as connection:
        if await db.throttles.is_due(
            connection, rules.throttling.view_key(person.id, account_id), rules.throttling.VIEW_INTERVAL
        ):
            viewed = AccountViewed(account_id=account_id, actor_id=person.id, client=context.client)
            await db.outbox.append(connection, viewed)
    # Not before: of several fields at once none shows anything that could not be told.
    context.viewed.add(account_id)


def pass_gate(person: Person, found: Account) -> Account:
    """Let through whoever is not blocked at this account. Raises MfaEnrollmentRequired."""
    if person.is_blocked_at(found):
        raise MfaEnrollmentRequired(RESET_MESSAGE) if person.reenrollment_required_at else MfaEnrollmentRequired
    return found


async def viewed_account(context: Context, account_id: UUID, right: Right | None = None) -> Account:
    """The account for whoever may see its security page: owners, admins, super-admins, services with the right.

    Raises what account raises, and Forbidden.
    """
    if context.is_service:
        return await _account_for_service(context, account_id, *([right] if right else []))
    person = await context.person()
    found = await account(context, account_id)
    if not person.manages(account_id):
        require_operator(person)
    return found


async def managed_account(context: Context, account_id: UUID, *, to: str) -> tuple[Person, Account]:
    """The account for whoever may change it; `to` says what, for the sentence.

    Raises what viewed_account raises, and NotPermitted.
    """
    found = await viewed_account(context, account_id)
    person = await context.person()
    if not person.manages(account_id):
        raise NotPermitted(f"Only an owner or admin of the account may {to}.")
    return person, found


async def owned_account(context: Context, account_id: UUID, *, to: str) -> Person:
    """Whoever may change what owners alone do, with a fresh proof.

    Raises what managed_account and fresh_person raise.
    """
    person, _ = await managed_account(context, account_id, to=to)
    if not person.owns(account_id):
        raise NotPermitted(f"Only an owner of the account may {to}.")
    require_freshness(person)
    return person


async def policy_account(context: Context, account_id: UUID) -> Person | ServiceKey:
    """Whoever may change the account's policy: an owner or admin with a fresh proof, or a service with the right.

    Raises what managed_account and fresh_person raise.
    """
    if context.is_service:
        await _account_for_service(context, account_id, Right.POLICY)
        return await context.service_key(Right.POLICY)
    person, _ = await managed_account(context, account_id, to="change its security policy")
    require_freshness(person)
    return person


def require_operator(person: Person) -> None:
    """Let through who runs the platform, with MFA on. Raises NotFound, MfaEnrollmentRequired."""
    if not person.is_super_admin:
        raise NotFound
    if not person.mfa_enabled:
        raise MfaEnrollmentRequired(OPERATORS_ENROLL)


async def fresh_person(context: Context) -> Person:
    """The person, who has just shown to be the one. Raises Unauthenticated, ReauthenticationRequired."""
    person = await context.person()
    require_freshness(person)
    return person


async def fresh_person_with_code(context: Context) -> Person:
    """The person, for a change that brings a code itself, beside which the password just shown is proof enough.

    Raises what fresh_person raises.
    """
    person = await context.person()
    if not person.is_fresh_beside_code:
        raise ReauthenticationRequired
    return person


def require_freshness(person: Person) -> None:
    """Raises ReauthenticationRequired when the password, or the second factor, was shown too long ago."""
    if not person.is_fresh:
        raise ReauthenticationRequired(SECOND_FACTOR_ASKED) if person.mfa_enabled else ReauthenticationRequired


async def confirm_manager(connection: Connection, person: Person, account_id: UUID) -> Person:
    """The person in the roles that they have now, by which all that follows is judged: an owner may be an admin since.

    Raises Unauthenticated or NotFound when they were signed out or manage the account no more. Holds roles and session
    until the transaction ends, so that a demotion or a reset comes wholly before or after it; in that order, as
    whatever changes the person's factor and ends their sessions takes them.
    """
    person = person.with_roles(await db.staff.hold_roles(connection, person.id))
    if not await db.sessions.hold(connection, person.session_id):
        raise Unauthenticated
    if not person.manages(account_id):
        raise NotFound
    return person


async def confirm_owner(connection: Connection, person: Person, account_id: UUID) -> None:
    """Raises what confirm_manager raises, also when the person is no owner any more."""
    person = await confirm_manager(connection, person, account_id)
    if not person.owns(account_id):
        raise NotFound


async def confirm_policy_editor(connection: Connection, editor: Person | ServiceKey, account_id: UUID) -> None:
    """Raises what confirm_manager raises of a person, and confirm_service of a service's key."""
    if isinstance(editor, Person):
        await confirm_manager(connection, editor, account_id)
    else:
        await confirm_service(connection, editor)


async def confirm_service(connection: Connection, key: ServiceKey) -> None:
    """Raises Unauthenticated when the key was revoked since the request began; keeps it until the transaction ends."""
    if not await db.service_keys.hold(connection, key.id):
        raise Unauthenticated


async def _account_for_service(context: Context, account_id: UUID, *rights: Right) -> Account:
    key = await context.service_key(*rights)
    key.require_account(account_id)
    return await _loaded(context, account_id)


async def _loaded(context: Context, account_id: UUID) -> Account:
    async with context.database.connection() as connection:
        found = await db.accounts.load(connection, account_id)
    if found is None:
        raise NotFound
    return found


async def lock_person(connection: Connection, person: Person) -> None:
    """Take the person's lock for a change of their own factor. Raises Unauthenticated when the session has ended.

    The session is looked at again behind the lock, so that a reset that was first leaves nothing to come after it.
    """
    await db.users.lock(connection, person.id)
    if not await db.sessions.is_live(connection, person.session_id):
        raise Unauthenticated
