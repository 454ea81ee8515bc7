"""Clients of the npm world: their packages installed once, and scripts that print JSON run against an endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.once import made_once
from web.explorer_assets import npm_command

SCRIPTS = Path(__file__).parent / "audits"


@dataclass
class Node:
    """A folder in which the packages are installed."""

    folder: Path

    async def run(self, script: str, *arguments: str) -> Any:
        """What a script prints, read as JSON."""
        node, environment = node_command()
        return json.loads(await run(self.folder, environment, node, script, *arguments))


def node_command() -> tuple[str, dict[str, str]]:
    """Node, and its environment."""
    _, environment = npm_command()
    node = shutil.which("node", path=environment.get("PATH", os.defpath))
    assert node, "Node is missing beside npm."
    return node, environment


async def installed_once(factory: pytest.TempPathFactory, name: str, scripts: Path = SCRIPTS) -> Node:
    """The same in a folder that all test processes of a run share."""
    return Node(await made_once(factory, name, lambda folder: installed(folder, scripts)))


async def installed(folder: Path, scripts: Path = SCRIPTS) -> Node:
    """The scripts in that folder, and what they need."""
    shutil.copytree(scripts, folder, ignore=shutil.ignore_patterns("node_modules"))
    npm, environment = npm_command()
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--silent")
    await run(folder, environment, *npm, "install", *options)
    return Node(folder)


async def run(folder: Path, environment: dict[str, str], *command: str) -> bytes:
    """What a command prints that ends well."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output
