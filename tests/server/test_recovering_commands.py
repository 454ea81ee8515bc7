"""Lost phones at the command line: recovery passes, resets and recoveries that wait, the lock-out forecast."""

from __future__ import annotations

import json
from uuid import uuid4

from db.pool import Database
from tests.account.acts import ask_account
from tests.account.approving import asked, has_factor, tell
from tests.account.operations import APPROVE, SUMMARIES, WAITING
from tests.account_recovery.waiting import started
from tests.commands import Command
from tests.enrollment.passes import redeem
from tests.people import World, email
from tests.reminders.cast import planned, pool

__all__ = ["pool"]
REASON = "Called back on the number we have"


def of(world: World, name: str) -> list[str]:
    """The arguments that mean this member of the agency."""
    return ["--account", str(world.account_id), "--email", email(name)]


async def test_a_pass_is_printed_once_and_gets_in_with_the_password_alone(
    operate: Command, world: World, pool: Database
) -> None:
    await world.enrolled("mia")
    done = operate("staff", "recovery-pass", *of(world, "mia"), "--reason", REASON)
    assert done.returncode == 0, done.stderr
    _, answer = await redeem(world, done.stdout.strip())
    assert answer["__typename"] == "RecoverySession"
    (event,) = await world.events("RECOVERY_PASS_ISSUED")
    assert (event["actor_id"], event["data"]["reason"], bool(event["data"]["operator"])) == (None, REASON, True)
    log = (await ask_account(await world.enrolled("olive"), world, SUMMARIES))["nodes"]
    says = f"Operator {event['data']['operator']} gave {email('mia')} a recovery pass: {REASON}"
    assert says in [node["summary"] for node in log]
    assert {"mia", "olive"} <= set(await planned(world, pool))
    again = json.loads(operate("staff", "recovery-pass", *of(world, "mia"), "--reason", REASON, "--json").stdout)
    assert again["recoveryPass"] != done.stdout.strip()
    assert set(again) == {"recoveryPass", "expiresAt"}


async def test_a_pass_is_for_staff_with_mfa_whose_resets_need_nobody_else(operate: Command, world: World) -> None:
    for name, says in (("sam", "not staff"), ("mia", "has not set up MFA")):
        refused = operate("staff", "recovery-pass", *of(world, name), "--reason", REASON)
        assert (refused.returncode, says in refused.stderr, refused.stdout) == (1, True, "")
    await world.let_have_mfa("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    refused = operate("staff", "recovery-pass", *of(world, "mia"), "--reason", REASON)
    assert (refused.returncode, "gatehouse mfa reset" in refused.stderr) == (1, True)
    assert await world.events("RECOVERY_PASS_ISSUED") == []


async def test_a_reset_that_waits_is_listed_and_declined(operate: Command, world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    account = ["--account", str(world.account_id)]
    row = operate("staff", "resets", *account).stdout.strip().split("\t")
    assert (row[0], row[1], row[2], row[4]) == (reset_id, email("mia"), email("olive"), "Phone lost on the train")
    assert json.loads(operate("staff", "resets", *account, "--json").stdout)["id"] == reset_id
    elsewhere = operate("staff", "decline-reset", reset_id, "--account", str(world.other_account_id))
    assert (elsewhere.returncode, "waits" in elsewhere.stderr) == (1, True)
    done = operate("staff", "decline-reset", reset_id, *account)
    assert (done.returncode, done.stdout) == (0, f"The reset of {email('mia')} is off.\n")
    (event,) = await world.events("MFA_RESET_DECLINED")
    assert (event["actor_id"], bool(event["data"]["operator"])) == (None, True)
    await tell(world, pool)
    answer = await adam.do(APPROVE, account=str(world.account_id), reset=reset_id)
    assert (answer["__typename"], await has_factor(world)) == ("MfaResetEnded", True)
    assert await ask_account(adam, world, WAITING) == []
    assert operate("staff", "resets", *account).stdout == ""
    assert operate("staff", "decline-reset", reset_id, *account).returncode == 1


async def test_who_waits_to_come_back_alone_is_listed_and_stopped(operate: Command, world: World) -> None:
    olive = await world.enrolled("olive")
    await started(world)
    account = ["--account", str(world.account_id)]
    row = operate("staff", "recoveries", *account).stdout.strip().split("\t")
    assert (row[0], len(row)) == (email("mia"), 3)
    assert json.loads(operate("staff", "recoveries", *account, "--json").stdout)["email"] == email("mia")
    assert operate("staff", "stop-recovery", *of(world, "sam")).returncode == 1
    done = operate("staff", "stop-recovery", *of(world, "mia"))
    assert done.returncode == 0, done.stderr
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert (event["actor_id"], event["data"]["how"], bool(event["data"]["operator"])) == (None, "operator", True)
    shown = [each["summary"] for each in (await ask_account(olive, world, SUMMARIES))["nodes"]]
    assert any(f"The account recovery of {email('mia')} was stopped by an operator, by operator " in s for s in shown)
    assert operate("staff", "recoveries", *account).stdout == ""
    again = operate("staff", "stop-recovery", *of(world, "mia"))
    assert (again.returncode, "does not wait" in again.stderr) == (1, True)


async def test_the_forecast_lists_who_could_not_come_back(operate: Command, world: World) -> None:
    for name in ("olive", "mia"):
        await world.enrolled(name)
    await world.database.execute("DELETE FROM backup_codes WHERE user_id = $1", await world.user_id("mia"))
    account = ["--account", str(world.account_id)]
    done = operate("account", "lock-out", *account)
    assert done.returncode == 0, done.stderr
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        [email("mia"), "member", "0", "no codes"],
        [email("olive"), "owner", "10", "codes not saved, only owner"],
    ]
    assert done.stderr.startswith("2 at risk: no codes 1, few codes 0, codes not saved 1, only owner 1")
    rows = [json.loads(line) for line in operate("account", "lock-out", *account, "--json").stdout.splitlines()]
    assert [(row["email"], row["reasons"]) for row in rows] == [
        (email("mia"), ["NO_CODES"]),
        (email("olive"), ["CODES_NOT_SAVED", "ONLY_OWNER"]),
    ]
    assert operate("account", "lock-out", "--account", str(uuid4())).returncode == 1
