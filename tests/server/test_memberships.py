"""What operators change about people from the command line: roles, imports, resets, super-admins."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.account.acts import ask_account, reset
from tests.account.operations import SUMMARIES, WAITING
from tests.commands import Command
from tests.operations import POLICY, VIEWER_EMAIL
from tests.people import World, email


def lines(*rows: str) -> str:
    """A CSV file's text."""
    return "\n".join(["email,role", *rows]) + "\n"


async def test_a_role_is_changed_with_its_event(operate: Command, world: World) -> None:
    account = str(world.account_id)
    done = operate("staff", "role", "--account", account, "--email", email("mia"), "--role", "admin")
    assert done.returncode == 0, done.stderr
    (event,) = await world.events("STAFF_ROLE_CHANGED")
    assert (event["subject_id"], event["data"]["role"]) == (await world.user_id("mia"), "ADMIN")
    assert event["data"]["operator"]
    await (await world.sign_in("mia")).ask(POLICY, account=account)


@pytest.mark.parametrize("arguments", [["role", "--role", "member"], ["remove"]])
async def test_the_last_owner_stays(operate: Command, world: World, arguments: list[str]) -> None:
    who = ["--account", str(world.account_id), "--email", email("olive")]
    done = operate("staff", *arguments[:1], *who, *arguments[1:])
    assert done.returncode == 1
    assert "olive@agency.example is the last owner of the account" in done.stderr
    assert await world.database.fetchval("SELECT role FROM staff WHERE email = $1", email("olive")) == "OWNER"
    assert await world.events("STAFF_ROLE_CHANGED", "STAFF_REMOVED") == []


async def test_two_owners_who_leave_at_once_leave_one(operate: Command, world: World) -> None:
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("adam"))
    done = await asyncio.gather(
        *(
            asyncio.to_thread(operate, "staff", "remove", "--account", str(world.account_id), "--email", email(name))
            for name in ("olive", "adam")
        )
    )
    assert sorted(d.returncode for d in done) == [0, 1]
    assert (
        await world.database.fetchval(
            "SELECT count(*) FROM staff WHERE role = 'OWNER' AND account_id = $1", world.account_id
        )
        == 1
    )


async def test_with_the_last_role_the_sessions_end(operate: Command, world: World) -> None:
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.other_account_id,
        await world.user_id("mia"),
        email("mia"),
    )
    mia = await world.sign_in("mia")
    for account, left in ((world.account_id, {"email": email("mia")}), (world.other_account_id, None)):
        done = operate("staff", "remove", "--account", str(account), "--email", email("mia"))
        assert done.returncode == 0, done.stderr
        assert await mia.ask(VIEWER_EMAIL) == {"viewer": left}


ELSEWHERE = {
    "an invitation": "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
    "SELECT $1, id, email, 'MEMBER', now() FROM users WHERE email = $2",
    "a portal": "INSERT INTO portal_users (account_id, user_id) SELECT $1, id FROM users WHERE email = $2",
}


@pytest.mark.parametrize(("elsewhere", "goes_on"), [("an invitation", False), ("a portal", True)])
async def test_a_portal_elsewhere_keeps_the_sessions_and_an_invitation_does_not(
    operate: Command, world: World, elsewhere: str, goes_on: bool
) -> None:
    await world.database.execute(ELSEWHERE[elsewhere], world.other_account_id, email("mia"))
    mia = await world.sign_in("mia")
    done = operate("staff", "remove", "--account", str(world.account_id), "--email", email("mia"))
    assert done.returncode == 0, done.stderr
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": {"email": email("mia")} if goes_on else None}


async def test_a_removed_member_is_shut_out_at_the_next_request(operate: Command, world: World) -> None:
    adam = await world.sign_in("adam")
    done = operate("staff", "remove", "--account", str(world.account_id), "--email", email("adam"))
    assert done.returncode == 0, done.stderr
    assert await adam.refusal(POLICY, account=str(world.account_id)) == "UNAUTHENTICATED"
    assert len(await world.events("STAFF_REMOVED")) == 1


async def test_staff_are_listed_with_their_mfa(operate: Command, world: World) -> None:
    done = operate("staff", "list", "--account", str(world.account_id))
    assert done.stdout.splitlines() == [
        "adam@agency.example\tadmin\tnot enabled",
        "mia@agency.example\tmember\tnot enabled",
        "olive@agency.example\towner\tnot enabled",
    ]
    done = operate("staff", "list", "--account", str(world.account_id), "--json")
    assert [json.loads(line)["role"] for line in done.stdout.splitlines()] == ["ADMIN", "MEMBER", "OWNER"]


async def test_an_import_applies_good_lines_and_names_bad_ones(operate: Command, world: World, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(
        lines("new@agency.example,member", "no address,member", "x@agency.example,boss", "mia@agency.example,admin",
              "NEW@agency.example,admin", "other@agency.example,Owner")
    )  # fmt: skip
    done = operate("staff", "import", str(file), "--account", str(world.account_id))
    assert done.returncode == 1
    assert "2 added, 1 staff already, 3 bad." in done.stdout
    assert "line 3: 'no address' is no email address" in done.stderr
    assert "line 4: the role must be owner, admin or member, not 'boss'" in done.stderr
    assert "line 6: new@agency.example is given twice, first in line 2" in done.stderr
    rows = await world.database.fetch("SELECT email, role FROM staff WHERE account_id = $1", world.account_id)
    roles = {row["email"]: row["role"] for row in rows}
    assert (roles["new@agency.example"], roles["other@agency.example"]) == ("MEMBER", "OWNER")
    assert roles[email("mia")] == "MEMBER"
    assert len(await world.events("STAFF_ADDED")) == 2


async def test_an_atomic_import_applies_all_or_nothing(operate: Command, world: World, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(lines("new@agency.example,member", "bad,member"))
    done = operate("staff", "import", str(file), "--account", str(world.account_id), "--atomic")
    assert done.returncode == 1
    assert await world.database.fetchval("SELECT count(*) FROM staff WHERE account_id = $1", world.account_id) == 3
    file.write_text(lines("new@agency.example,member"))
    done = operate("staff", "import", str(file), "--account", str(world.account_id), "--atomic")
    assert (done.returncode, done.stdout) == (0, "1 added, 0 staff already.\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,role\nx,member\n", "email is missing"),
        ("", "email is missing"),
        ('email,role\n"a@b.example,member\n', "CSV"),
    ],
)
async def test_a_file_that_is_no_such_list_is_refused(
    operate: Command, world: World, tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(text)
    done = operate("staff", "import", str(file), "--account", str(world.account_id))
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_sole_owner_who_is_locked_out_is_reset_by_the_operator(operate: Command, world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    done = operate("mfa", "reset", "--email", email("olive"))
    assert done.returncode == 0, done.stderr
    assert await olive.ask(VIEWER_EMAIL) == {"viewer": None}
    (event,) = await world.events("MFA_RESET")
    assert (event["subject_id"], event["actor_id"]) == (await world.user_id("olive"), None)
    await world.enroll(await world.sign_in("olive"))
    assert operate("mfa", "reset", "--email", email("mia")).returncode == 1
    assert operate("mfa", "reset", "--email", email("nobody")).returncode == 1


async def test_an_operators_reset_keeps_its_reason_and_needs_no_approver(operate: Command, world: World) -> None:
    olive, _, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    assert (await reset(olive, world, "mia"))["__typename"] == "MfaResetPending"
    for wrong in (" ", "x" * 501):
        refused = operate("mfa", "reset", "--email", email("mia"), "--reason", wrong)
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert await world.events("MFA_RESET") == []
    done = operate("mfa", "reset", "--email", email("mia"), "--reason", "Called back; badge seen.")
    assert done.returncode == 0, done.stderr
    (event,) = await world.events("MFA_RESET")
    assert (event["subject_id"], event["data"]["reason"]) == (await world.user_id("mia"), "Called back; badge seen.")
    assert (await ask_account(olive, world, SUMMARIES))["nodes"][0]["summary"].endswith(
        f"reset the MFA of {email('mia')}: Called back; badge seen."
    )
    # What waited has come about, and waits no more.
    assert await ask_account(olive, world, WAITING) == []


async def test_super_admins_are_granted_and_revoked(operate: Command, world: World) -> None:
    sam = await world.sign_in("sam")
    await world.enroll(sam)
    assert operate("super-admin", "grant", "--email", email("sam")).returncode == 0
    await sam.ask(POLICY, account=str(world.account_id))
    assert "already" in operate("super-admin", "grant", "--email", email("sam")).stderr
    assert operate("super-admin", "revoke", "--email", email("sam")).returncode == 0
    assert await sam.refusal(POLICY, account=str(world.account_id)) == "NOT_FOUND"
    assert len(await world.events("SUPER_ADMIN_GRANTED", "SUPER_ADMIN_REVOKED")) == 2


async def test_whoever_ran_the_platform_alone_is_signed_out_with_that(operate: Command, world: World) -> None:
    sue = await world.sign_in("sue")
    await world.database.execute("UPDATE users SET is_super_admin = true WHERE email = $1", email("mia"))
    mia = await world.sign_in("mia")
    for name in ("sue", "mia"):
        assert operate("super-admin", "revoke", "--email", email(name)).returncode == 0
    assert await sue.ask(VIEWER_EMAIL) == {"viewer": None}
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": {"email": email("mia")}}
