"""The specification of GraphQL over HTTP, as the audits of the npm package graphql-http have it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

from tests.factories import World
from web.explorer_assets import npm_command

AUDITS = Path(__file__).parent / "audits"


async def test_the_server_passes_every_audit(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "audits"
    shutil.copytree(AUDITS, folder)
    npm, environment = npm_command()
    await _run(folder, environment, *npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent")
    answer = await _run(folder, environment, _node(environment), "run.js", f"{world.base_url}/graphql")
    results = json.loads(answer)
    assert len(results) == 61
    assert [result for result in results if result["status"] != "ok"] == []


def _node(environment: dict[str, str]) -> str:
    node = shutil.which("node", path=environment.get("PATH", os.defpath))
    assert node, "Node is missing beside npm."
    return node


async def _run(folder: Path, environment: dict[str, str], *command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output
