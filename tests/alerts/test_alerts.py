"""Owners and admins are told by email of what happens in their account: each kind once an hour, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

import db.alerts
from db import outbox
from db.pool import Database
from resolvers.webhooks import insert
from rules.alerts import AlertKind
from rules.clients import Client as Origin
from rules.events.base import Event
from rules.events.mfa import MfaDisabled, MfaEnabled, MfaReset
from rules.events.policy import PolicyDisabled, PolicyEnabled
from rules.events.signing_in import BackupCodeUsed, MfaChallengeLocked, SignInLocked
from rules.events.staff import AccountViewed
from rules.events.standing import BreakGlassSignedIn, MfaDeadlineExtended, MfaExempted
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.alerts.hearing import alerts, happen, let_an_hour_pass, mails, settle
from tests.client import SECRET_KEYS
from tests.people import World, email
from tests.reminders.cast import pool
from workers.alerts import tell_gathered
from workers.dispatching import Dispatcher

__all__ = ["pool"]

HERE = Origin(None, "203.0.113.7")
SOON = datetime.now(UTC) + timedelta(days=3)
BY_HAND = {"until": SOON, "reason": "Call https://evil.example"}


@dataclass
class Told:
    """An event of the agency, about Mia unless it is about nobody, and what an alert says of it."""

    event: type[Event]
    facts: dict[str, Any]
    kind: AlertKind
    sentence: str


LOCKED_UNTIL = {"client": HERE, "until": SOON}
REQUIRED = {"required_since": SOON, "deadline": SOON, "grace_days": 0}
ABOUT_NOBODY = (PolicyEnabled, PolicyDisabled, AccountViewed)
TOLD = [
    Told(MfaDisabled, {"client": HERE}, AlertKind.MFA_DISABLED, "mia@agency.example turned off MFA."),
    Told(
        BackupCodeUsed,
        {"client": HERE, "remaining": 0},
        AlertKind.LAST_BACKUP_CODE_USED,
        "mia@agency.example signed in with a backup code; 0 left.",
    ),
    Told(
        SignInLocked,
        LOCKED_UNTIL,
        AlertKind.LOCKED,
        "Sign-in of mia@agency.example was locked after too many wrong passwords.",
    ),
    Told(
        MfaChallengeLocked,
        LOCKED_UNTIL,
        AlertKind.LOCKED,
        "Code entry of mia@agency.example was locked after too many wrong codes.",
    ),
    Told(MfaReset, {}, AlertKind.MFA_RESET, "adam@agency.example reset the MFA of mia@agency.example."),
    Told(
        PolicyEnabled,
        REQUIRED,
        AlertKind.POLICY_CHANGED,
        f"adam@agency.example required MFA of all staff by {SOON.day} {SOON:%B %Y}.",
    ),
    Told(PolicyDisabled, {}, AlertKind.POLICY_CHANGED, "adam@agency.example stopped requiring MFA."),
    Told(
        MfaDeadlineExtended,
        BY_HAND,
        AlertKind.EXCEPTION_GIVEN,
        f"adam@agency.example gave mia@agency.example until {SOON.day} {SOON:%B %Y} to set up MFA.",
    ),
    Told(
        MfaExempted,
        BY_HAND,
        AlertKind.EXCEPTION_GIVEN,
        f"adam@agency.example exempted mia@agency.example from MFA until {SOON.day} {SOON:%B %Y}.",
    ),
    Told(
        AccountViewed,
        {"client": HERE},
        AlertKind.ACCOUNT_VIEWED,
        "adam@agency.example, a platform operator, looked at the account.",
    ),
]


async def made(cast: World, kind: type[Event], facts: dict[str, Any]) -> Event:
    """Such an event of the agency, by Adam."""
    subject_id = None if issubclass(kind, ABOUT_NOBODY) else await cast.user_id("mia")
    return kind(account_id=cast.account_id, actor_id=await cast.user_id("adam"), subject_id=subject_id, **facts)


async def turned_off(cast: World, name: str = "mia") -> Event:
    """Somebody turned off MFA."""
    user_id = await cast.user_id(name)
    return MfaDisabled(subject_id=user_id, actor_id=user_id, client=HERE)


async def choose(cast: World, kind: AlertKind, *, owners: bool, admins: bool) -> None:
    """Let the agency's alerts of a kind go to these."""
    await cast.database.execute(
        "INSERT INTO alert_settings VALUES ($1, $2, $3, $4)", cast.account_id, kind, owners, admins
    )


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.event.__name__)
async def test_the_owner_is_told_at_once_and_in_the_audit_logs_words(cast: World, pool: Database, told: Told) -> None:
    await happen(cast, pool, await made(cast, told.event, told.facts))
    assert await alerts(cast) == [("olive", told.kind, 1)]
    assert await mails(cast, "alert") == ["olive"]
    (event,) = await cast.events("ALERT_RAISED")
    assert event["data"]["told"] == [told.sentence]
    assert await cast.database.fetchval("SELECT DISTINCT queue FROM deliveries WHERE message = 'alert'") == "security"


async def test_what_is_no_alert_raises_none(cast: World, pool: Database) -> None:
    mia = await cast.user_id("mia")
    await happen(
        cast,
        pool,
        MfaEnabled(subject_id=mia, actor_id=mia, client=HERE),
        BackupCodeUsed(subject_id=mia, actor_id=mia, client=HERE, remaining=1),
    )
    assert await alerts(cast) == []


async def test_of_a_kind_one_an_hour_leaves_and_the_rest_comes_in_one(cast: World, pool: Database) -> None:
    for _ in range(4):
        await happen(cast, pool, await turned_off(cast))
    await happen(cast, pool, await made(cast, PolicyDisabled, {}))
    first = [("olive", "MFA_DISABLED", 1), ("olive", "POLICY_CHANGED", 1)]
    assert await alerts(cast) == first
    assert await tell_gathered(pool) == 0
    await let_an_hour_pass(cast)
    told = await asyncio.gather(*(tell_gathered(pool) for _ in range(4)))
    assert sum(told) == 1
    await settle(cast, pool)
    assert await alerts(cast) == [*first, ("olive", "MFA_DISABLED", 3)]
    assert await mails(cast, "alert") == ["olive"] * 3
    # The gathered one was the alert of its own hour.
    await happen(cast, pool, await turned_off(cast))
    assert len(await alerts(cast)) == 3
    await let_an_hour_pass(cast)
    assert (await tell_gathered(pool), await tell_gathered(pool)) == (1, 0)


async def test_after_a_quiet_hour_the_next_leaves_at_once(cast: World, pool: Database) -> None:
    await happen(cast, pool, await turned_off(cast))
    await let_an_hour_pass(cast)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)] * 2


async def test_what_happens_before_the_gathered_ones_have_left_comes_with_them(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await let_an_hour_pass(cast)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]
    await tell_gathered(pool)
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1), ("olive", "MFA_DISABLED", 2)]


async def test_of_many_planned_at_once_and_twice_each_is_told_exactly_once(cast: World, pool: Database) -> None:
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast) for _ in range(20)])
    ids = [event["id"] for event in await cast.events("MFA_DISABLED")]
    await asyncio.gather(*(Dispatcher().dispatch(pool, event_id) for event_id in [*ids, *ids]))
    await settle(cast, pool)
    await let_an_hour_pass(cast)
    await asyncio.gather(*(tell_gathered(pool) for _ in range(3)))
    assert [count for _, _, count in await alerts(cast)] == [1, 19]
    (_, gathered) = await cast.events("ALERT_RAISED")
    assert len(gathered["data"]["told"]) == 10


@asynccontextmanager
async def failing(cast: World, table: str) -> AsyncIterator[None]:
    """While it lasts, whoever writes to this table loses all of their transaction."""
    await cast.database.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'; "
        f"CREATE TRIGGER fail BEFORE INSERT OR DELETE ON {table} EXECUTE FUNCTION fail()"
    )
    yield
    await cast.database.execute("DROP FUNCTION fail CASCADE")


async def test_a_worker_that_fails_while_planning_or_telling_loses_and_doubles_none(
    cast: World, pool: Database
) -> None:
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast), await turned_off(cast)])
    async with failing(cast, "deliveries"):
        for event in await cast.events("MFA_DISABLED"):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await Dispatcher().dispatch(pool, event["id"])
    assert await alerts(cast) == []
    await settle(cast, pool)
    await let_an_hour_pass(cast)
    async with failing(cast, "events"):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tell_gathered(pool)
    await tell_gathered(pool)
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)] * 2


async def test_admins_get_what_they_are_given_and_owners_what_they_left_on(cast: World, pool: Database) -> None:
    await choose(cast, AlertKind.MFA_DISABLED, owners=False, admins=True)
    await choose(cast, AlertKind.POLICY_CHANGED, owners=False, admins=False)
    await happen(cast, pool, await turned_off(cast), await made(cast, PolicyDisabled, {}))
    assert await alerts(cast) == [("adam", "MFA_DISABLED", 1)]
    # Mail to the person itself goes on.
    assert await mails(cast, "mfa_disabled") == ["mia"]


# By the template of its email to the person.
TOLD_TO_THE_PERSON = {
    "mfa_disabled": MfaDisabled,
    "backup_code_used": BackupCodeUsed,
    "sign_in_locked": SignInLocked,
    "mfa_challenge_locked": MfaChallengeLocked,
    "mfa_reset": MfaReset,
    "mfa_deadline_extended": MfaDeadlineExtended,
    "mfa_exempted": MfaExempted,
}


@pytest.mark.parametrize("message", TOLD_TO_THE_PERSON)
async def test_with_every_alert_switched_off_the_person_is_mailed_all_the_same(
    cast: World, pool: Database, message: str
) -> None:
    for kind in AlertKind:
        await choose(cast, kind, owners=False, admins=False)
    (told,) = [told for told in TOLD if told.event is TOLD_TO_THE_PERSON[message]]
    await happen(cast, pool, await made(cast, told.event, told.facts))
    assert await mails(cast, message) == ["mia"]
    assert await alerts(cast) == []


async def test_who_wants_none_any_more_gets_nothing_that_was_gathered(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await choose(cast, AlertKind.MFA_DISABLED, owners=False, admins=False)
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 0
    assert await cast.database.fetchval("SELECT count(*) FROM gathered_alerts") == 0


async def test_nobody_is_alerted_of_what_they_are_mailed_as_the_person(cast: World, pool: Database) -> None:
    await happen(cast, pool, await turned_off(cast, "olive"))
    assert await alerts(cast) == []
    assert await mails(cast, "mfa_disabled") == ["olive"]
    # And it takes no turn: what a colleague does is told at once.
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]


async def test_what_shows_in_two_accounts_is_told_to_the_owners_of_each(cast: World, pool: Database) -> None:
    await join_other(cast, "mia", "MEMBER")
    await happen(cast, pool, await turned_off(cast))
    told = [(event["account_id"], event["subject_id"]) for event in await cast.events("ALERT_RAISED")]
    assert sorted(told) == sorted(
        [(cast.account_id, await cast.user_id("olive")), (cast.other_account_id, await cast.user_id("sam"))]
    )


async def join_other(cast: World, name: str, role: str) -> None:
    """Let somebody have a role in the other account, too."""
    await cast.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE email = $2",
        cast.other_account_id,
        email(name),
        role,
    )


async def heard_by(cast: World, name: str) -> list[tuple[str | None, tuple[str, ...]]]:
    """What the newest alert tells somebody: about whom, and of which accounts."""
    event = (await cast.events("ALERT_RAISED"))[-1]
    heard = await db.alerts.heard(cast.database, await cast.user_id(name), event["data"]["eventIds"])
    return [(each.subject_email, each.account_names) for each in heard]


async def test_an_owner_of_two_accounts_gets_one_of_a_kind_an_hour_and_the_rest_of_both_in_one(
    cast: World, pool: Database
) -> None:
    await join_other(cast, "olive", "OWNER")
    await happen(cast, pool, await turned_off(cast, "mia"), await turned_off(cast, "sam"))
    mine = [alert for alert in await alerts(cast) if alert[0] == "olive"]
    assert mine == [("olive", "MFA_DISABLED", 1)]
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency",))]
    await join_other(cast, "mia", "MEMBER")
    await happen(cast, pool, await turned_off(cast, "mia"))
    await let_an_hour_pass(cast)
    await asyncio.gather(*(tell_gathered(pool) for _ in range(4)))
    # Mia's shows in both: it is one thing.
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"] == [*mine, ("olive", "MFA_DISABLED", 2)]
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency", "Other")), (email("sam"), ("Other",))]
    # What is of an account that she has left meanwhile is not told.
    await cast.database.execute(
        "DELETE FROM staff WHERE account_id = $1 AND email = $2", cast.other_account_id, email("olive")
    )
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency",))]


async def test_two_accounts_at_once_take_one_turn(cast: World, pool: Database) -> None:
    await join_other(cast, "olive", "OWNER")
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast, name) for name in ("mia", "sam") for _ in range(5)])
    ids = [event["id"] for event in await cast.events("MFA_DISABLED")]
    await asyncio.gather(*(Dispatcher().dispatch(pool, event_id) for event_id in ids))
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"] == [("olive", "MFA_DISABLED", 1)]
    await let_an_hour_pass(cast)
    await tell_gathered(pool)
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"][1:] == [("olive", "MFA_DISABLED", 9)]


async def test_owners_hear_of_each_sign_in_to_a_break_glass_account_unless_they_switch_it_off(
    cast: World, pool: Database
) -> None:
    await choose(cast, AlertKind.BREAK_GLASS_SIGNED_IN, owners=True, admins=True)
    facts = {"subject_email": email("mia"), "client": HERE}
    for _ in range(2):
        await happen(cast, pool, await made(cast, BreakGlassSignedIn, facts))
    assert await mails(cast, "break_glass_signed_in") == ["olive"] * 2
    assert await alerts(cast) == [("adam", "BREAK_GLASS_SIGNED_IN", 1)]
    await cast.database.execute("UPDATE alert_settings SET email = false")
    await happen(cast, pool, await made(cast, BreakGlassSignedIn, facts))
    assert await mails(cast, "break_glass_signed_in") == ["olive"] * 2


async def test_neither_audit_logs_nor_webhooks_tell_of_alerts(cast: World, pool: Database) -> None:
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    async with pool.transaction() as connection:
        for account_id in (cast.account_id, None):
            await insert(connection, ring, account_id, "https://hooks.example.com", None)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]
    for table in ("account_events", "webhook_deliveries"):
        rows = await cast.database.fetch(f"SELECT type FROM {table} JOIN events ON events.id = event_id")
        assert {row["type"] for row in rows} == {"MFA_DISABLED"}


async def test_who_leaves_takes_what_was_gathered_along(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await cast.database.execute("DELETE FROM staff WHERE email = $1", email("olive"))
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 0
