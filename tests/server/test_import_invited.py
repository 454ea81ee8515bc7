"""Importing and adding people who were only invited: their role begins, or they are invited anew."""

from __future__ import annotations

from pathlib import Path

from tests.commands import Command
from tests.people import World

NEW = "new@agency.example"


async def invited(operate: Command, world: World) -> list[str]:
    """Let there be somebody who is invited as a member; the arguments that mean their account."""
    account = ["--account", str(world.account_id)]
    done = operate("staff", "add", *account, "--role", "member", "--invite", "--email", NEW)
    assert done.returncode == 0, done.stderr
    return account


def as_admin(folder: Path) -> Path:
    """A file of staff that has them as an admin."""
    file = folder / "staff.csv"
    file.write_text(f"email,role\n{NEW},admin\n")
    return file


async def standing(world: World) -> tuple[str, bool]:
    """Their role, and whether it holds."""
    row = await world.database.fetchrow("SELECT role, invited_at FROM staff WHERE email = $1", NEW)
    assert row is not None
    return row["role"], row["invited_at"] is None


async def test_somebody_who_is_only_invited_is_added_and_their_role_begins(operate: Command, world: World) -> None:
    account = await invited(operate, world)
    added = operate("staff", "add", *account, "--role", "admin", "--email", NEW)
    assert (added.returncode, added.stdout.splitlines()[:1]) == (0, [f"Added {NEW} as admin."]), added.stderr
    assert await standing(world) == ("ADMIN", True)
    (event,) = await world.events("STAFF_ADDED")
    assert event["data"]["role"] == "ADMIN"
    again = operate("staff", "add", *account, "--role", "admin", "--email", NEW)
    assert (again.returncode, "staff of this account already" in again.stderr) == (1, True)


async def test_an_import_lets_the_role_of_whoever_is_only_invited_begin(
    operate: Command, world: World, tmp_path: Path
) -> None:
    account = await invited(operate, world)
    file = as_admin(tmp_path)
    done = operate("staff", "import", str(file), *account)
    assert (done.returncode, done.stdout) == (0, "1 added, 0 staff already.\n"), done.stderr
    assert await standing(world) == ("ADMIN", True)
    assert len(await world.events("STAFF_ADDED")) == 1
    assert operate("staff", "import", str(file), *account).stdout == "0 added, 1 staff already.\n"


async def test_an_import_invites_anew_whose_link_holds_no_more_and_nobody_else(
    operate: Command, world: World, tmp_path: Path
) -> None:
    account = await invited(operate, world)
    file = as_admin(tmp_path)
    early = operate("staff", "import", str(file), *account, "--invite")
    assert early.stdout == "0 added, 0 invited, 1 staff already.\n"
    assert await standing(world) == ("MEMBER", False)
    await world.database.execute("UPDATE staff SET invited_at = invited_at - interval '7 days' WHERE email = $1", NEW)
    late = operate("staff", "import", str(file), *account, "--invite")
    assert (late.returncode, late.stdout) == (0, "0 added, 1 invited, 0 staff already.\n"), late.stderr
    assert await standing(world) == ("ADMIN", False)
    assert [event["data"]["role"] for event in await world.events("STAFF_INVITED")] == ["MEMBER", "ADMIN"]
    holds = "SELECT invited_at = (SELECT max(occurred_at) FROM events WHERE type = 'STAFF_INVITED') FROM staff"
    assert await world.database.fetchval(f"{holds} WHERE email = $1", NEW) is True
