"""An account and OpenID providers: whose word for a second factor it takes, and which domains it has asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection


async def with_mfa_allowed(connection: Connection, account_id: UUID) -> list[str]:
    """The names of the providers whose second factor satisfies the account's requirement."""
    rows = await connection.fetch("SELECT provider FROM account_mfa_providers WHERE account_id = $1", account_id)
    return [row["provider"] for row in rows]


async def allow_mfa(connection: Connection, account_id: UUID, provider: str) -> bool:
    """Let the provider's second factor satisfy the account's requirement; false when it does already."""
    allowed = await connection.fetchval(
        """
        INSERT INTO account_mfa_providers (account_id, provider) VALUES ($1, $2)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        account_id,
        provider,
    )
    return bool(allowed)


async def disallow_mfa(connection: Connection, account_id: UUID, provider: str) -> bool:
    """Let it satisfy nothing any more; false when it did not."""
    status = await connection.execute(
        "DELETE FROM account_mfa_providers WHERE account_id = $1 AND provider = $2", account_id, provider
    )
    return status == "DELETE 1"


@dataclass(frozen=True)
class DomainRequest:
    """A domain that an account's owner has asked for."""

    account_id: UUID
    account_name: str
    domain: str
    provider: str
    requested_by: str | None
    requested_at: datetime


async def ask_for_domain(connection: Connection, account_id: UUID, domain: str, provider: str, user_id: UUID) -> bool:
    """Keep that the account's owner asks for the domain; false when the same was asked before."""
    asked = await connection.fetchval(
        """
        INSERT INTO domain_requests AS known (account_id, domain, provider, requested_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account_id, domain) DO UPDATE
        SET provider = excluded.provider, requested_by = excluded.requested_by, requested_at = now()
        WHERE known.provider <> excluded.provider
        RETURNING true
        """,
        account_id,
        domain,
        provider,
        user_id,
    )
    return bool(asked)


async def end_request(connection: Connection, account_id: UUID, domain: str) -> bool:
    """Forget that the account asked for the domain; false when it did not."""
    status = await connection.execute(
        "DELETE FROM domain_requests WHERE account_id = $1 AND domain = $2", account_id, domain
    )
    return status == "DELETE 1"


async def requests(connection: Connection, account_id: UUID | None) -> list[DomainRequest]:
    """What the account asks for, or all accounts do, oldest first."""
    rows = await connection.fetch(
        """
        SELECT account_id, accounts.name AS account_name, domain, provider, users.email AS requested_by, requested_at
        FROM domain_requests
        JOIN accounts ON accounts.id = account_id
        LEFT JOIN users ON users.id = requested_by
        WHERE $1::uuid IS NULL OR account_id = $1
        ORDER BY requested_at, domain
        """,
        account_id,
    )
    return [DomainRequest(**row) for row in rows]
