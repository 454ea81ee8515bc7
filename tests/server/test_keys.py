"""Rotating keys: TOTP secrets move under the newest, backup codes hold an old one, and neither stops anybody."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from db.pool import Database, open_database
from resolvers.operators import keys
from rules.sealed import Sealed
from rules.sealing import KeyRing
from rules.totp import TOTP_PURPOSE
from server.status.readiness import key_problem
from settings import Settings, parse_secret_keys
from tests.client import SECRET_KEYS, Client, http_client, serving, settings_for
from tests.commands import Command, command
from tests.operations import COMPLETE, REGENERATE, SIGN_IN, VERIFY
from tests.people import PASSWORD, Factor, World, begin, email

NEW_KEY = "new:" + base64.b64encode(b"n" * 32).decode()
ROTATED = f"{NEW_KEY},{SECRET_KEYS}"
RING = KeyRing(parse_secret_keys(ROTATED))
SEALED = "SELECT (SELECT count(*) FROM factors) + (SELECT count(*) FROM webhooks)"
INSERT_MANY = """
WITH made AS (INSERT INTO users (id, email, password_hash) SELECT id, id || '@many.example', 'x' FROM unnest($1::uuid[])
    AS id RETURNING id)
INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
SELECT id, sealed, $3, 0, '\\x00000000000000000000000000000000', $3
FROM unnest($1::uuid[], $2::bytea[]) AS given (id, sealed)
"""


@pytest.fixture
def operate(database_url: str) -> Command:
    """Runs an operator's command after a new key was put in front."""
    return lambda *arguments, secret_keys=ROTATED: command(
        *arguments, database_url=database_url, secret_keys=secret_keys
    )


@pytest_asyncio.fixture
async def operators(database_url: str) -> AsyncIterator[Database]:
    """The test's database, as operators' commands open it."""
    database = await open_database(database_url, 2)
    yield database
    await database.close()


def table(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[list[int], str]]:
    """What `keys status` printed: counts and verdict by key."""
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=4) for line in done.stdout.splitlines()[1:]]
    return {row[0]: ([int(count) for count in row[1:4]], row[4]) for row in rows}


async def insert_many(world: World, count: int) -> dict[UUID, bytes]:
    """Make `count` people whose secrets the old key seals; their secrets."""
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    made = {UUID(int=number): number.to_bytes(20, "big") for number in range(1, count + 1)}
    sealed = [ring.seal(secret, TOTP_PURPOSE, person, bytes(12)).data for person, secret in made.items()]
    await world.database.execute(INSERT_MANY, list(made), sealed, ring.newest)
    return made


async def complete(world: World, name: str, **code: str) -> str:
    """Sign in with a second factor; the answer's type."""
    client, token = await world.challenge(name)
    answer = await client.do(COMPLETE, token=token, code=code)
    return str(answer["__typename"])


async def test_a_new_key_is_thirty_two_random_bytes_that_the_ring_takes() -> None:
    made = [command("keys", "new").stdout.strip() for _ in range(2)]
    assert made[0] != made[1]
    assert len(parse_secret_keys(f"{made[0]},{made[1]},{SECRET_KEYS}")) == 3


async def test_a_new_key_is_to_stand_last_first() -> None:
    told = " ".join(command("keys", "new", "--help").stdout.split())
    assert "to be put last in GATEHOUSE_SECRET_KEYS, and in front once every API and worker has it" in told


async def test_after_resealing_the_old_secret_works_under_the_new_key_alone(
    operate: Command, world: World, database_url: str
) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    done = operate("keys", "reseal")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "1 TOTP secret(s) re-sealed under key new.",
            "Key test must stay: 1 set(s) of backup codes depend on it until their owners make new ones.",
        ],
    )
    async with serving(settings_for(database_url, secret_keys=NEW_KEY)) as base_url:
        world.base_url = base_url
        assert await complete(world, "mia", totp=await factor.code(0)) == "SignedIn"


async def test_a_key_may_go_once_nothing_depends_on_it(operate: Command, world: World, database_url: str) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    factor = await world.enroll(mia)
    await begin(olive)
    assert table(operate("keys", "status")) == {
        "new": ([0, 0, 0], "seals what is new"),
        "test": ([1, 1, 1], "must stay: run `gatehouse keys reseal`"),
    }
    assert operate("keys", "reseal").stdout.startswith("2 TOTP secret(s) re-sealed")
    counts, verdict = table(operate("keys", "status"))["test"]
    assert (counts, verdict[:43]) == ([0, 0, 1], "must stay: 1 set(s) of backup codes depend ")

    async with serving(settings_for(database_url, secret_keys=ROTATED)) as base_url:
        await make_new_codes(world, mia, base_url, factor)
    assert table(operate("keys", "status")) == {
        "new": ([1, 1, 1], "seals what is new"),
        "test": ([0, 0, 0], "may go"),
    }


async def make_new_codes(world: World, client: Client, base_url: str, factor: Factor) -> None:
    """Replace the backup codes at a server that has the rotated ring."""
    world.base_url = base_url
    rotated = world.client()
    rotated.token = client.token
    assert (await rotated.do(REGENERATE, code=await factor.code(0)))["__typename"] == "BackupCodesRegenerated"


async def test_backup_codes_work_on_after_resealing(operate: Command, world: World, database_url: str) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    operate("keys", "reseal")
    async with serving(settings_for(database_url, secret_keys=ROTATED)) as base_url:
        world.base_url = base_url
        assert await complete(world, "mia", backupCode=factor.backup_codes[0]) == "SignedIn"


async def test_an_interrupted_run_goes_on_where_it_stopped(world: World, operators: Database) -> None:
    made = await insert_many(world, keys.BATCH + 100)

    def interrupt(secrets: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await keys.reseal(operators, RING, interrupt)
    assert await world.database.fetchval("SELECT count(*) FROM factors WHERE secret_key_id = 'new'") == keys.BATCH
    assert (await keys.reseal(operators, RING, lambda secrets: None)).moved == 100
    assert (await keys.reseal(operators, RING, lambda secrets: None)).moved == 0

    rows = await world.database.fetch("SELECT user_id, secret_sealed, secret_key_id FROM factors")
    opened = {
        r["user_id"]: RING.open(Sealed(r["secret_sealed"], r["secret_key_id"]), TOTP_PURPOSE, r["user_id"])
        for r in rows
    }
    assert opened == made


async def test_two_runs_at_once_move_each_secret_once(world: World, operators: Database) -> None:
    await insert_many(world, 2 * keys.BATCH)
    runs = await asyncio.gather(*(keys.reseal(operators, RING, lambda secrets: None) for _ in range(2)))
    assert sum(run.moved for run in runs) == 2 * keys.BATCH
    assert await world.database.fetchval("SELECT count(*) FROM factors WHERE secret_key_id <> 'new'") == 0


async def test_a_reset_and_a_new_enrollment_while_a_run_waits_are_not_undone(world: World, operators: Database) -> None:
    olive, sam = await world.sign_in("olive"), await world.sign_in("sam")
    await world.enroll(await world.sign_in("mia"))
    await begin(olive)
    await begin(sam)
    mia_id, olive_id = await world.user_id("mia"), await world.user_id("olive")
    async with world.database.transaction():
        await world.database.execute("SELECT FROM users FOR NO KEY UPDATE")
        run = asyncio.create_task(keys.reseal(operators, RING, lambda secrets: None))
        while not await world.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await world.database.execute("DELETE FROM factors WHERE user_id = $1", mia_id)
        await world.database.execute(
            "UPDATE enrollments SET secret_sealed = 'begun again' WHERE user_id = $1", olive_id
        )
    assert (await run).moved == 1
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 0
    row = await world.database.fetchrow(
        "SELECT secret_sealed, secret_key_id FROM enrollments WHERE user_id = $1", olive_id
    )
    assert row is not None
    assert tuple(row) == (b"begun again", "test")


async def test_a_secret_resealed_while_its_first_code_is_checked_enrolls_all_the_same(
    world: World, operators: Database, database_url: str
) -> None:
    settings = settings_for(database_url, secret_keys=ROTATED)
    _, factor = await begin(await world.sign_in("mia"))
    async with serving(settings) as base_url:
        world.base_url = base_url
        client = await world.sign_in("mia")
        async with world.database.transaction():
            await world.database.execute("SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE", email("mia"))
            run = asyncio.create_task(keys.reseal(operators, RING, lambda secrets: None))
            await waiting(world, 1)
            verified = asyncio.create_task(client.do(VERIFY, code=await factor.code(-1)))
            await waiting(world, 2)
        assert (await verified)["__typename"] == "MfaEnabled"
    assert (await run).moved == 1
    assert await world.database.fetchval("SELECT secret_key_id FROM factors") == "new"


async def waiting(world: World, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    while await world.database.fetchval("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted") < count:
        await asyncio.sleep(0.01)


async def test_what_does_not_open_is_left_alone_counted_and_said(operate: Command, world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    before = await world.database.fetchrow("SELECT * FROM factors")
    done = operate("keys", "reseal", secret_keys=NEW_KEY)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "0 TOTP secret(s) re-sealed under key new.")
    assert "1 TOTP secret(s) under key test do not open: the key is not in GATEHOUSE_SECRET_KEYS." in done.stderr
    assert table(operate("keys", "status", secret_keys=NEW_KEY))["test"] == (
        [1, 0, 1],
        "is missing: put it back into GATEHOUSE_SECRET_KEYS",
    )
    other_value = f"{NEW_KEY},test:{base64.b64encode(b'x' * 32).decode()}"
    done = operate("keys", "reseal", secret_keys=other_value)
    assert "1 TOTP secret(s) under key test do not open: the key has another value." in done.stderr
    assert await world.database.fetchrow("SELECT * FROM factors") == before


async def test_a_probe_looks_at_no_more_factors_however_many_there_are(operators: Database) -> None:
    people, newest = [uuid4() for _ in range(5_000)], uuid4()
    sealed = RING.seal(b"x" * 20, TOTP_PURPOSE, newest, b"n" * 12).data
    async with operators.transaction() as connection:
        await connection.execute(INSERT_MANY, people, [b""] * len(people), "lost")
        await connection.execute(INSERT_MANY, [newest], [sealed], "new")
    async with operators.transaction() as connection:
        assert await key_problem(connection, RING) == "missing or wrong: lost"
        read = await connection.fetchrow(
            "SELECT seq_scan, idx_tup_fetch < 10 AS few FROM pg_stat_xact_user_tables WHERE relname = 'factors'"
        )
    assert read is not None
    assert tuple(read) == (0, True)


async def test_without_the_variable_the_data_folders_own_ring_is_used(tmp_path: Path) -> None:
    done = command("keys", "status", data_dir=tmp_path)
    assert (done.returncode, "GATEHOUSE_SECRET_KEYS is not set" in done.stderr) == (1, True)
    (tmp_path / "secret-keys").write_text(NEW_KEY + "\n")
    assert table(command("keys", "status", data_dir=tmp_path)) == {"new": ([0, 0, 0], "seals what is new")}
    (tmp_path / "secret-keys").write_text("nonsense")
    done = command("keys", "status", data_dir=tmp_path)
    assert (done.returncode, "secret-keys is wrong: it must be id:KEY" in done.stderr) == (1, True)


WINDOW = ("--from=2026-01-01", "--to=2026-02-01", "--out={folder}/bundle.zip")
TAKE_KEYS = (
    ("keys", "status"),
    ("keys", "reseal"),
    ("webhooks", "add", "--url=https://hooks.example/told"),
    ("staff", "import", "{folder}/staff.csv", "--account={account}"),
    ("evidence", "export", "--account={account}", *WINDOW),
    ("evidence", "key"),
)


@pytest.mark.parametrize("arguments", TAKE_KEYS, ids=" ".join)
async def test_a_database_that_is_given_has_no_keys_of_the_data_folder(
    world: World, database_url: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "secret-keys").write_text(NEW_KEY)
    (tmp_path / "staff.csv").write_text(f"email,role,totp_secret\nnew@agency.example,member,{'A' * 32}\n")
    filled_in = [each.format(folder=tmp_path, account=world.account_id) for each in arguments]
    done = await asyncio.to_thread(command, *filled_in, database_url=database_url, data_dir=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: GATEHOUSE_SECRET_KEYS is not set, and GATEHOUSE_DATABASE_URL is: ")
    assert str(tmp_path / "secret-keys") in done.stderr
    assert await world.database.fetchval(SEALED) == 0


async def test_the_doctor_takes_no_keys_of_the_data_folder_for_a_database_that_is_given(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret-keys").write_text(NEW_KEY)
    done = await asyncio.to_thread(command, "doctor", "--json", database_url=database_url, data_dir=tmp_path)
    assert json.loads(done.stdout)["keys"].startswith("GATEHOUSE_SECRET_KEYS is not set, and GATEHOUSE_DATABASE_URL is")


async def test_while_the_key_is_missing_right_codes_are_refused_and_charged_nothing(
    world: World, database_url: str
) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    async with serving(Settings(database_url=database_url, secret_keys=NEW_KEY)) as url, http_client(url) as http:
        client = Client(http, patient=False)
        opened = await client.do(SIGN_IN, email=email("mia"), password=PASSWORD)
        for _ in range(12):  # two more than there are guesses
            asked = {"token": opened["challengeToken"], "code": {"totp": await factor.code()}}
            assert await client.refusal(COMPLETE, **asked) == "SERVICE_UNAVAILABLE"
    assert await complete(world, "mia", totp=await factor.code()) == "SignedIn"
