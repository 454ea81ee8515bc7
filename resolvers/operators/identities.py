"""What operators do about people's accounts at OpenID providers."""

from __future__ import annotations

from collections.abc import Sequence

import db.given
import db.identities
import db.outbox
import db.users
import resolvers.identities
import resolvers.operators.finding
import rules.oidc
from db.identities import Held
from db.pool import Database
from resolvers.operators.finding import OperatorError
from rules.events.signing_in import IdentityAllowed, IdentityRemoved
from rules.oidc import ProviderConfig


async def listed(database: Database, email: str) -> list[Held]:
    """Somebody's identities, linked and taken away. Raises OperatorError."""
    async with database.connection() as connection:
        user_id = await resolvers.operators.finding.person(connection, email)
        return await db.identities.of_person(connection, user_id)


async def remove(database: Database, known: Sequence[ProviderConfig], email: str, issuer: str) -> None:
    """Take somebody's identity at the issuer away; they are emailed. Raises OperatorError."""
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.person(connection, email)
        await db.given.lock(connection, [user_id])
        if not await resolvers.identities.take(connection, user_id, issuer, None):
            raise OperatorError(f"{email} is not linked at {issuer}.")
        removed = IdentityRemoved(subject_id=user_id, provider=rules.oidc.title_of(known, issuer))
        await db.outbox.append(connection, removed)


async def allow(database: Database, known: Sequence[ProviderConfig], email: str, issuer: str) -> None:
    """Let the provider's word link somebody again; they are emailed. Raises OperatorError."""
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.person(connection, email)
        await db.users.lock(connection, user_id)
        if not await db.identities.allow(connection, user_id, issuer):
            raise OperatorError(f"Signing in at {issuer} was not removed from {email}.")
        allowed = IdentityAllowed(subject_id=user_id, provider=rules.oidc.title_of(known, issuer))
        await db.outbox.append(connection, allowed)
