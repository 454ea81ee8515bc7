"""How a member stands: the database's one rule, against the same rule in plain words."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
instants = st.integers(-40 * 24, 40 * 24).map(lambda hours: NOW + timedelta(hours=hours))


@dataclass(frozen=True)
class Facts:
    """What the rule is asked of one member of one account."""

    required_since: datetime | None
    grace_days: int
    joiner_days: int
    required_of: str
    role: str
    joined_at: datetime
    excepted_until: datetime | None
    is_enrolled: bool
    is_reset: bool


facts = st.builds(
    Facts,
    st.none() | instants,
    st.integers(0, 30),
    st.integers(0, 30),
    st.sampled_from(["EVERYONE", "OWNERS_AND_ADMINS"]),
    st.sampled_from(["OWNER", "ADMIN", "MEMBER"]),
    instants,
    st.none() | instants,
    st.booleans(),
    st.booleans(),
)


def deadline(member: Facts) -> datetime | None:
    """When this member is stopped, in plain words."""
    if member.required_since is None:
        return None
    if member.required_of == "OWNERS_AND_ADMINS" and member.role == "MEMBER":
        return None
    ends = [member.required_since + member.grace_days * DAY]
    if member.joined_at > member.required_since:
        ends.append(member.joined_at + member.joiner_days * DAY if member.joiner_days else ends[0])
    if member.excepted_until is not None:
        ends.append(member.excepted_until)
    return max(ends)


def state(member: Facts) -> str:
    """How this member stands now, in plain words."""
    if member.is_enrolled:
        return "ENABLED"
    end = deadline(member)
    return "BLOCKED" if member.is_reset or (end is not None and end <= NOW) else "NOT_ENABLED"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=st.lists(facts, min_size=20, max_size=60))
async def test_the_database_decides_as_the_rule_says(
    database: asyncpg.Connection[asyncpg.Record], members: list[Facts]
) -> None:
    rows = await database.fetch(
        """
        SELECT deadline, mfa_state(is_enrolled, is_reset, deadline, $10) AS state
        FROM unnest($1::timestamptz[], $2::int[], $3::int[], $4::text[], $5::text[], $6::timestamptz[],
                $7::timestamptz[], $8::bool[], $9::bool[]) WITH ORDINALITY
            AS member (required_since, grace_days, joiner_days, required_of, role, joined_at, excepted_until,
                is_enrolled, is_reset, number),
            mfa_deadline(required_since, required_since + grace_days * interval '24 hours', joiner_days, required_of,
                role, joined_at, excepted_until) AS deadline
        ORDER BY number
        """,
        *[list(column) for column in zip(*map(astuple, members), strict=True)],
        NOW,
    )
    assert [(row["deadline"], row["state"]) for row in rows] == [(deadline(m), state(m)) for m in members]
