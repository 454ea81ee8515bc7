"""docker-compose.yml: its services run real commands under real settings, and open no door but the API's."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Context

import settings
from server.commands.main import main
from settings import Settings
from settings.variables import settings_of
from tests.client import SECRET_KEYS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "gatehouse"}
GIVEN = {
    "POSTGRES_PASSWORD": "password",
    "GATEHOUSE_SECRET_KEYS": SECRET_KEYS,
    "GATEHOUSE_SMTP_URL": "smtp://mailpit:1025",
}
KNOWN = {setting.variable for setting in settings_of(Settings)} | {settings.OIDC_FILE}
SETTLED = {f"GATEHOUSE_{name}" for name in ("DATABASE_DIRECT_URL", "DATA_DIR", "HOST", "PORT", "STATUS_HOST")}
# Commands that are parts, one that is for `up` alone, and one that the worker is asked as well.
NOT_THERE = {"parts", "clock", "doctor"}
LONGEST_DRAIN_S, ENDING_S = 60, 10
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled_in(value: str) -> str:
    """A value as Compose hands it on when .env holds what `GIVEN` does."""
    return VARIABLE.sub(lambda found: GIVEN.get(found[1]) or (found[3] if found[2] == "-" else ""), value)


def test_every_part_has_its_service() -> None:
    assert {service["command"][0] for service in OURS.values()} == {"migrate", "serve", "relay", "worker", "beat"}
    assert {"postgres", "valkey", "mailpit"} == set(SERVICES) - set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_real_command_under_settings_that_load(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, *arguments = OURS[name]["command"]
    command = main.get_command(Context(main), program)
    assert command is not None
    command.make_context(program, arguments)
    environment = OURS[name]["environment"]
    assert set(environment) <= KNOWN
    for variable, value in environment.items():
        if value is not None:
            monkeypatch.setenv(variable, filled_in(str(value)))
    settings.load()


def test_only_the_parts_that_need_a_secret_get_it() -> None:
    having = {s: [n for n in OURS if f"GATEHOUSE_{s}" in OURS[n]["environment"]] for s in ("SECRET_KEYS", "SMTP_URL")}
    assert having == {"SECRET_KEYS": ["api", "worker"], "SMTP_URL": ["worker"]}


def test_every_setting_can_be_given_but_those_that_the_services_settle_among_themselves() -> None:
    given = {variable for service in OURS.values() for variable in service["environment"]}
    assert KNOWN - given == SETTLED


def files_of(part: str) -> list[Path]:
    """The files in which a part's settings are read, but for what asks whether it is ready: it minds none unset."""
    workers = {path.name: path for path in (ROOT / "workers").glob("*.py")}
    apart = {"relay": [workers.pop("relay.py")], "beat": [workers.pop("beat.py")], "worker": list(workers.values())}
    if part in apart:
        return [*apart[part], workers["app.py"]]
    folders = [path for name in ("server/transport", "web", "oidc", "scim") for path in (ROOT / name).rglob("*.py")]
    # Operators' commands run by it, too.
    operators = [path for path in (ROOT / "server" / "commands").glob("*.py") if path.stem not in NOT_THERE]
    return [*folders, *operators, *(ROOT / "server").glob("*.py")]


def fields_behind() -> dict[str, set[str]]:
    """What else a property of the settings is made of, by its name."""
    return {
        function.name: {
            node.attr
            for node in ast.walk(function)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        }
        for path in (ROOT / "settings").glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef) and function.decorator_list
    }


def read_by(part: str) -> set[str]:
    """The variables that a part reads, each also by a property that is made of it."""
    names = {name for path in files_of(part) for name in re.findall(r"\bsettings\.(\w+)", path.read_text())}
    behind = fields_behind()
    while more := {field for name in names for field in behind.get(name, ())} - names:
        names |= more
    return {setting.variable for setting in settings_of(Settings) if setting.name in names}


@pytest.mark.parametrize("part", ["api", "relay", "worker", "beat"])
def test_a_part_is_given_whatever_it_reads(part: str) -> None:
    read = read_by(part)
    assert read & {"GATEHOUSE_DATABASE_URL", "GATEHOUSE_BROKER_URL"}
    assert read - SETTLED - set(OURS[part]["environment"]) == set()


def test_what_env_cannot_give_is_said_there() -> None:
    given = {variable for service in OURS.values() for variable in service["environment"]}
    cannot = {variable for variable, _, _ in settings.described()} - given - SETTLED
    assert cannot == {f"GATEHOUSE_OIDC_<NAME>_{part}" for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")}
    said = " ".join(line[2:] for line in (ROOT / ".env.example").read_text().splitlines() if line.startswith("# "))
    assert "GATEHOUSE_OIDC_<NAME>_… and those with _FILE behind a secret's name reach no container" in said


def test_operators_commands_run_where_their_files_are_read_and_written_and_both_neighbours_are_asked() -> None:
    lines = re.findall(r"^docker compose run (.*?)(?: +#.*)?$", (ROOT / "README.md").read_text(), re.MULTILINE)
    run = [re.fullmatch(rf"(?P<options>.*? )(?P<part>{'|'.join(OURS)}) (?P<command>.*)", line) for line in lines]
    found = [(each["options"], each["part"], each["command"]) for each in run if each]
    assert len(found) == len(lines)
    assert {part for _, part, command in found if command == "doctor"} == {"api", "worker"}
    for options, _, command in found:
        assert main.get_command(Context(main), command.split()[0]) is not None
        assert options.startswith("--rm ")
        # The container has no file of this folder: one comes in as standard input or out as standard output, which a
        # terminal would change; or the folder is mounted.
        assert ("-T " in options) == bool(re.search(" - [<>] ", command))
        assert ('-v "$PWD:/here" ' in options) == ("/here/" in command)
    assert any("staff import" in command and "< " in command for _, _, command in found)
    assert any("emails preview /here/" in command for _, _, command in found)
    assert any("evidence export" in command and "--out - > " in command for _, _, command in found)


def test_each_part_is_given_the_time_that_it_takes_to_end() -> None:
    for name in ("api", "relay", "worker", "beat"):
        drain_s = LONGEST_DRAIN_S if "GATEHOUSE_DRAIN_SECONDS" in OURS[name]["environment"] else 0
        assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > drain_s + ENDING_S, name


def test_ports_are_published_on_loopback_and_none_but_the_apis_unless_asked_for() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert [name for name in published if "profiles" not in SERVICES[name]] == ["api"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_services_wait_for_what_they_need_to_be_healthy() -> None:
    waits = [(needed, how["condition"]) for service in OURS.values() for needed, how in service["depends_on"].items()]
    healthy = {needed for needed, condition in waits if condition == "service_healthy"}
    assert healthy == {"postgres", "valkey"}
    assert all("healthcheck" in SERVICES[needed] for needed in healthy)
    others = {(needed, condition) for needed, condition in waits if needed not in healthy}
    assert others == {("migrate", "service_completed_successfully")}


def test_every_running_part_is_asked_how_it_is_on_its_status_port() -> None:
    running = {name: service for name, service in OURS.items() if name != "migrate"}
    assert running.keys() >= {"api", "relay", "worker", "beat"}
    for service in running.values():
        port = service["environment"]["GATEHOUSE_STATUS_PORT"]
        assert f"http://127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]


def test_secrets_are_asked_for_and_none_is_in_the_repository() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    wanted = {found[1] for found in VARIABLE.finditer(text) if found[2] == "?"}
    assert wanted == set(GIVEN)
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line[0] != "#")
    assert {name: example[name] for name in wanted} == dict.fromkeys(wanted, "")
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_runs_as_nobody_special_and_takes_in_what_the_wheel_needs() -> None:
    assert re.findall(r"^USER (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE) == ["gatehouse"]
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert taken == packages | {"pyproject.toml", "README.md", "requirements.txt"}
