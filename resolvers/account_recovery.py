"""Coming back alone, slowly, where the person's accounts allow it: by password and mailbox, after days."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import db.account_recovery
import db.challenges
import db.memberships
import db.outbox
import db.policy
import db.staff
import db.throttles
import db.users
import resolvers.access
import resolvers.links
import rules.account_recovery
import rules.throttling
import rules.tokens
from db.account_recovery import Waiting
from db.pool import Connection
from db.staff import Member
from resolvers.context import Context
from rules.account_recovery import BEGINS_OTHERWISE, NOT_OFFERED, Delays, Seen
from rules.clients import Client
from rules.events.account_recovery import (
    MANAGER,
    SESSION,
    AccountRecoveryChanged,
    AccountRecoveryRequested,
    AccountRecoveryStarted,
    AccountRecoveryStopped,
)
from rules.events.base import EMAIL_LINK, Event
from rules.failures import (
    AccountRecoveryEnded,
    ChallengeExpired,
    ChangedMeanwhile,
    LinkExpired,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from rules.links import Purpose


async def request(context: Context, challenge_token: str) -> int:
    """Send whoever has given the password the link to begin by; return how many days they will wait.

    Only a challenge lets ask, so a stranger hears of nobody whether they are enrolled, or what their accounts allow.
    Raises ChallengeExpired, NotPermitted and TooManyAttempts.
    """
    challenge_hash = rules.tokens.digest(rules.tokens.CHALLENGE_PREFIX, challenge_token)
    async with context.database.connection() as connection:
        challenge = await db.challenges.find(connection, challenge_hash) if challenge_hash else None
    if challenge is None:
        raise ChallengeExpired
    if "pwd" not in challenge.amr:
        raise NotPermitted(BEGINS_OTHERWISE)  # a provider's word is often the mailbox's own
    if context.is_service:
        context.client = Client(challenge.user_agent, challenge.ip_address)
    user_id = challenge.user_id
    async with context.changing(user_id) as connection:
        await db.users.lock(connection, user_id)
        days = await db.account_recovery.days_of(connection, user_id)
        if days is None:
            raise NotPermitted(NOT_OFFERED)
        if await _may_be_mailed(connection, user_id, context.client.ip_address):
            requested = AccountRecoveryRequested(subject_id=user_id, client=context.client, amr=" ".join(challenge.amr))
            await db.outbox.append(connection, requested)
    return days


async def _may_be_mailed(connection: Connection, user_id: UUID, address: str | None) -> bool:
    """False while the links sent before still hold. Raises TooManyAttempts."""
    await db.throttles.charge(connection, rules.throttling.recovery_key(user_id, address), rules.throttling.RESET)
    address_key = rules.throttling.recovery_address_key(address)
    await db.throttles.charge(connection, address_key, rules.throttling.RESET_ADDRESS)
    try:
        person_key = rules.throttling.recovery_link_key(user_id)
        await db.throttles.charge(connection, person_key, rules.throttling.ENROLLMENT_LINK)
    except TooManyAttempts:
        return False
    return True


async def start(context: Context, token: str) -> Waiting:
    """Begin to wait, by the link of that email; what waits already goes on as it is.

    Raises LinkExpired, also when it is not allowed any more or the password was changed since, and TooManyAttempts.
    """
    async with resolvers.links.used_up(context, token, Purpose.START_RECOVERY) as (connection, found):
        # Told here, for the sweep would find the one that begins in its place.
        for each in await db.account_recovery.lapse(connection, found.user_id):
            stopped = AccountRecoveryStopped.by_itself(each.user_id, each.was_unreached)
            await db.outbox.append(connection, stopped)
        started = await db.account_recovery.start(connection, found.user_id, found.made_at)
        if started is not None:
            await _tell(context, connection, started)
        waiting = started or await db.account_recovery.of_user(connection, found.user_id)
        if waiting is None:
            raise LinkExpired
    return waiting


async def _tell(context: Context, connection: Connection, started: Waiting) -> None:
    """Tell the person, and the owners of each of their accounts."""
    account_ids = await db.memberships.accounts_of(connection, started.user_id)
    told = [
        AccountRecoveryStarted(
            account_id=account_id,
            subject_id=started.user_id,
            actor_id=started.user_id,
            client=context.client,
            subject_email=started.email,
            until=started.ends_at,
            is_mailed=account_id == account_ids[0],
        )
        for account_id in account_ids
    ]
    await db.outbox.append_all(connection, told)


@dataclass(frozen=True)
class Stopped:
    """Whose account recovery it was, and whether the person stopped it rather than an owner or admin."""

    email: str
    by_person: bool


async def stop(context: Context, token: str) -> Stopped:
    """End what waits, by a link of one of its emails to the person or to an owner.

    Raises LinkExpired and TooManyAttempts.
    """
    async with resolvers.links.used_up(context, token, Purpose.STOP_RECOVERY) as (connection, found):
        user_id = await db.account_recovery.stop_told(connection, found.event_id)
        if user_id is None:
            raise LinkExpired
        stopped = AccountRecoveryStopped(subject_id=user_id, actor_id=found.user_id, how=EMAIL_LINK)
        await db.outbox.append(connection, stopped)
        known = await db.users.credentials_of(connection, user_id)
        assert known is not None
    return Stopped(known.email, found.user_id == user_id)


async def waiting(context: Context, account_id: UUID) -> list[tuple[Waiting, Member]]:
    """What waits for staff of the account, with whom it is about. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        found = await db.account_recovery.of_account(connection, account_id)
        members = await db.staff.members(connection, account_id, [each.user_id for each in found]) if found else []
    by_user = {member.user_id: member for member in members}
    return [(each, by_user[each.user_id]) for each in found if each.user_id in by_user]


async def stop_of(context: Context, account_id: UUID, staff_id: UUID) -> Member:
    """End what waits for a staff member, as an owner or admin. Without a fresh proof: it only keeps what is.

    Raises what managed_account raises, NotFound and AccountRecoveryEnded.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="stop this")
    async with context.changing(account_id) as connection:
        user_id = await db.staff.user_of(connection, account_id, staff_id)
        if user_id is None:
            raise NotFound
        await db.users.lock_all(connection, [person.id, user_id])
        await resolvers.access.confirm_manager(connection, person, account_id)
        if not await db.account_recovery.stop(connection, user_id):
            raise AccountRecoveryEnded
        stopped = AccountRecoveryStopped(subject_id=user_id, actor_id=person.id, how=MANAGER)
        await db.outbox.append(connection, stopped)
        found = await db.staff.members(connection, account_id, [user_id])
        if not found:
            raise NotFound  # they left meanwhile
    return found[0]


async def cancel(context: Context) -> None:
    """End what waits for the person, in a session of theirs; where nothing does, that is no failure."""
    person = await context.person()
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        await end(connection, person.id, SESSION)


async def end(connection: Connection, user_id: UUID, how: str) -> None:
    """End what waits for the person, if anything does: they have shown a factor or are signed in. Under their lock."""
    await db.outbox.append_all(connection, await ended(connection, user_id, how))


async def ended(connection: Connection, user_id: UUID, how: str) -> list[Event]:
    """The same, for whoever appends the event along with others."""
    return told_of_end(user_id, how, await db.account_recovery.stop(connection, user_id))


def told_of_end(user_id: UUID, how: str, was_recovering: bool) -> list[Event]:
    """What tells that what waited for the person has ended, if anything has."""
    return [AccountRecoveryStopped(subject_id=user_id, actor_id=user_id, how=how)] if was_recovering else []


async def delays(context: Context, account_id: UUID) -> Delays | None:
    """How long the account lets wait. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.account_recovery.delays(connection, account_id)


async def set_delays(context: Context, account_id: UUID, wanted: Delays | None, seen: Seen | None = None) -> None:
    """Let the account's staff come back alone after so many days, or not (None); what already holds is no change.

    Raises what owned_account raises, InvalidInput, and ChangedMeanwhile where something else holds than was seen.
    """
    person = await resolvers.access.owned_account(context, account_id, to="choose whether staff may come back alone")
    if wanted is not None:
        rules.account_recovery.check(wanted)
    async with context.changing(account_id) as connection:
        if await db.policy.lock(connection, account_id) is None:
            raise NotFound
        await resolvers.access.confirm_owner(connection, person, account_id)
        held = await db.account_recovery.delays(connection, account_id)
        if seen not in {None, Seen(held)}:
            raise ChangedMeanwhile
        if wanted == held:
            return
        if wanted is None:
            await db.account_recovery.forbid(connection, account_id)
        else:
            await db.account_recovery.allow(connection, account_id, wanted)
        changed = AccountRecoveryChanged.of(wanted, account_id=account_id, actor_id=person.id)
        await db.outbox.append(connection, changed)
