"""deploy/ and docs/operations.md: real commands, real settings, real paths, and something to do for each alert."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from click import Context

import settings
from server.commands.main import main
from settings import Settings
from settings.variables import settings_of
from tests.warm import ROOT

DEPLOY = ROOT / "deploy"
PARTS = {"api": "serve", "relay": "relay", "worker": "worker", "beat": "beat"}
LONGEST_DRAIN_S, ENDING_S = 60, 10
KNOWN = {setting.variable for setting in settings_of(Settings)}
KUBERNETES = DEPLOY / "kubernetes"
FILES = {path.relative_to(KUBERNETES).as_posix(): path for path in KUBERNETES.rglob("*.yaml")}
KUSTOMIZATION: dict[str, Any] = yaml.safe_load(FILES["kustomization.yaml"].read_text())
COMPONENT = "app.kubernetes.io/component"


def pod(part: str) -> dict[str, Any]:
    """What a part's manifest says of its pods."""
    name = "migrate/job.yaml" if part == "migrate" else f"{part}.yaml"
    return dict(yaml.safe_load(FILES[name].read_text())["spec"]["template"]["spec"])


def is_command(*arguments: str) -> bool:
    """Whether `gatehouse ARGUMENTS` can be run."""
    command = main.get_command(Context(main), arguments[0])
    return command is not None and command.make_context(arguments[0], list(arguments[1:])) is not None


def test_every_alert_has_something_to_do_and_nothing_else_has() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"]]
    text = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"^### (\w+)$", text.partition("## Alerts")[2], re.MULTILINE) == alerts


def test_operations_name_only_settings_that_there_are() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    outside = "\n".join(line for line in text.splitlines() if not line.startswith("| `GATEHOUSE_"))
    named = {name.removesuffix("_FILE") for name in re.findall(r"GATEHOUSE_[A-Z_]*[A-Z]", outside)}
    assert named <= KNOWN


@pytest.mark.parametrize("part", PARTS)
def test_a_unit_runs_its_part(part: str) -> None:
    unit = (DEPLOY / "systemd" / f"gatehouse-{part}.service").read_text()
    (command,) = re.findall(r"^ExecStart=/opt/gatehouse/bin/gatehouse (.*)$", unit, re.MULTILINE)
    assert command == PARTS[part]
    assert is_command(command)


def test_an_api_that_drains_for_as_long_as_may_be_is_not_killed_before_it_has_ended() -> None:
    unit = (DEPLOY / "systemd" / "gatehouse-api.service").read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > LONGEST_DRAIN_S + ENDING_S
    assert pod("api")["terminationGracePeriodSeconds"] > LONGEST_DRAIN_S + ENDING_S


def test_every_manifest_is_named() -> None:
    assert {*KUSTOMIZATION["resources"], "kustomization.yaml"} == {name for name in FILES if "/" not in name}
    assert KUSTOMIZATION["components"] == ["image"]
    assert {name for name in FILES if "/" in name} == {
        "image/kustomization.yaml",
        "migrate/job.yaml",
        "migrate/kustomization.yaml",
    }


def test_migrate_is_applied_alone_with_the_image_of_all_parts_and_a_database_url_of_its_own() -> None:
    alone = yaml.safe_load(FILES["migrate/kustomization.yaml"].read_text())
    assert (alone["resources"], alone["components"]) == (["job.yaml"], ["../image"])
    (image,) = yaml.safe_load(FILES["image/kustomization.yaml"].read_text())["images"]
    for part in (*PARTS, "migrate"):
        (found,) = pod(part)["containers"]
        assert found["image"] == image["name"]
        urls = [each for each in found["env"] if each["name"] == "GATEHOUSE_DATABASE_URL"]
        keys = [each["valueFrom"]["secretKeyRef"]["key"] for each in urls]
        assert keys == {"beat": [], "migrate": ["migrate-database-url"]}.get(part, ["database-url"])


def test_on_kubernetes_each_part_is_replaced_in_its_turn_once_the_one_before_is_there() -> None:
    section = (ROOT / "docs" / "operations.md").read_text().partition("## On Kubernetes\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    applied = re.findall(r"^kubectl apply -k deploy/kubernetes(\S*)(?: -l '(.*?)')? && (.*)$", block, re.MULTILINE)
    assert block.count(" apply ") == len(applied)
    job = yaml.safe_load(FILES["migrate/job.yaml"].read_text())["metadata"]["name"]
    assert block.startswith(f"kubectl delete job {job} --ignore-not-found\n")
    (folder, selected, waited), *parts = applied
    assert (folder, selected) == ("/migrate", "")
    assert waited.startswith(f"kubectl wait --for=condition=complete job/{job} ")
    (configuration,) = KUSTOMIZATION["configMapGenerator"]
    told = configuration["options"]["labels"][COMPONENT]
    turns = [["worker"], ["relay", "beat"], ["api"]]
    for (folder, selected, waited), turn in zip(parts, turns, strict=True):
        # The last is all of it, the Service, too. A part's pods name the configuration by what is in it.
        assert selected == ("" if turn == ["api"] else f"{COMPONENT} in ({', '.join([told, *turn])})")
        assert (folder, re.findall(r"kubectl rollout status deployment/gatehouse-(\w+)", waited)) == ("", turn)
        for part in turn:
            metadata = yaml.safe_load(FILES[f"{part}.yaml"].read_text())["metadata"]
            assert (metadata["name"], metadata["labels"][COMPONENT]) == (f"gatehouse-{part}", part)


@pytest.mark.parametrize("part", [*PARTS, "migrate"])
def test_a_manifest_runs_its_part_under_real_settings_with_the_secrets_that_it_needs(part: str) -> None:
    (found,) = pod(part)["containers"]
    assert is_command(*found["args"])
    given = [variable["name"] for variable in found["env"]]
    assert set(given) <= KNOWN
    assert ("GATEHOUSE_SECRET_KEYS" in given) == (part in {"api", "worker"})
    if part in PARTS:
        paths = {found[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {"/livez", "/readyz"}
        assert {"name": "status", "containerPort": 9100} in found["ports"]


@pytest.mark.parametrize("part", [*PARTS, "migrate"])
def test_no_pod_is_given_a_variable_named_after_a_service(part: str) -> None:
    service = yaml.safe_load(FILES["service.yaml"].read_text())["metadata"]["name"]
    assert f"{service.upper()}_PORT" in KNOWN  # as the cluster would name what it tells of the Service
    assert pod(part).get("enableServiceLinks", True) is False


def test_the_configuration_is_of_settings_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    (configuration,) = KUSTOMIZATION["configMapGenerator"]
    given = dict(literal.split("=", 1) for literal in configuration["literals"])
    assert set(given) <= KNOWN
    assert given["GATEHOUSE_STATUS_PORT"] == "9100"
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    loaded = settings.load()
    assert loaded.email_from == given["GATEHOUSE_EMAIL_FROM"]
    assert loaded.trusted_proxies  # the API is always behind a Service


def test_what_most_parts_need_is_named_where_settings_are_filled_in() -> None:
    needed = re.findall(r"^\| (`GATEHOUSE_.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    variables = set(re.findall(r"GATEHOUSE_\w+", " ".join(needed)))
    assert {"GATEHOUSE_EMAIL_FROM", "GATEHOUSE_TRUSTED_PROXIES"} < variables
    literals = KUSTOMIZATION["configMapGenerator"][0]["literals"]
    secret = {"DATABASE_URL", "BROKER_URL", "SMTP_URL", "SECRET_KEYS"}
    assert variables - {literal.split("=")[0] for literal in literals} == {f"GATEHOUSE_{name}" for name in secret}
    example = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    settled = {"DATABASE_URL", "BROKER_URL", "PRODUCTION"}  # by docker-compose.yml
    assert variables - example == {f"GATEHOUSE_{name}" for name in settled}


def test_the_way_back_from_a_backup_waits_for_no_answer() -> None:
    section = (
        (ROOT / "docs" / "operations.md").read_text().partition("## Backup and restore\n")[2].partition("\n## ")[0]
    )
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert re.findall(r"gatehouse restored( --yes)? ", block) == [" --yes"]
    assert is_command("restored", "--yes")
