"""Importing staff from CSV as people save it: other programs' spellings, their passwords and their authenticators."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from subprocess import CompletedProcess

import pyotp
import pytest

from rules.links import Purpose
from tests.client import SECRET_KEYS
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.commands import Command, command
from tests.operations import COMPLETE, SIGN_IN
from tests.people import World, email

OLD = "their old password"
HASH = f"pbkdf2_sha256$1000$salty${b64encode(hashlib.pbkdf2_hmac('sha256', OLD.encode(), b'salty', 1000)).decode()}"


@pytest.fixture
def operate(database_url: str) -> Command:
    """Runs an operator's command on the test's database, with the keys of its server."""
    return lambda *arguments: command(*arguments, database_url=database_url, secret_keys=SECRET_KEYS)


def importing(operate: Command, world: World, tmp_path: Path, content: bytes, *options: str) -> CompletedProcess[str]:
    file = tmp_path / "staff.csv"
    file.write_bytes(content)
    return operate("staff", "import", str(file), "--account", str(world.account_id), *options)


async def test_a_header_in_any_case_with_spaces_and_rows_of_empty_cells_do_no_harm(
    operate: Command, world: World, tmp_path: Path
) -> None:
    rows = ["member,x,jose\u0301@agency.example", ",,", "", "  ,,", "Member,,n@agency.example,"]
    content = "\r\n".join(["\ufeff Role , E-Mail,EMAIL ", *rows, ""])
    done = importing(operate, world, tmp_path, content.encode())
    assert (done.returncode, done.stdout) == (0, "2 added, 0 staff already.\n"), done.stderr
    assert await world.database.fetchval("SELECT count(*) FROM staff WHERE email = 'josé@agency.example'") == 1


async def test_a_line_in_another_encoding_is_named_and_costs_no_other(
    operate: Command, world: World, tmp_path: Path
) -> None:
    content = b"email,role\none@agency.example,member\njos\xe9@agency.example,member\ntwo@agency.example,member\n"
    done = importing(operate, world, tmp_path, content)
    assert (done.returncode, done.stdout) == (1, "2 added, 0 staff already, 1 bad.\n")
    assert done.stderr.splitlines()[-1] == "line 3: not in UTF-8: save the file in that encoding."


async def test_what_a_quote_has_kept_from_being_read_stands_in_the_last_line(
    operate: Command, world: World, tmp_path: Path
) -> None:
    good = [f"s{number}@agency.example,member," for number in range(120)]
    last = ['last@agency.example,member,"one', 'two"']
    lines = ["email,role,note", '"open@agency.example,member,', *good, *last, '"O"Neil,member,']
    done = importing(operate, world, tmp_path, "\n".join(lines).encode())
    assert done.returncode == 1
    *_, quote, stray = done.stderr.splitlines()
    assert quote == "line 2: not readable as CSV: a quote is opened in it and not closed."
    assert stray.startswith("line 125: not readable as CSV")
    assert done.stdout == (
        "22 added, 0 staff already, 2 bad. Lines 2 to 101 were not read. 1 line was read as more of a cell.\n"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("new@agency.example,member,surplus", "it has 3 cells where the first line names 2."),
        ("no address,member", "'no address' is no email address: An email address must have an @-sign."),
        ("a@b,member", "must be a whole domain, as in agency.example."),
        ("ｍｉａ@agency.example,member", "full-width or special letters: write 'mia'."),
        ("new@agency.example", "the role must be owner, admin or member, not ''."),
    ],
)
async def test_a_bad_line_says_what_is_wrong_with_one_stop(
    operate: Command, world: World, tmp_path: Path, line: str, says: str
) -> None:
    done = importing(operate, world, tmp_path, f"email,role\n{line}\n".encode())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(says)
    assert ".." not in done.stderr


async def test_whoever_brings_a_password_signs_in_with_it_and_gets_a_hash_of_ours(
    operate: Command, costly: World, tmp_path: Path
) -> None:
    world = costly
    done = importing(operate, world, tmp_path, f"email,role,password_hash\nnew@agency.example,member,{HASH}\n".encode())
    assert done.returncode == 0, done.stderr
    stored = "SELECT password_hash FROM users WHERE email = 'new@agency.example'"
    assert await world.database.fetchval(stored) == HASH
    client = world.client()
    assert (await client.do(SIGN_IN, email="new@agency.example", password="wrong"))[
        "__typename"
    ] == "InvalidCredentials"
    assert (await client.do(SIGN_IN, email="new@agency.example", password=OLD))["__typename"] == "SignedIn"
    renewed = await world.database.fetchval(stored)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await client.do(SIGN_IN, email="new@agency.example", password=OLD))["__typename"] == "SignedIn"


async def test_whoever_brings_an_authenticator_is_enrolled_with_its_secret_sealed(
    operate: Command, world: World, tmp_path: Path
) -> None:
    secret = pyotp.random_base32()
    spaced = " ".join(secret[i : i + 4].lower() for i in range(0, 32, 4))
    content = f"email,role,password_hash,totp_secret\nnew@agency.example,member,{HASH},{spaced}\n"
    done = importing(operate, world, tmp_path, content.encode())
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr
    sealed = await world.database.fetchval("SELECT secret_sealed FROM factors")
    assert pyotp.TOTP(secret).byte_secret() not in sealed
    client = world.client()
    challenge = await client.do(SIGN_IN, email="new@agency.example", password=OLD)
    assert challenge["__typename"] == "MfaChallenge"
    answer = await client.do(COMPLETE, token=challenge["challengeToken"], code={"totp": pyotp.TOTP(secret).now()})
    assert answer["__typename"] == "SignedIn", answer


async def test_known_people_keep_their_password_and_get_no_factor(
    operate: Command, world: World, tmp_path: Path
) -> None:
    content = f"email,role,password_hash,totp_secret\n{email('sam')},member,{HASH},{pyotp.random_base32()}\n"
    done = importing(operate, world, tmp_path, content.encode())
    assert (done.returncode, done.stdout) == (0, "1 added, 0 staff already.\n")
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 0
    await world.sign_in("sam")


@pytest.mark.parametrize("flags", [[], ["--invite"], ["--atomic"]])
async def test_whoever_is_known_without_a_password_gets_none_from_a_file(
    operate: Command, world: World, tmp_path: Path, flags: list[str]
) -> None:
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("sam"))
    content = f"email,role,password_hash\n{email('sam')},member,{HASH}\n"
    assert importing(operate, world, tmp_path, content.encode(), *flags).returncode == 0
    answer = await world.client().do(SIGN_IN, email=email("sam"), password=OLD)
    assert answer["__typename"] == "InvalidCredentials"
    where_from = await world.database.fetch(
        "SELECT invited_at IS NOT NULL AS is_invited FROM staff WHERE email = $1 AND account_id = $2",
        email("sam"),
        world.account_id,
    )
    assert [row["is_invited"] for row in where_from] == ["--invite" in flags]


@pytest.mark.parametrize("is_atomic", [False, True])
async def test_bad_secrets_are_named_by_line_and_reason_and_never_printed(
    operate: Command, world: World, tmp_path: Path, is_atomic: bool
) -> None:
    bad = [
        "a@agency.example,member,plain-text-password,",
        f"b@agency.example,member,{HASH},NOT!BASE32",
        "c@agency.example,member,,GEZDGNBVGY3TQOJQ",
        "plain-text-password,member,d@agency.example,",
        "e@agency.example,plain-text-password,,",
    ]
    content = "\n".join(["email,role,password_hash,totp_secret", "good@agency.example,member,,", *bad]) + "\n"
    done = importing(operate, world, tmp_path, content.encode(), *["--atomic"] * is_atomic)
    assert done.returncode == 1
    told = [line.split(": ", 1) for line in done.stderr.splitlines() if line.startswith("line ")]
    assert [line for line, _ in told] == [f"line {number}" for number in range(3, 8)]
    assert [reason.split()[1] for _, reason in told] == ["password_hash", "totp_secret", "totp_secret", "email", "role"]
    for secret in ("plain-text-password", "NOT!BASE32", "GEZDGNBVGY3TQOJQ", HASH):
        assert secret not in done.stdout + done.stderr
    added = await world.database.fetchval("SELECT count(*) FROM staff WHERE email = 'good@agency.example'")
    assert added == (0 if is_atomic else 1)


async def test_an_import_invites_whoever_has_no_password(operate: Command, world: World, tmp_path: Path) -> None:
    content = f"email,role,password_hash\nnew@agency.example,admin,\nhas@agency.example,member,{HASH}\n"
    done = importing(operate, world, tmp_path, content.encode(), "--invite")
    assert (done.returncode, done.stdout) == (0, "1 added, 1 invited, 0 staff already.\n"), done.stderr
    (invited,) = await world.events("STAFF_INVITED")
    assert (invited["data"]["role"], invited["data"]["isImported"]) == ("ADMIN", True)
    assert await world.database.fetchval("SELECT email FROM staff WHERE invited_at IS NOT NULL") == "new@agency.example"
    assert len(await world.events("STAFF_ADDED")) == 1
    again = importing(operate, world, tmp_path, content.encode(), "--invite")
    assert again.stdout == "0 added, 0 invited, 2 staff already.\n"


async def test_a_person_is_added_by_an_invitation_instead_of_a_password(operate: Command, world: World) -> None:
    who = ["staff", "add", "--account", str(world.account_id), "--role", "member", "--invite", "--email"]
    done = operate(*who, "new@agency.example")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Invited new@agency.example as member.\n")
    early = operate(*who, "new@agency.example")
    assert (early.returncode, "a moment ago" in early.stderr) == (1, True)
    assert operate(*who, email("sam")).stdout.startswith("Added sam@agency.example as member.\n")
    assert [event["type"] for event in await world.events("STAFF_INVITED", "STAFF_ADDED")] == [
        "STAFF_INVITED",
        "STAFF_ADDED",
    ]


async def test_an_imported_person_without_a_password_gets_one_by_a_reset(
    operate: Command, world: World, tmp_path: Path
) -> None:
    done = importing(operate, world, tmp_path, b"email,role\nnew@agency.example,member\n")
    assert done.returncode == 0, done.stderr
    client = world.client()
    assert (await client.do(SIGN_IN, email="new@agency.example", password=""))["__typename"] == "InvalidCredentials"
    token = await link_to(world, "new@agency.example", Purpose.PASSWORD_RESET)
    assert (await client.do(SET, token=token, password="a wholly other phrase"))["__typename"] == "PasswordSet"
    signed_in = await client.do(SIGN_IN, email="new@agency.example", password="a wholly other phrase")
    assert signed_in["__typename"] == "SignedIn"
