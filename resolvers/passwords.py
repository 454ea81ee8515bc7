"""Passwords: asking for a link to set one, setting one by a link out of an email, and changing it.

None of them touches the second factor, and none signs anybody in.
"""

from __future__ import annotations

import db.challenges
import db.credentials
import db.given
import db.links
import db.memberships
import db.outbox
import db.sessions
import db.throttles
import db.users
import resolvers.access
import resolvers.coming_in
import resolvers.guessing.passwords
import resolvers.identities
import resolvers.proof
import resolvers.sign_in
import rules.addresses
import rules.links
import rules.passwords
import rules.throttling
import rules.tokens
from db.credentials import Subject
from db.links import Found
from db.pool import Connection
from db.users import Credentials
from resolvers.coming_in import Offered
from resolvers.context import Context
from resolvers.guessing.charged import WrongGuess
from resolvers.hashing import Asker
from rules.events.passwords import PasswordChanged, PasswordResetRequested
from rules.failures import InvalidCredentials, InvalidInput, LinkExpired, SignInRequired, TooManyAttempts
from rules.links import SETS_PASSWORD, Purpose


async def has_one(context: Context) -> bool:
    """Whether the person has a password. Raises Unauthenticated."""
    person = await context.person()
    async with context.database.connection() as connection:
        subject = await db.credentials.subject(connection, person.id, None)
    return subject is not None and subject.has_password


async def request_reset(context: Context, email: str) -> None:
    """Ask for a link by email. The same, in the same time, whether or not the person exists.

    Raises InvalidInput and TooManyAttempts.
    """
    try:
        email = rules.addresses.checked(email)
    except rules.addresses.NotAnAddressError as error:
        raise InvalidInput("email", str(error)) from None
    address = context.client.ip_address
    async with context.changing() as connection:
        await db.throttles.charge(connection, rules.throttling.reset_key(email, address), rules.throttling.RESET)
        await db.throttles.charge(
            connection, rules.throttling.reset_address_key(address), rules.throttling.RESET_ADDRESS
        )
        try:
            await db.throttles.charge(connection, rules.throttling.reset_email_key(email), rules.throttling.RESET_EMAIL)
        except TooManyAttempts:
            return  # the links sent before still hold; whoever asks is not told, since they may be a stranger
        user_id = await db.memberships.user_id_of(connection, email) or resolvers.access.NOBODYS_ID
        await db.outbox.append(connection, PasswordResetRequested(subject_id=user_id, client=context.client))


async def set_password(context: Context, token: str, password: str) -> str:
    """Set a password by the token of a link, which is used up by it; return the person's email.

    Raises LinkExpired, SignInRequired, InvalidInput and RateLimited, which leave the link as it is.
    """
    token_hash = rules.tokens.digest(rules.tokens.LINK_PREFIX, token)
    if token_hash is None:
        raise LinkExpired
    async with context.database.connection() as connection:
        found = await db.links.find(connection, token_hash, SETS_PASSWORD)
        subject = await db.credentials.subject(connection, found.user_id, found.staff_id) if found else None
        offered = await _offered(connection, found) if found else []
        if found is not None:
            await _require_password_unset(connection, found)
    if found is None or subject is None:
        raise LinkExpired
    password_hash = await _new_hash(context, subject, password, "password")
    async with context.changing(found.user_id) as connection:
        await resolvers.coming_in.keep_accounts(connection, offered)
        await db.given.lock(connection, [found.user_id])
        if not await db.links.use(connection, found):
            raise LinkExpired
        # Another link may have set one meanwhile.
        await _require_password_unset(connection, found)
        for each in offered:
            if not await resolvers.coming_in.accept(connection, found.user_id, each) and found.staff_id is not None:
                raise LinkExpired
        await db.links.void(connection, found.user_id, [Purpose.PASSWORD_RESET])
        await db.users.set_password_hash(connection, found.user_id, password_hash)
        await db.sessions.end_all(connection, found.user_id)
        await _changed(context, connection, subject)
        # Whoever reads the mailbox is the person, and is not kept out by what a guesser did from here.
        await db.throttles.clear(connection, rules.throttling.password_key(subject.email, context.client.ip_address))
        known = await db.users.credentials_of(connection, subject.id)
    _know_device(context, known)
    return subject.email


async def change_password(context: Context, current: str, new: str) -> None:
    """Change the password by the one that holds; this session stays.

    Raises InvalidInput, InvalidCredentials, TooManyAttempts and RateLimited.
    """
    person = await resolvers.access.fresh_person(context)
    async with context.database.connection() as connection:
        known = await db.users.credentials_of(connection, person.id)
        subject = await db.credentials.subject(connection, person.id, None)
    door = resolvers.guessing.passwords.session_door(person.id)
    async with resolvers.guessing.passwords.at_door(context, door, known) as guess:
        known, _ = await resolvers.sign_in.check_password(context, known, current, door.asker)
        if subject is None:
            raise InvalidCredentials
        password_hash = await _new_hash(context, subject, new, "newPassword")
        async with context.changing(person.id) as connection:
            await db.given.lock(connection, [person.id])
            await resolvers.access.lock_person(connection, person)
            # Two changes at once: the second one's current password is the current one no more.
            if not await db.users.lock_if_unchanged(connection, known):
                raise WrongGuess
            await db.links.void(connection, person.id, [Purpose.PASSWORD_RESET])
            await db.users.change_password_hash(connection, person.id, password_hash)
            await db.sessions.renew_password(connection, person.session_id)
            token = await resolvers.proof.keep_only_this_session(context, connection, person)
            await _changed(context, connection, subject, "pwd")
            await guess.give_back(connection)
            changed = await db.users.credentials_of(connection, person.id)
    _know_device(context, changed)
    await context.go_on_as(token)


async def _require_password_unset(connection: Connection, found: Found) -> None:
    """Raises SignInRequired for the link of an invitation that may not set one."""
    if found.purpose != Purpose.INVITATION:
        return
    if not await db.links.may_set_password(connection, found, rules.links.PASSWORD_RESET.lifetime):
        raise SignInRequired


def _know_device(context: Context, changed: Credentials | None) -> None:
    """Know the person anew where they have set a password: with it every device is a stranger."""
    if changed is not None:
        context.know_device(changed.id, changed.now, changed.devices_since)


async def _new_hash(context: Context, subject: Subject, password: str, field: str) -> str:
    products = (context.service.issuer, context.service.product)
    problem = rules.passwords.problem_with(
        password, email=subject.email, products=products, is_alone=not subject.needs_second_factor
    )
    if problem:
        raise InvalidInput(field, problem)
    hasher = context.service.hasher
    return await hasher.run(Asker(str(subject.id)), rules.passwords.hash_password, password, hasher.cost)


async def _offered(connection: Connection, found: Found) -> list[Offered]:
    """The memberships that begin with this password.

    The link of an invitation begins its own. Another link by which somebody sets their first password begins all that
    they are invited to, since it has shown as well that the mailbox is theirs.
    """
    if found.staff_id is not None:
        return [Offered(found.staff_id, found.made_at)]
    return await resolvers.coming_in.open_to(connection, found.user_id)


async def _changed(context: Context, connection: Connection, subject: Subject, amr: str | None = None) -> None:
    await db.challenges.drop_all(connection, subject.id)
    await db.given.take_back(connection, subject.id, subject.id, context.client)
    linked = await resolvers.identities.of_person(context, connection, subject.id)
    await db.outbox.append(
        connection,
        PasswordChanged(
            subject_id=subject.id,
            actor_id=subject.id,
            client=context.client,
            is_first=not subject.has_password,
            amr=amr,
            providers=", ".join(each.title for each in linked if each.removed_at is None),
        ),
    )
