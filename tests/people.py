"""The cast and what they do: Olive owns the agency, Adam is its admin, Mia a member, Petra a portal user, Sue runs the
platform, Sam belongs to another account."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pyotp

from rules.passwords import hash_password
from rules.policy import Policy
from tests import used
from tests.client import QUICK, Client, http_client
from tests.operations import BEGIN, SIGN_IN, VERIFY

PASSWORD = "correct horse battery"
ORIGIN = {"ipAddress", "userAgent", "sessionMethod"}


@cache
def password_hash() -> str:
    """The hash of everybody's password, made once."""
    return hash_password(PASSWORD, QUICK)


@dataclass
class Factor:
    """A person's authenticator app and backup codes."""

    secret: str
    backup_codes: list[str]

    async def code(self, offset: int = 0) -> str:
        """The code of the current step, or of another. One of this step or the next stays good when the step ends.

        For others the last seconds of a step are waited out.
        """
        left = 30 - time.time() % 30
        if offset not in {0, 1} and left < 3:
            await asyncio.sleep(left + 0.05)
        code = pyotp.TOTP(self.secret).at(int(time.time()) + 30 * offset)
        used.note_code(code)
        return code


@dataclass
class World:
    """An agency with its people, another account with Sam, and the way to both database and server."""

    base_url: str
    database: asyncpg.Connection[asyncpg.Record]
    account_id: UUID
    other_account_id: UUID
    clients: list[httpx.AsyncClient]

    def client(self, **headers: str) -> Client:
        """A client that nobody is signed in on."""
        limits = httpx.Limits(max_connections=100)
        http = http_client(self.base_url, limits=limits)
        self.clients.append(http)
        return Client(http, headers=headers)

    async def sign_in(self, name: str, *, patient: bool = True) -> Client:
        """A client on which `name`, who has no factor, is signed in."""
        client = self.client()
        client.patient = patient
        answer = await client.do(SIGN_IN, email=email(name), password=PASSWORD)
        assert answer["__typename"] == "SignedIn", answer
        client.token = answer["sessionToken"]
        return client

    async def enrolled(self, name: str) -> Client:
        """A client on which `name` is signed in and has MFA on, as whoever resets others and who runs the platform."""
        client = await self.sign_in(name)
        await self.enroll(client)
        return client

    async def let_have_mfa(self, name: str) -> None:
        """Let the person have MFA on, by an app that nobody has, and have shown it in every session just now."""
        user_id = await self.user_id(name)
        await self.database.execute(
            "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
            "VALUES ($1, '', 'test', 0, $2, 'test')",
            user_id,
            bytes(16),
        )
        await self.database.execute("UPDATE sessions SET second_factor_at = now() WHERE user_id = $1", user_id)

    async def challenge(self, name: str) -> tuple[Client, str]:
        """A client on which `name`, who has a factor, has given the password; and the challenge's token."""
        client = self.client()
        answer = await client.do(SIGN_IN, email=email(name), password=PASSWORD)
        assert answer["__typename"] == "MfaChallenge", answer
        return client, answer["challengeToken"]

    async def enroll(self, client: Client) -> Factor:
        """Enroll whoever is signed in; the step before this one is spent, this one and the next are good."""
        begun, factor = await begin(client)
        assert begun["__typename"] == "MfaEnrollment", begun
        enabled = await client.do(VERIFY, code=await factor.code())
        assert enabled["__typename"] == "MfaEnabled", enabled
        await self.database.execute(
            "UPDATE factors SET last_step = last_step - 1 WHERE user_id = $1", UUID(enabled["viewer"]["id"])
        )
        factor.backup_codes = enabled["backupCodes"]
        return factor

    async def user_id(self, name: str) -> UUID:
        """The person's id."""
        found: UUID = await self.database.fetchval("SELECT id FROM users WHERE email = $1", email(name))
        return found

    async def staff_id(self, name: str) -> UUID:
        """The id of the person's membership in the agency."""
        found: UUID = await self.database.fetchval(
            "SELECT id FROM staff WHERE email = $1 AND account_id = $2", email(name), self.account_id
        )
        return found

    async def events(self, *types: str) -> list[dict[str, Any]]:
        """The events so far, of these types or all, oldest first."""
        rows = await self.database.fetch(
            "SELECT * FROM events WHERE $1::text[] = '{}' OR type = ANY ($1) ORDER BY id", list(types)
        )
        return [dict(row) for row in rows]

    async def forget_spent_steps(self, name: str) -> None:
        """Make the person's current codes good again."""
        await self.database.execute("UPDATE factors SET last_step = 0 WHERE user_id = $1", await self.user_id(name))


def facts_of(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says of itself, without where the request came from, which the outbox adds to each."""
    return {name: fact for name, fact in event["data"].items() if name not in ORIGIN}


async def move_events(database: asyncpg.Connection[asyncpg.Record], ago: str) -> None:
    """Let all events have happened so long ago, as only a superuser can who passes by the triggers."""
    await database.execute(
        "SELECT set_config('session_replication_role', 'replica', true); "
        f"UPDATE events SET occurred_at = now() - interval '{ago}'"
    )


async def age_proofs(world: World, by: str = "15 minutes") -> None:
    """Move every proof into the past."""
    await world.database.execute(
        f"UPDATE sessions SET password_at = password_at - interval '{by}', "
        f"second_factor_at = second_factor_at - interval '{by}'"
    )


async def begin(client: Client) -> tuple[dict[str, Any], Factor]:
    """Begin an enrollment; what came back, and the app that scanned it."""
    begun = await client.do(BEGIN)
    return begun, Factor(begun["manualEntryKey"].replace(" ", ""), [])


def email(name: str) -> str:
    """The address of one of the cast."""
    return f"{name}@agency.example"


async def make_world(base_url: str, database: asyncpg.Connection[asyncpg.Record]) -> World:
    """Put the cast into an empty database."""
    people = ["olive", "adam", "mia", "petra", "sue", "sam"]
    ids = {
        row["email"].split("@")[0]: row["id"]
        for row in await database.fetch(
            "INSERT INTO users (email, password_hash, is_super_admin) "
            "SELECT e, $2, e LIKE 'sue@%' FROM unnest($1::text[]) AS e RETURNING id, email",
            [email(name) for name in people],
            password_hash(),
        )
    }
    agency = await database.fetchval("INSERT INTO accounts (name) VALUES ('Agency') RETURNING id")
    other = await database.fetchval("INSERT INTO accounts (name) VALUES ('Other') RETURNING id")
    roles = [(agency, "olive", "OWNER"), (agency, "adam", "ADMIN"), (agency, "mia", "MEMBER"), (other, "sam", "OWNER")]
    await database.executemany(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, $4)",
        [(account, ids[name], email(name), role) for account, name, role in roles],
    )
    await database.execute("INSERT INTO portal_users (account_id, user_id) VALUES ($1, $2)", agency, ids["petra"])
    return World(base_url, database, agency, other, [])


async def crowd(database: asyncpg.Connection[asyncpg.Record], account_id: UUID, count: int) -> list[UUID]:
    """That many more members of the account, 000000@crowd.example and on; their user ids, by email."""
    rows = await database.fetch(
        """
        WITH people AS (
            INSERT INTO users (email, password_hash)
            SELECT to_char(n, 'fm000000') || '@crowd.example', $3 FROM generate_series(0, $2::int - 1) AS n
            RETURNING id, email
        ), joined AS (
            INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, 'MEMBER' FROM people
        )
        SELECT id FROM people ORDER BY email
        """,
        account_id,
        count,
        password_hash(),
    )
    return [row["id"] for row in rows]


async def require_mfa(
    database: asyncpg.Connection[asyncpg.Record], account_id: UUID, *, days_ago: float, grace_days: int
) -> Policy:
    """Let the account have required MFA since then; its policy."""
    row = await database.fetchrow(
        """
        UPDATE accounts SET required_since = since, grace_days = $3::int, announced_at = since,
            grace_deadline = since + $3::int * interval '24 hours'
        FROM (SELECT now() - $2::float8 * interval '24 hours' AS since) AS policy
        WHERE id = $1
        RETURNING required_since, grace_days, grace_deadline AS deadline, policy_updated_at AS updated_at
        """,
        account_id,
        days_ago,
        grace_days,
    )
    assert row is not None
    return Policy(**row)
