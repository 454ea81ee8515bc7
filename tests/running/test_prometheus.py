"""What Prometheus itself says: of the metrics' text, of the alert rules, and of what it has scraped."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import yaml

from server.local import processes
from tests.client import http_client
from tests.ports import own_port
from tests.running.conftest import PARTS, Parts
from tests.waiting import until
from tests.warm import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus-rules.yml"
NAME = re.compile(r"gatehouse_\w+")


def expressions() -> list[str]:
    """Every query of the dashboard and the rules."""
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    return [target["expr"] for panel in panels for target in panel["targets"]] + [rule["expr"] for rule in rules]


def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 rules found" in done.stdout


LINE = ("oldest_undispatched_event_age_seconds", "oldest_due_delivery_age_seconds", "events_set_aside")


@pytest.mark.parametrize("shown", [LINE, LINE[:2], LINE[1:], ()], ids=lambda shown: "+".join(shown) or "nothing")
def test_a_mail_line_that_no_part_tells_of_is_an_alert(tmp_path: Path, shown: tuple[str, ...]) -> None:
    series = [{"series": f"gatehouse_{name}", "values": "0x20"} for name in shown]
    alert = {"eval_time": "10m", "alertname": "GatehouseLineUnseen"}
    said = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    annotations = [rule["annotations"] for rule in said if rule["alert"] == "GatehouseLineUnseen"]
    expected = [] if shown == LINE else [{"exp_labels": {"severity": "critical"}, "exp_annotations": annotations[0]}]
    case = {"interval": "1m", "input_series": series, "alert_rule_test": [alert | {"exp_alerts": expected}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [case]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest_asyncio.fixture
async def prometheus(parts: Parts, tmp_path: Path) -> AsyncIterator[str]:
    """A real Prometheus that scrapes every part; its URL."""
    for command in PARTS:
        await parts.start(command)
    configuration = {
        "global": {"scrape_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "gatehouse",
                "static_configs": [{"targets": [url.removeprefix("http://") for url in parts.status_urls.values()]}],
            }
        ],
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = own_port()
    child = processes.start(
        [
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        tmp_path / "prometheus.log",
    )
    yield f"http://127.0.0.1:{port}"
    processes.stop(child, signal.SIGTERM, 10)


async def test_prometheus_scrapes_every_part_and_knows_what_rules_and_dashboard_ask_for(
    parts: Parts, prometheus: str
) -> None:
    await parts.line.happen(await parts.line.world.user_id("mia"))
    await parts.line.until_all("sent", 1)
    await parts.line.world.sign_in("olive")
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    async with http_client(prometheus) as http:

        async def are_up() -> bool:
            return await _ups(http) == [1.0] * len(PARTS)

        async def unknown() -> set[str]:
            return asked - set((await http.get("/api/v1/label/__name__/values")).json()["data"])

        async def are_known() -> bool:
            # What has not happened in this test has no series; what has comes with the next scrape.
            return await unknown() == {"gatehouse_challenges_total", "gatehouse_lock_outs_total"}

        await until(are_up, "every part is scraped")
        await until(are_known, "all that has happened is known")
        for expression in expressions():
            answer = await http.get("/api/v1/query", params={"query": expression})
            assert answer.json()["status"] == "success", expression


async def test_promtool_finds_names_units_and_help_as_they_should_be(parts: Parts) -> None:
    for command in ("serve", "worker"):
        await parts.start(command)
        text = (await parts.ask(command, "/metrics")).text
        done = await asyncio.to_thread(
            subprocess.run, ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        said = [line for line in (done.stdout + done.stderr).splitlines() if "gatehouse_" in line]
        assert not said


async def _ups(http: httpx.AsyncClient) -> list[float]:
    try:
        answer = await http.get("/api/v1/query", params={"query": 'up{job="gatehouse"}'})
    except httpx.TransportError:
        return []
    if answer.status_code != 200:
        return []
    return [float(series["value"][1]) for series in answer.json()["data"]["result"]]
