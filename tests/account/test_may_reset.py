"""Who may reset whom: a request's rule against the database's, which judges what was given or asked for earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import db.staff
import db.users
import resolvers.staff
from db.pool import Connection
from rules.people import TimeLimits

HERE, THERE, BEYOND = range(3)
OWNER, ADMIN, MEMBER, INVITED, NOTHING = "OWNER", "ADMIN", "MEMBER", "INVITED", None
ROLES: list[str | None] = [OWNER, ADMIN, MEMBER]
# Made inactive by the account's directory, which may have them back in this role.
AWAY_OWNER, AWAY_MEMBER = "AWAY_OWNER", "AWAY_MEMBER"
AWAY: list[str | None] = [AWAY_OWNER, AWAY_MEMBER]
ANYTHING: list[str | None] = [*ROLES, *AWAY, INVITED, NOTHING]
LIMITS = TimeLimits(*[timedelta(days=1)] * 3)
# For how long the actor has had MFA on: since before what is judged, which was an hour ago, since then, or never.
BEFORE, SINCE, NEVER = timedelta(hours=2), timedelta(0), None


@dataclass(frozen=True)
class Pair:
    """What actor and person are in each of three accounts, and what else is known of both."""

    actor: tuple[str | None, ...]
    person: tuple[str | None, ...]
    enrolled_for: timedelta | None = BEFORE
    # Whether the person has disputed a reset, and runs the platform.
    is_stopped: bool = False
    is_operator: bool = False


def with_role(of: tuple[str | None, ...], account: int, role: str | None) -> tuple[str | None, ...]:
    """The same, with this role in the account."""
    return (*of[:account], role, *of[account + 1 :])


def at_all(roles: list[str | None]) -> st.SearchStrategy[tuple[str | None, ...]]:
    """One of these in each account, of whoever is staff here."""
    return st.tuples(st.sampled_from(ROLES), st.sampled_from(roles), st.sampled_from(roles))


@st.composite
def allowed(draw: st.DrawFn) -> Pair:
    """Somebody, and whoever is in each of their accounts what it takes to reset them."""
    person, is_stopped = draw(at_all(ANYTHING)), draw(st.booleans())
    enough: dict[str | None, list[str | None]] = {
        OWNER: [OWNER],
        ADMIN: [OWNER, ADMIN],
        MEMBER: [OWNER, ADMIN],
        AWAY_OWNER: [OWNER],
        AWAY_MEMBER: [OWNER, ADMIN],
        INVITED: ANYTHING,
        NOTHING: ANYTHING,
    }
    taken: list[list[str | None]] = [
        [OWNER] if is_stopped else enough[person[HERE]],
        enough[person[THERE]],
        enough[person[BEYOND]],
    ]
    return Pair(tuple(draw(st.sampled_from(each)) for each in taken), person, BEFORE, is_stopped)


def lowered(pair: Pair, account: int, role: str | None) -> Pair:
    """The person is staff there, if they were not, and the actor less than it takes."""
    person = pair.person if pair.person[account] in [*ROLES, *AWAY] else with_role(pair.person, account, MEMBER)
    return replace(pair, person=person, actor=with_role(pair.actor, account, role))


def under_owner(pair: Pair, account: int, owns: str = OWNER) -> Pair:
    """The person is an owner there, and the actor an admin."""
    owner, admin = with_role(pair.person, account, owns), with_role(pair.actor, account, ADMIN)
    return replace(pair, person=owner, actor=admin)


# Each takes from whoever may what it takes.
FLAWS: list[Callable[[Pair, str | None], Pair]] = [
    lambda pair, _: replace(pair, enrolled_for=NEVER),
    lambda pair, _: replace(pair, enrolled_for=SINCE),
    lambda pair, too_little: lowered(pair, HERE, too_little),
    lambda pair, too_little: lowered(pair, THERE, too_little),
    lambda pair, _: under_owner(pair, HERE),
    lambda pair, _: under_owner(pair, BEYOND),
    lambda pair, _: under_owner(pair, BEYOND, AWAY_OWNER),
    lambda pair, too_little: lowered(
        replace(pair, person=with_role(pair.person, THERE, AWAY_MEMBER)), THERE, too_little
    ),
    lambda pair, _: replace(pair, is_operator=True),
    lambda pair, _: replace(pair, is_stopped=True, actor=with_role(pair.actor, HERE, ADMIN)),
]
too_little = st.sampled_from([MEMBER, INVITED, NOTHING])
anybody = st.builds(
    Pair,
    st.tuples(*[st.sampled_from(ANYTHING)] * 3),
    at_all(ANYTHING),
    st.sampled_from([BEFORE, SINCE, NEVER]),
    st.booleans(),
    st.booleans(),
)


async def somebody(
    connection: Connection, accounts: list[UUID], roles: tuple[str | None, ...], enrolled_for: timedelta | None
) -> UUID:
    """A person with these roles, who is signed in, and has had MFA on for so long, if at all."""
    user_id: UUID = await connection.fetchval(
        "INSERT INTO users (email) VALUES (gen_random_uuid() || '@crowd.example') RETURNING id"
    )
    await connection.execute(
        "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
        "SELECT account_id, id, email, coalesce(nullif(role, 'INVITED'), 'OWNER'), "
        "CASE WHEN role = 'INVITED' THEN now() END "
        "FROM users, unnest($2::uuid[], $3::text[]) AS _ (account_id, role) "
        "WHERE id = $1 AND role IS NOT NULL AND role NOT LIKE 'AWAY%'",
        user_id,
        accounts,
        roles,
    )
    await connection.execute(
        "INSERT INTO directory_people (account_id, user_id, user_name, said, inactive_role) "
        "SELECT account_id, $1::uuid, $1::uuid::text, '{}'::jsonb, substr(role, 6) "
        "FROM unnest($2::uuid[], $3::text[]) AS _ (account_id, role) WHERE role LIKE 'AWAY%'",
        user_id,
        accounts,
        roles,
    )
    await connection.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id, enabled_at)"
        " SELECT $1, '', 'k', 0, $2, 'k', now() - $3::interval WHERE $3 IS NOT NULL",
        user_id,
        bytes(16),
        enrolled_for,
    )
    await connection.execute(
        "INSERT INTO sessions (user_id, token_hash, password_at, expires_at) "
        "VALUES ($1::uuid, uuid_send($1::uuid) || uuid_send($1::uuid), now(), now() + interval '1 hour')",
        user_id,
    )
    return user_id


async def judged(connection: Connection, pair: Pair, accounts: list[UUID], since: datetime) -> tuple[bool, bool]:
    """Whether the actor may reset the person for what they asked for then: by the rule, and by the database."""
    actor_id = await somebody(connection, accounts, pair.actor, pair.enrolled_for)
    person_id = await somebody(connection, accounts, pair.person, BEFORE)
    await connection.execute(
        "UPDATE users SET enrollment_stopped_at = CASE WHEN $2 THEN now() END, is_super_admin = $3 WHERE id = $1",
        person_id,
        pair.is_stopped,
        pair.is_operator,
    )
    actor = await db.users.person_of_session(connection, actor_id.bytes * 2, LIMITS)
    (member,) = await db.staff.members(connection, accounts[HERE], [person_id])
    assert actor is not None
    by_rule = (
        actor.manages(accounts[HERE])
        and resolvers.staff.why_no_reset(actor, accounts[HERE], member) is None
        # Of that the rule of a request, which is about now, says nothing.
        and (actor.mfa_enabled_at is None or actor.mfa_enabled_at <= since)
    )
    by_database = await connection.fetchval(
        "SELECT may_reset($1, $2, $3, $4)", actor_id, person_id, accounts[HERE], since
    )
    return by_rule, by_database is True


# A failure names the pairs that it is about, so that nothing is to be made smaller.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    may=st.lists(allowed(), min_size=3, max_size=3),
    too_little=too_little,
    anybodys=st.lists(anybody, min_size=10, max_size=10),
)
async def test_the_database_lets_reset_whom_the_rule_does(
    database: asyncpg.Connection[asyncpg.Record], may: list[Pair], too_little: str | None, anybodys: list[Pair]
) -> None:
    made = await database.fetch("INSERT INTO accounts (name) SELECT 'A' FROM generate_series(1, 3) RETURNING id")
    accounts = [row["id"] for row in made]
    since = await database.fetchval("SELECT now() - interval '1 hour'")
    may_not = [flaw(pair, too_little) for pair in may for flaw in FLAWS]
    found = [(pair, await judged(database, pair, accounts, since)) for pair in [*may, *may_not, *anybodys]]
    assert [pair for pair, answers in found[: len(may)] if answers != (True, True)] == []
    assert [pair for pair, answers in found[len(may) : -len(anybodys)] if answers != (False, False)] == []
    assert [pair for pair, (by_rule, by_database) in found if by_rule != by_database] == []
