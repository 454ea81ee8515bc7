"""What commands print of what others wrote: it steers no terminal, and makes no line or cell of its own."""

from __future__ import annotations

import asyncio

from tests.account.approving import asked
from tests.commands import Command, command
from tests.people import World, email
from tests.stubborn import stubborn
from tests.warm import ROOT

EVIL = "x\x1b]52;c;eA==\x07\n00000000-0000-0000-0000-000000000001\tceo@agency.example\t\x9b8m\u202e\u2028y"
SHOWN = r"x\x1b]52;c;eA==\x07\n00000000-0000-0000-0000-000000000001\tceo@agency.example\t\x9b8m\u202e\u2028y"


def printed(operate: Command, *arguments: str) -> list[str]:
    """The lines that a command prints, each of nothing but printable characters and tabs."""
    done = operate(*arguments)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.removesuffix("\n").split("\n")
    assert [line for line in lines if not line.replace("\t", "").isprintable()] == []
    return lines


async def test_a_reason_that_stands_there_already_is_shown_by_its_escapes(operate: Command, world: World) -> None:
    account = ["--account", str(world.account_id)]
    await asked(world)
    await world.database.execute("UPDATE reset_requests SET reason = $1", EVIL)
    (row,) = printed(operate, "staff", "resets", *account)
    assert row.split("\t")[1::3] == [email("mia"), SHOWN]
    await world.database.execute(
        "INSERT INTO mfa_exceptions (account_id, user_id, kind, until, reason) "
        "SELECT $1, id, 'EXEMPTED', now() + interval '1 day', $2 FROM users WHERE email = $3",
        world.account_id,
        EVIL,
        email("adam"),
    )
    (row,) = printed(operate, "staff", "exceptions", *account)
    assert row.split("\t")[5:] == [SHOWN]
    assert printed(operate, "account", "compliance", *account)[-1] == row


async def test_a_mail_servers_words_are_shown_by_their_escapes(operate: Command, world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    await world.database.execute(
        "INSERT INTO deliveries (event_id, user_id, email, message, queue, state, attempts, last_error) "
        "SELECT id, subject_id, $1, 'mfa_enabled', 'security', 'failed', 1, $2 FROM events WHERE type = 'MFA_ENABLED'",
        email("mia"),
        EVIL,
    )
    (line,) = printed(operate, "deliveries", "list", "--failed")
    assert line.endswith(f"1 tried: {SHOWN}")


async def test_the_doctor_repeats_no_servers_escapes(database_url: str) -> None:
    async with stubborn("MAIL", "hang") as server:
        server.manner = None
        server.refusals["MAIL"] = "553 \x1b[2J\x9bno"
        done = await asyncio.to_thread(command, "doctor", database_url=database_url, smtp_url=server.url)
    assert "553 \\x1b[2J\\x9bno" in done.stdout
    assert all(line.isprintable() for line in done.stdout.splitlines())


def test_lists_make_their_rows_by_the_one_function_that_shows_escapes() -> None:
    found = [path.name for path in (ROOT / "server" / "commands").glob("*.py") if "\\t" in path.read_text()]
    assert found == ["options.py"]
