"""What operators do from the command line."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import subprocess
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from db.bell import CHANNEL
from db.pool import Connection as Database
from rules.passwords import matches
from server.checks import DatabaseError, plain_database_error, plain_outage
from server.local import postgres
from settings import SettingsError
from tests.commands import Command, command
from tests.server.running import Start, ready
from tests.waiting import until

# As whom the tests run, without what sudo tells of whoever began them.
USER = pwd.getpwuid(os.geteuid()).pw_name


def ids(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The ids that a command printed as JSON."""
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def create(operate: Command, owner: str = "olive@agency.example", password: str = "olive's password") -> dict[str, str]:
    """Create an account."""
    arguments = ["--name", "Agency", "--owner", owner, "--password-stdin", "--json"]
    return ids(operate("account", "create", *arguments, stdin=f"{password}\n"))


async def test_creating_an_account_makes_its_owner_and_both_events(operate: Command, database: Database) -> None:
    made = create(operate, owner=" Olive@Agency.Example")
    row = await database.fetchrow(
        "SELECT users.id, users.email, password_hash, staff.id AS staff_id, role, account_id, name "
        "FROM users JOIN staff ON staff.user_id = users.id JOIN accounts ON accounts.id = account_id"
    )
    assert row is not None
    assert (row["email"], row["role"], row["name"]) == ("olive@agency.example", "OWNER", "Agency")
    assert matches("olive's password", row["password_hash"])
    assert made == {
        "accountId": str(row["account_id"]),
        "userId": str(row["id"]),
        "staffId": str(row["staff_id"]),
    }
    events = await database.fetch("SELECT type, account_id, subject_id, actor_id, data FROM events ORDER BY id")
    assert [tuple(event) for event in events] == [
        ("ACCOUNT_CREATED", row["account_id"], None, None, {"operator": USER}),
        ("STAFF_ADDED", row["account_id"], row["id"], None, {"role": "OWNER", "operator": USER}),
    ]


async def test_a_command_rings_the_bell_before_it_ends_and_complains_of_nothing(
    operate: Command, database: Database
) -> None:
    heard: list[object] = []
    await database.add_listener(CHANNEL, lambda *_: heard.append(CHANNEL))
    done = await asyncio.to_thread(
        operate,
        "account",
        "create",
        "--name",
        "Agency",
        "--owner",
        "olive@agency.example",
        "--password-stdin",
        stdin="olive's password\n",
    )
    assert (done.returncode, done.stderr) == (0, "")
    await until(lambda: heard, "the bell rings")


async def test_a_known_person_gets_a_further_membership_and_keeps_the_password(
    operate: Command, database: Database
) -> None:
    first = create(operate)
    before = await database.fetchval("SELECT password_hash FROM users")
    second = create(operate, password="another password")
    assert (second["userId"], second["accountId"] != first["accountId"]) == (first["userId"], True)
    assert [row["password_hash"] for row in await database.fetch("SELECT password_hash FROM users")] == [before]
    assert await database.fetchval("SELECT count(*) FROM staff") == 2


async def test_staff_and_portal_users_are_added_to_an_account(operate: Command, database: Database) -> None:
    account = create(operate)["accountId"]
    mia = ["--account", account, "--email", "mia@agency.example", "--password-stdin", "--json"]
    added = ids(operate("staff", "add", *mia, "--role", "Member", stdin="mia's password"))
    assert added == {"accountId": account, "userId": added["userId"], "staffId": added["staffId"]}
    petra = ["--account", account, "--email", "petra@agency.example", "--password-stdin", "--json"]
    assert set(ids(operate("portal", "add", *petra, stdin="petra's password"))) == {"accountId", "userId"}
    assert await database.fetchval("SELECT role FROM staff WHERE email = 'mia@agency.example'") == "MEMBER"
    assert await database.fetchval("SELECT count(*) FROM portal_users") == 1
    assert [r["type"] for r in await database.fetch("SELECT type FROM events ORDER BY id")][2:] == [
        "STAFF_ADDED",
        "PORTAL_USER_ADDED",
    ]


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (["--email", "olive@agency.example", "--role", "admin"], "", "olive@agency.example is staff of this account"),
        (["--email", "mia@agency.example", "--role", "member"], "", "needs a password: give it with --password-stdin"),
        (["--email", "mia@agency.example", "--role", "member", "--password-stdin"], "short", "at least 8 characters"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    operate: Command, database: Database, arguments: list[str], stdin: str, sentence: str
) -> None:
    account = create(operate)["accountId"]
    done = operate("staff", "add", "--account", account, *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert await database.fetchval("SELECT count(*) FROM staff") == 1
    assert await database.fetchval("SELECT count(*) FROM events") == 2
    assert await database.fetchval("SELECT count(*) FROM users") == 1


async def test_an_unknown_account_is_refused_and_the_person_is_not_made(operate: Command, database: Database) -> None:
    arguments = ["--account", str(uuid4()), "--email", "mia@agency.example", "--password-stdin"]
    done = operate("portal", "add", *arguments, stdin="mia's password")
    assert (done.returncode, "There is no account with the id" in done.stderr) == (1, True)
    assert await database.fetchval("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize("email", ["", "mia", "mia@", "mia@agency..example", "mia@agency.example\nBcc: x@y.example"])
async def test_what_is_no_email_is_refused(operate: Command, email: str) -> None:
    done = operate("account", "create", "--name", "Agency", "--owner", email, "--password-stdin")
    assert (done.returncode, "is no email address" in done.stderr) == (2, True)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "Agency\x1b[2J"])
async def test_what_is_no_name_is_refused(operate: Command, name: str) -> None:
    done = operate("account", "create", "--name", name, "--owner", "a@b.example", "--password-stdin")
    assert (done.returncode, "must have 1 to 200 printable characters" in done.stderr) == (1, True)


async def test_a_database_that_lacks_migrations_is_said(postgres: postgres.Postgres) -> None:
    done = command("account", "create", "--name", "A", "--owner", "a@b.example", database_url=postgres.url)
    assert (done.returncode, "run `gatehouse migrate` first" in done.stderr) == (1, True)


async def test_without_a_database_of_ones_own_the_embedded_one_is_used_and_stopped(tmp_path: Path) -> None:
    arguments = ["--data-dir", str(tmp_path / "data"), "--password-stdin", "--json"]
    for name, owner in (("One", "a@b.example"), ("Two", "c@d.example")):
        ids(command("account", "create", "--name", name, "--owner", owner, *arguments, stdin="a password"))
        assert not postgres.is_running(tmp_path / "data")
    assert command("migrate", data_dir=tmp_path / "data").stdout == "The database is up to date.\n"


async def test_while_up_runs_its_embedded_database_is_used(gatehouse: Start, tmp_path: Path) -> None:
    await ready(gatehouse, tmp_path / "data", "--no-demo")
    arguments = ["--name", "One", "--owner", "a@b.example", "--password-stdin", "--json"]
    made = ids(command("account", "create", *arguments, stdin="a password", data_dir=tmp_path / "data"))
    connection = await asyncpg.connect(postgres.url(tmp_path / "data"))
    assert [str(row["id"]) for row in await connection.fetch("SELECT id FROM accounts")] == [made["accountId"]]
    await connection.close()


async def test_commands_at_the_same_time_queue_for_the_embedded_database(tmp_path: Path) -> None:
    def create_one(number: int) -> subprocess.CompletedProcess[str]:
        who = ["--name", f"N{number}", "--owner", f"n{number}@b.example", "--password-stdin"]
        return command("account", "create", *who, stdin="a password\n", data_dir=tmp_path / "data")

    results = await asyncio.gather(*(asyncio.to_thread(create_one, number) for number in range(3)))
    assert [done.returncode for done in results] == [0, 0, 0], results


@pytest.mark.parametrize("given", ["99999999999999999999", "0", "9223372036854775808"])
async def test_an_id_that_none_can_have_is_the_commands_to_refuse(operate: Command, given: str) -> None:
    done = operate("deliveries", "retry", given)
    assert done.returncode == 2
    assert f"{given} is not in the range" in done.stderr
    assert operate("deliveries", "retry", "9223372036854775807").stdout.startswith("0 deliveries")


def test_what_goes_wrong_at_work_is_not_laid_to_the_database_or_its_url() -> None:
    for ours in (ValueError("could not convert"), asyncpg.DataError("invalid input for query argument $1")):
        assert plain_outage(ours) is ours
    assert isinstance(plain_database_error(ValueError("invalid DSN")), SettingsError)
    for theirs in (ConnectionRefusedError("refused"), TimeoutError(), asyncpg.InsufficientPrivilegeError("denied")):
        assert isinstance(plain_outage(theirs), DatabaseError)
