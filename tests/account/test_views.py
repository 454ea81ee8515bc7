"""Gate, banner, roster, reports, who watches on and who is told of a deadline: views of one member, over histories."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import db.accounts
import db.compliance
import db.deliveries
import db.dispatching
import db.fan_out
import db.feed
import db.figures
import db.outbox
import db.own_reminders
import db.policy
import db.reminders
import db.staff
import db.users
import rules.notice
from db.fan_out import Terms
from db.feed import WatcherState
from db.figures import StaffStates
from db.pool import Connection
from db.staff import Filter, Member
from rules.events.policy import GraceReminderSent
from rules.people import Account, Person, TimeLimits
from server.local.clock import let_pass
from tests.account.histories import STEP, Step, people, take

AT_ONCE = 10
# Each example is that many histories of one clock.
EXAMPLES = int(os.environ.get("HISTORIES", "60")) // AT_ONCE
EVER = timedelta(days=36_500)
LIMITS = TimeLimits(EVER, EVER, EVER)
AHEAD = timedelta(days=400)
FIRST, MIDDLE = slice(0, 2), slice(1, 3)

# How far the clock goes: to so many seconds past the next deadline, or on by so many hours.
passing = st.tuples(st.just("deadline"), st.integers(-1, 1)) | st.tuples(st.just("hours"), st.integers(1, 24 * 20))
rounds = st.lists(st.tuples(st.lists(STEP, min_size=AT_ONCE, max_size=AT_ONCE), passing), min_size=1, max_size=10)


@dataclass(frozen=True)
class Agency:
    """An account and four people, who may be staff of it, each of them signed in for ever."""

    id: UUID
    people: list[UUID]


async def begun(connection: Connection) -> Agency:
    """An account of nobody."""
    account_id = await connection.fetchval("INSERT INTO accounts (name) VALUES ('Agency') RETURNING id")
    four = await people(connection)
    await connection.execute(
        "INSERT INTO sessions (user_id, token_hash, password_at, expires_at) "
        "SELECT user_id, uuid_send(user_id) || uuid_send(user_id), now(), now() + $2::interval "
        "FROM unnest($1::uuid[]) AS _ (user_id)",
        four,
        EVER,
    )
    return Agency(account_id, four)


async def told(connection: Connection) -> Counter[tuple[UUID, UUID, datetime]]:
    """Whom the emails of reminders of all deadlines ahead would reach now: account, person and the deadline told."""
    running = await db.reminders.running(connection, AHEAD.days)
    own = await db.own_reminders.near_by_exception(connection, timedelta(0), AHEAD, None)
    own += await db.own_reminders.near_by_joining(connection, timedelta(0), AHEAD, None)
    reminders = [(each, None) for each in running] + [(each, each.user_id) for each in own]
    for each, user_id in reminders:
        about = (each.account_id, each.required_since, each.deadline)
        reminder = GraceReminderSent(
            account_id=about[0], subject_id=user_id, required_since=about[1], deadline=about[2], days_left=1
        )
        await db.outbox.append(connection, reminder)
        event = await db.dispatching.lock_undispatched(
            connection, await connection.fetchval("SELECT max(id) FROM events")
        )
        assert event is not None
        terms = Terms("grace_reminder", "bulk", 0, *about[1:], expires_at=about[2])
        if user_id is None:
            assert await db.fan_out.to_staff(connection, event, terms)
        else:
            await db.fan_out.to_person(connection, event, terms)
    await db.deliveries.claim(connection, "bulk", uuid4(), 1000, 1000)
    rows = await connection.fetch(
        "SELECT account_id, user_id, deadline FROM deliveries JOIN events ON events.id = event_id "
        "WHERE state <> 'dropped'"
    )
    return Counter((row["account_id"], row["user_id"], row["deadline"]) for row in rows)


async def person(connection: Connection, user_id: UUID) -> Person:
    """The person as a request of theirs finds them."""
    found = await db.users.person_of_session(connection, user_id.bytes * 2, LIMITS)
    assert found is not None
    return found


def agree_of(member: Member, person: Person) -> None:
    """Gate, banner and roster say one thing of a member."""
    [membership] = person.memberships
    is_blocked = person.is_blocked_at(membership.account)
    notice = rules.notice.for_person(person)
    assert (member.mfa_state == "ENABLED", member.mfa_state == "BLOCKED") == (person.mfa_enabled, is_blocked)
    assert member.mfa_deadline == membership.deadline
    if is_blocked:
        assert notice is not None and notice.blocking
    if notice is not None and not is_blocked:
        assert (notice.deadline, notice.blocking) == (member.mfa_deadline, False)
    is_asked = member.mfa_state == "NOT_ENABLED" and member.mfa_deadline is not None
    assert (notice is not None) == (is_blocked or (is_asked and member.mfa_deadline_reason != "EXEMPTED"))
    is_reset = person.reenrollment_required_at is not None
    assert (member.mfa_deadline_reason == "RESET") == is_reset
    assert (member.mfa_deadline_reason is not None) == (is_reset or member.mfa_deadline is not None)


def standing(person: Person, account: Account) -> WatcherState:
    """How they stand who ask for the account's page: as its staff, or as who runs the platform, with MFA on."""
    is_asked_as_operator = person.is_super_admin and not person.manages(account.id)
    return WatcherState(
        is_live=True,
        may_view=person.manages(account.id) or person.is_super_admin,
        is_blocked=person.is_blocked_at(account) or (is_asked_as_operator and not person.mfa_enabled),
    )


async def agree_of_watchers(connection: Connection, agencies: list[Agency]) -> None:
    """Whoever watches an agency may go on as long as they might ask for its page anew.

    Of each four the second and the third run the platform, and a provider whose word every other agency takes has asked
    the first two for MFA.
    """
    words, operators = ([each for agency in agencies for each in agency.people[part]] for part in (FIRST, MIDDLE))
    await connection.execute("UPDATE sessions SET provider_mfa = 'own' WHERE user_id = ANY ($1)", words)
    await connection.execute("UPDATE users SET is_super_admin = true WHERE id = ANY ($1)", operators)
    await connection.execute(
        "INSERT INTO account_mfa_providers (account_id, provider) SELECT unnest($1::uuid[]), 'own'",
        [agency.id for agency in agencies[::2]],
    )
    asked = [(agency.id, user_id) for agency in agencies for user_id in agency.people]
    tokens: list[bytes | None] = [user_id.bytes * 2 for _, user_id in asked]
    found = await db.feed.standings(connection, tokens, [account_id for account_id, _ in asked], EVER)
    accounts = {agency.id: await db.accounts.load(connection, agency.id) for agency in agencies}
    for (account_id, user_id), stands in zip(asked, found, strict=True):
        account = accounts[account_id]
        assert account is not None
        assert stands == standing(await person(connection, user_id), account)


async def agree(connection: Connection, agencies: list[Agency]) -> None:
    """All views of all these agencies say one thing at this instant."""
    reached = await told(connection)
    wanted: Counter[tuple[UUID, UUID, datetime]] = Counter()
    totals: Counter[str] = Counter()
    for agency in agencies:
        roster = await db.staff.page(connection, agency.id, Filter(), None, 10)
        members = [member for member in roster if member.invited_at is None]
        for member in members:
            agree_of(member, await person(connection, member.user_id))
            if member.mfa_state == "NOT_ENABLED" and member.mfa_deadline is not None:
                wanted[agency.id, member.user_id, member.mfa_deadline] += 1
        states = Counter(member.mfa_state for member in members)
        counts = (len(members), states["ENABLED"], states["NOT_ENABLED"], states["BLOCKED"])
        progress = await db.policy.progress(connection, agency.id)
        report = await db.compliance.at(connection, agency.id, None)
        assert report is not None
        for seen in (progress, report):
            assert (seen.staff_count, seen.enrolled_count, seen.pending_count, seen.blocked_count) == counts
        totals += states
    assert reached == wanted
    assert await db.figures.staff_states(connection) == StaffStates(
        totals["ENABLED"], totals["NOT_ENABLED"], totals["BLOCKED"]
    )
    await agree_of_watchers(connection, agencies)


async def until(connection: Connection, how: str, much: int) -> timedelta:
    """How far the clock goes; a second, where there is no deadline to go to."""
    if how == "hours":
        return timedelta(hours=much)
    ahead: timedelta | None = await connection.fetchval(
        "SELECT min(deadline - now()) FROM staff JOIN accounts ON accounts.id = account_id, "
        "mfa_deadline(accounts, staff) AS deadline WHERE deadline > now() + interval '2 seconds'"
    )
    return (ahead or timedelta(0)) + timedelta(seconds=much)


@pytest.mark.long
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=rounds)
async def test_all_views_of_a_member_agree_at_every_instant_of_every_history(
    database: Connection, database_url: str, rounds: list[tuple[list[Step], tuple[str, int]]]
) -> None:
    await database.execute("DELETE FROM accounts")
    await database.execute("DELETE FROM users")
    agencies = [await begun(database) for _ in range(AT_ONCE)]
    for steps, (how, much) in rounds:
        for agency, step in zip(agencies, steps, strict=True):
            await take(database, agency.id, agency.people, step)
        for passed in (timedelta(0), await until(database, how, much)):
            if passed > timedelta(0):
                await let_pass(database_url, passed)
            looked = database.transaction()
            await looked.start()
            try:
                await agree(database, agencies)
            finally:
                await looked.rollback()
