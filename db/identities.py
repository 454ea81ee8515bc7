"""Who people are at OpenID providers: an issuer's subject is one person, linked by an email address once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Held:
    """A person's identity at an issuer; once `removed_at`, none there is theirs by the provider's word alone."""

    issuer: str
    linked_at: datetime | None
    removed_at: datetime | None


async def now(connection: Connection) -> datetime:
    """The database's time."""
    instant: datetime = await connection.fetchval("SELECT now()")
    return instant


async def find(connection: Connection, issuer: str, subject: str) -> UUID | None:
    """Whose identity this is; None while it is nobody's."""
    found: UUID | None = await connection.fetchval(
        "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return found


async def link(connection: Connection, issuer: str, subject: str, user_id: UUID) -> bool:
    """Let the identity be this person's; false when it is somebody's, they have another one there, or are to have none.

    Under their lock; that they are to have none is held by the trigger of migration 0400.
    """
    linked = await connection.fetchval(
        """
        INSERT INTO identities (issuer, subject, user_id) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        issuer,
        subject,
        user_id,
    )
    return bool(linked)


async def of_person(connection: Connection, user_id: UUID) -> list[Held]:
    """The person's identities, and those that were taken away and not allowed again, by issuer."""
    rows = await connection.fetch(
        """
        SELECT issuer, linked_at, NULL::timestamptz AS removed_at FROM identities WHERE user_id = $1
        UNION ALL SELECT issuer, NULL, refused_at FROM refused_identities WHERE user_id = $1
        ORDER BY issuer
        """,
        user_id,
    )
    return [Held(**row) for row in rows]


async def remove(connection: Connection, user_id: UUID, issuer: str | None, since: datetime | None = None) -> list[str]:
    """Take the person's identity at the issuer away, or (None) all, under their lock; whose word links them no more.

    Of those linked since then or ever.
    """
    rows = await connection.fetch(
        """
        WITH removed AS (
            DELETE FROM identities
            WHERE user_id = $1 AND ($2::text IS NULL OR issuer = $2) AND ($3::timestamptz IS NULL OR linked_at >= $3)
            RETURNING issuer
        )
        INSERT INTO refused_identities (user_id, issuer) SELECT $1, issuer FROM removed RETURNING issuer
        """,
        user_id,
        issuer,
        since,
    )
    return sorted(row["issuer"] for row in rows)


async def allow(connection: Connection, user_id: UUID, issuer: str) -> bool:
    """Let the issuer's word link the person again; false where it may."""
    status = await connection.execute(
        "DELETE FROM refused_identities WHERE user_id = $1 AND issuer = $2", user_id, issuer
    )
    return status == "DELETE 1"


async def is_refused(connection: Connection, user_id: UUID, issuer: str) -> bool:
    """Whether the person's identity there was taken away, and not allowed again."""
    found = await connection.fetchval(
        "SELECT true FROM refused_identities WHERE user_id = $1 AND issuer = $2", user_id, issuer
    )
    return bool(found)


async def vouches_for(connection: Connection, provider: str, domain: str) -> bool:
    """Whether the provider's word counts for addresses at the domain.

    A domain that is bound takes the word of its own provider alone, and a provider that was bound once is believed
    nothing about other domains, whatever became of its own.
    """
    return bool(
        await connection.fetchval(
            """
            SELECT coalesce(
                (SELECT provider = $1 FROM account_domains WHERE domain = $2),
                NOT EXISTS (SELECT FROM confined_providers WHERE provider = $1)
            )
            """,
            provider,
            domain,
        )
    )


async def is_left_to(connection: Connection, account_id: UUID, email: str, domain: str) -> bool:
    """Whether the account may make somebody of the address known: the domain is no other's, or they have come."""
    return bool(
        await connection.fetchval(
            """
            SELECT NOT EXISTS (SELECT FROM account_domains WHERE domain = $3 AND account_id <> $1)
                OR EXISTS (SELECT FROM staff WHERE account_id = $1 AND email = $2 AND invited_at IS NULL)
            """,
            account_id,
            email,
            domain,
        )
    )


async def bind_domain(connection: Connection, account_id: UUID, domain: str, provider: str) -> bool:
    """Let the domain be the account's, and the provider vouch for it; false when it is another account's."""
    bound = await connection.fetchval(
        """
        INSERT INTO account_domains AS bound (domain, account_id, provider) VALUES ($2, $1, $3)
        ON CONFLICT (domain) DO UPDATE SET provider = excluded.provider WHERE bound.account_id = excluded.account_id
        RETURNING true
        """,
        account_id,
        domain,
        provider,
    )
    return bool(bound)


async def release_domain(connection: Connection, account_id: UUID, domain: str) -> bool:
    """Let the domain be nobody's; false when it is not the account's."""
    status = await connection.execute(
        "DELETE FROM account_domains WHERE domain = $2 AND account_id = $1", account_id, domain
    )
    return status == "DELETE 1"


async def trust(connection: Connection, provider: str) -> bool:
    """Let the provider be believed about other domains again; false while one is bound to it, and if it is already."""
    status = await connection.execute(
        """
        DELETE FROM confined_providers
        WHERE provider = $1 AND NOT EXISTS (SELECT FROM account_domains WHERE provider = $1)
        """,
        provider,
    )
    return status == "DELETE 1"


async def domains(connection: Connection, account_id: UUID) -> list[tuple[str, str]]:
    """The account's domains, each with its provider."""
    rows = await connection.fetch(
        "SELECT domain, provider FROM account_domains WHERE account_id = $1 ORDER BY domain", account_id
    )
    return [(row["domain"], row["provider"]) for row in rows]
