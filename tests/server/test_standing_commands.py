"""Exceptions from MFA at the command line: given, listed and ended by operators, who are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from db.pool import Database
from tests.account.acts import ask_account
from tests.account.operations import SUMMARIES
from tests.commands import Command
from tests.operations import POLICY
from tests.people import World, email, require_mfa
from tests.reminders.cast import planned, pool

__all__ = ["pool"]
REASON = "On leave; the phone comes by post"


def in_days(days: float) -> str:
    """An instant so far ahead."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def given(world: World, command: str, *names: str, until: str | None = None, reason: str = REASON) -> list[str]:
    """The arguments that give these people an exception."""
    who = [argument for name in names for argument in ("--email", email(name))]
    return ["staff", command, "--account", str(world.account_id), *who, "--until", until or in_days(30),
            "--reason", reason]  # fmt: skip


async def test_people_are_exempted_listed_and_asked_again_with_the_operator_named(
    operate: Command, world: World, pool: Database
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=20, grace_days=7)
    adam = await world.sign_in("adam")
    assert await adam.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    done = operate(*given(world, "exempt", "adam", "mia"))
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[1], row[2], row[4:]) for row in rows] == [
        (email(name), "exempted", ["an operator", REASON]) for name in ("adam", "mia")
    ]
    await adam.ask(POLICY, account=str(world.account_id))
    account = ["--account", str(world.account_id)]
    listed = [json.loads(line) for line in operate("staff", "exceptions", *account, "--json").stdout.splitlines()]
    assert sorted((each["email"], each["author_email"]) for each in listed) == [
        (email("adam"), None),
        (email("mia"), None),
    ]
    ended = operate("staff", "end-exception", rows[0][0], *account)
    assert (ended.returncode, ended.stdout) == (0, f"The exception of {email('adam')} has ended.\n")
    assert await adam.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    again = operate("staff", "end-exception", rows[0][0], *account)
    assert (again.returncode, "holds" in again.stderr) == (1, True)
    assert len(operate("staff", "exceptions", *account).stdout.splitlines()) == 1
    assert len(operate("staff", "exceptions", *account, "--ended").stdout.splitlines()) == 2
    events = await world.events("MFA_EXEMPTED", "MFA_EXCEPTION_ENDED")
    assert [(each["actor_id"], bool(each["data"]["operator"])) for each in events] == [(None, True)] * 3
    operator = events[0]["data"]["operator"]
    log = (await ask_account(await world.enrolled("olive"), world, SUMMARIES))["nodes"]
    told = [node["summary"] for node in log if node["summary"].startswith(f"Operator {operator} ")]
    assert told[0] == f"Operator {operator} ended the exception of {email('adam')} from MFA."
    assert told[1].endswith(f": {REASON}")
    assert {"adam", "mia", "olive"} <= set(await planned(world, pool))


async def test_whose_exemption_an_operator_ends_is_told_of_the_deadline_that_is_ahead(
    operate: Command, world: World
) -> None:
    made = await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    exempted = operate(*given(world, "exempt", "mia")).stdout.split("\t")[0]
    done = operate("staff", "end-exception", exempted, "--account", str(world.account_id))
    assert done.returncode == 0, done.stderr
    (told,) = await world.events("MFA_REQUIRED")
    deadline = datetime.fromisoformat(told["data"]["deadline"])
    assert (told["subject_id"], deadline) == (await world.user_id("mia"), made.deadline)


async def test_more_time_is_given_and_a_break_glass_account_marked(operate: Command, world: World) -> None:
    await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    assert operate(*given(world, "extend", "mia", until=in_days(60))).returncode == 0
    (event,) = await world.events("MFA_DEADLINE_EXTENDED")
    deadline = await world.database.fetchval(
        "SELECT mfa_deadline(accounts, staff) FROM staff JOIN accounts ON accounts.id = account_id "
        "WHERE staff.user_id = $1",
        await world.user_id("mia"),
    )
    assert deadline == datetime.fromisoformat(event["data"]["until"])
    assert operate(*given(world, "exempt", "adam"), "--break-glass").stdout.split("\t")[2] == "break-glass"
    (exempted,) = await world.events("MFA_EXEMPTED")
    assert exempted["data"]["isBreakGlass"] is True
    await world.sign_in("adam")
    assert len(await world.events("BREAK_GLASS_SIGNED_IN")) == 1


@pytest.mark.parametrize(
    ("until", "reason", "says"),
    [
        (91, REASON, "An exception lasts 90 days at most."),
        (-1, REASON, "The exception must end in the future."),
        (30, " ", "Say why, for the record."),
        (30, "x" * 501, "The reason must have at most 500 characters."),
        ("tomorrow", REASON, "'tomorrow' is no instant"),
    ],
)
async def test_what_no_owner_could_give_no_operator_gives(
    operate: Command, world: World, until: int | str, reason: str, says: str
) -> None:
    instant = until if isinstance(until, str) else in_days(until)
    done = operate(*given(world, "exempt", "mia", until=instant, reason=reason))
    assert done.returncode in {1, 2}
    assert says in done.stderr
    assert await world.events("MFA_EXEMPTED") == []


async def test_all_are_excepted_or_none_and_strangers_are_named(operate: Command, world: World) -> None:
    done = operate(*given(world, "extend", "mia", "sam", "petra"))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{email('petra')}, {email('sam')} are not staff of this account." in done.stderr
    assert await world.events("MFA_DEADLINE_EXTENDED") == []
    nowhere = ["--account", str(uuid4())]
    for command in (["exceptions"], ["end-exception", str(uuid4())]):
        done = operate("staff", *command, *nowhere)
        assert (done.returncode, "There is no account" in done.stderr) == (1, True)


async def test_compliance_is_told_of_now_and_then(operate: Command, world: World) -> None:
    before = datetime.now(UTC).isoformat()
    await require_mfa(world.database, world.account_id, days_ago=3, grace_days=1)
    assert operate(*given(world, "exempt", "mia")).returncode == 0
    account = ["account", "compliance", "--account", str(world.account_id)]
    shown = operate(*account).stdout.splitlines()
    assert {"staff count\t3", "blocked count\t2", "excepted count\t1"} <= set(shown)
    assert shown[-1].endswith(REASON)
    now, then = (json.loads(operate(*account, "--json", *more).stdout) for more in ([], ["--at", before]))
    assert (now["excepted_count"], [each["email"] for each in now["exceptions"]]) == (1, [email("mia")])
    assert (then["required_since"], then["staff_count"], then["exceptions"]) == (None, 3, [])
    ahead = operate(*account, "--at", in_days(1))
    assert (ahead.returncode, "between the account's beginning and now" in ahead.stderr) == (1, True)
