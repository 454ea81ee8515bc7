"""Sign-ins from devices not seen before: told to the person, who can say that it was not them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import db.challenges
import db.devices
import db.factors
import db.given
import db.memberships
import db.outbox
import db.sessions
import db.throttles
import db.users
import resolvers.identities
import resolvers.links
import rules.devices
import rules.oidc
import rules.throttling
from db.links import Found
from db.pool import Connection
from db.sessions import Started
from resolvers.context import Context
from rules.events.base import Event
from rules.events.mfa import AuthenticatorDisputed
from rules.events.passwords import PasswordResetRequested
from rules.events.signing_in import NewDeviceSignedIn, SignInRejected
from rules.failures import TooManyAttempts
from rules.links import Purpose


def digests(context: Context, *, use_cookie: bool) -> tuple[bytes, bytes]:
    """What the device is known by beside its cookie: what it calls itself, its network, and whether it keeps one.

    The second is what versions before knew it by, which asked no such thing.
    """
    client, network = context.client, rules.throttling.source(context.client.ip_address)
    kept = rules.devices.WITH_COOKIE if use_cookie else rules.devices.WITHOUT_COOKIE
    way = rules.devices.BY_PRODUCT if context.is_service else kept
    return rules.devices.digest(client.user_agent, network, way), rules.devices.digest(client.user_agent, network)


async def noticed(
    context: Context, connection: Connection, user_id: UUID, started: Started, amr: str, *, use_cookie: bool
) -> list[Event]:
    """A session has begun, under the person's lock: what tells them where it is from a device not seen before.

    A browser is known by its cookie alone: in an office everybody has the same program behind the same address. Those
    count where it has a cookie from before a new password, or keeps none; of a sign-in by a provider they do not: the
    password before may have let somebody link it. The very first sign-in of all is none to be told of.
    """
    if started.is_new_device and started.devices_before >= db.devices.MOST:
        await db.devices.forget_oldest(connection, user_id)
    cookie, ring = None if context.is_service else context.device_cookie, context.service.ring
    has_been_here = not use_cookie or rules.devices.known_as(ring, cookie, user_id, started.now) is not None
    is_by_provider = rules.oidc.AMR in amr.split() and not context.is_service
    if has_been_here and not is_by_provider and not started.is_new_device:
        return []
    known = await db.users.credentials_of(connection, user_id)
    assert known is not None
    if started.devices_before == 0 and not known.has_rejected:
        return []
    since = known.devices_since
    if rules.devices.known_as(ring, cookie, user_id, started.now, since) is not None:
        return []
    told = NewDeviceSignedIn(
        subject_id=user_id, actor_id=user_id, client=context.client, amr=amr, session_id=started.session_id
    )
    return [told]


@dataclass(frozen=True)
class Rejected:
    """Whose sign-in it was; whether a link to set another password is sent, and whether MFA was changed since.

    And whether anybody who manages their accounts could reset them, or only an operator.
    """

    email: str
    is_link_sent: bool
    is_mfa_changed: bool
    can_be_reset: bool


async def reject(context: Context, token: str) -> Rejected:
    """By the link of that email: end the session, and send a link to set another password.

    Every session that has begun since then ends, too: only the first sign-in on a device is told of, and whoever made
    it may have come again. So does what was given, asked for or offered to others in them, and what was linked at a
    provider since; if the sign-in was by a provider itself, all that is linked, since its word would do again.
    A factor stays: else whoever holds the mailbox could take it away by an old link. Of a factor that is newer than the
    sign-in the owners are told.
    The link is sent if there is a password to change, or if the other way in is gone.
    Raises LinkExpired and TooManyAttempts.
    """
    async with resolvers.links.used_up(context, token, Purpose.NOT_MY_SIGN_IN) as (connection, found):
        # The link knows when that was; the event may be gone.
        user_id, since = found.user_id, found.made_at
        await db.devices.forget(connection, user_id, since)
        await db.sessions.end_since(connection, user_id, since)
        await db.challenges.drop_all(connection, user_id)
        await db.given.take_back(connection, user_id, user_id, context.client, since=since)
        await db.given.revoke_invitations(connection, user_id, found.event_id)
        known = await db.users.credentials_of(connection, user_id)
        assert known is not None
        is_mfa_changed = await db.factors.changed_since(connection, user_id, since, found.event_id)
        await _tell_owners(context, connection, found, known.email if is_mfa_changed else None)
        is_by_provider = rules.oidc.AMR in (await db.devices.came_by(connection, found.event_id)).split()
        if is_by_provider:
            removed = await resolvers.identities.remove_all(context, connection, user_id)
        else:
            removed = await resolvers.identities.remove_since(context, connection, user_id, since)
        if is_link_sent := known.password_hash is not None or removed:
            await _start_password_change(context, connection, user_id, known.email)
        can_be_reset = await db.memberships.can_be_reset(connection, user_id)
    return Rejected(known.email, is_link_sent, is_mfa_changed, can_be_reset)


async def _tell_owners(context: Context, connection: Connection, found: Found, disputed_email: str | None) -> None:
    """What owners hear of, as alerts or by mail; the email of whose factor is disputed, if it is."""
    user_id, since = found.user_id, found.made_at
    is_of_manager = await db.memberships.manages_any(connection, user_id)
    told: list[Event] = [
        SignInRejected(
            subject_id=user_id,
            actor_id=user_id,
            client=context.client,
            since=since,
            is_of_manager=is_of_manager,
            is_mfa_disputed=disputed_email is not None,
        )
    ]
    if disputed_email is not None:
        account_ids: list[UUID | None] = [*await db.memberships.accounts_of(connection, user_id)]
        told += [
            AuthenticatorDisputed(
                account_id=account_id,
                subject_id=user_id,
                actor_id=user_id,
                subject_email=disputed_email,
                since=since,
                client=context.client,
                is_of_manager=is_of_manager,
            )
            for account_id in account_ids or [None]
        ]
    await db.outbox.append_all(connection, told)


async def _start_password_change(context: Context, connection: Connection, user_id: UUID, email: str) -> None:
    try:
        await db.throttles.charge(connection, rules.throttling.reset_email_key(email), rules.throttling.RESET_EMAIL)
    except TooManyAttempts:
        return  # the links sent before still hold
    await db.outbox.append(connection, PasswordResetRequested(subject_id=user_id, client=context.client))
