"""What operators set about what owners hear: alerts, language, tests to channels; and sessions that they end."""

from __future__ import annotations

from uuid import uuid4

import pytest

from resolvers.webhooks import insert
from rules.chat import Format
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.account.acts import ask_account
from tests.account.operations import SUMMARIES
from tests.client import SECRET_KEYS
from tests.commands import Command
from tests.operations import VIEWER
from tests.people import World, email


async def test_alerts_are_listed_and_set_with_their_event(operate: Command, world: World) -> None:
    account = ["--account", str(world.account_id)]
    listed = operate("account", "alerts", *account)
    assert {line.split("\t")[1] for line in listed.stdout.splitlines()} == {"owners"}
    assert await world.events("ALERTS_CHANGED") == []
    done = operate("account", "alerts", *account, "--set", "mfa-reset=both", "--set", "locked=nobody")
    assert done.returncode == 0, done.stderr
    held = dict(line.split("\t") for line in done.stdout.splitlines())
    assert (held["mfa-reset"], held["locked"], held["weekly-digest"]) == ("both", "nobody", "owners")
    (event,) = await world.events("ALERTS_CHANGED")
    assert event["data"]["emailedToAdmins"] == ["MFA_RESET"]
    log = await ask_account(await world.sign_in("olive"), world, SUMMARIES)
    (summary,) = [node["summary"] for node in log["nodes"] if "alerts by email" in node["summary"]]
    assert summary.startswith(f"Operator {event['data']['operator']} changed the alerts by email")


@pytest.mark.parametrize("choice", ["mfa-reset", "mfa-reset=all", "nothing=owners"])
async def test_what_is_no_choice_changes_nothing(operate: Command, world: World, choice: str) -> None:
    done = operate("account", "alerts", "--account", str(world.account_id), "--set", choice)
    assert done.returncode == 2
    assert "Give one of mfa-disabled" in done.stderr
    assert await world.events("ALERTS_CHANGED") == []


async def test_the_accounts_language_is_set_once(operate: Command, world: World) -> None:
    for _ in range(2):
        done = operate("account", "language", "--account", str(world.account_id), "fr")
        assert done.returncode == 0, done.stderr
    assert await world.database.fetchval("SELECT language FROM accounts WHERE id = $1", world.account_id) == "fr"
    assert len(await world.events("ACCOUNT_LANGUAGE_CHANGED")) == 1


async def test_a_session_of_a_staff_member_is_found_and_ended(operate: Command, world: World) -> None:
    phone, desk = await world.sign_in("mia"), await world.sign_in("mia")
    who = ["--account", str(world.account_id), "--email", email("mia")]
    newest, other = operate("staff", "sessions", *who).stdout.splitlines()
    assert "127.0.0.1" in newest
    assert operate("staff", "end-session", newest.split("\t")[0], *who).returncode == 0
    assert sorted([(await each.ask(VIEWER))["viewer"] is None for each in (phone, desk)]) == [False, True]
    assert operate("staff", "sessions", *who).stdout.splitlines() == [other]
    (event,) = await world.events("STAFF_SESSION_ENDED")
    assert event["subject_id"] == await world.user_id("mia")
    assert event["data"]["operator"]
    again = operate("staff", "end-session", newest.split("\t")[0], *who)
    assert (again.returncode, "has no live session" in again.stderr) == (1, True)


async def test_nobody_elses_sessions_are_found(operate: Command, world: World) -> None:
    await world.sign_in("sam")
    for arguments in (["sessions"], ["end-session", str(uuid4())]):
        done = operate("staff", *arguments, "--account", str(world.account_id), "--email", email("sam"))
        assert done.returncode == 1
        assert "is not staff of this account" in done.stderr


async def test_a_test_is_sent_to_a_webhook(operate: Command, world: World) -> None:
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    await insert(world.database, ring, world.account_id, "https://hooks.slack.com/services/x", None, Format.SLACK)
    listed = operate("webhooks", "list", "--account", str(world.account_id)).stdout.strip().split("\t")
    assert listed[-1] == "slack"
    done = operate("webhooks", "test", listed[0])
    assert done.returncode == 0, done.stderr
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries WHERE event_id IS NULL") == 1
    missing = operate("webhooks", "test", str(uuid4()))
    assert (missing.returncode, "There is no webhook" in missing.stderr) == (1, True)
