"""The whole line with an API before it, each part with a status port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio

from tests.client import http_client
from tests.line import Line
from tests.parts import Process
from tests.ports import own_port

PARTS = ("serve", "relay", "worker", "beat")


@dataclass
class Parts:
    """Every part of the product, and where each tells of itself."""

    line: Line
    url: str
    status_urls: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    async def start(self, command: str, word: str = "", **settings: object) -> None:
        """Start one part; return once it is ready, or has said `word`."""
        port = own_port()
        if command == "serve":
            word = "Application startup complete"
        (process,) = await self.line.start(command, word=word, status_port=port, **settings)
        self.status_urls[command], self.processes[command] = f"http://127.0.0.1:{port}", process

    async def ask(self, command: str, path: str) -> httpx.Response:
        """What a part answers on its status port."""
        async with http_client() as http:
            return await http.get(self.status_urls[command] + path)

    async def samples(self, command: str) -> dict[str, float]:
        """The samples that a part shows, by name and labels as they are written."""
        text = (await self.ask(command, "/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith("gatehouse_")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """What /readyz says on the API's own port."""
        async with http_client() as http:
            answer = await http.get(f"{self.url}/readyz")
        return answer.status_code, answer.json()


@pytest_asyncio.fixture
async def parts(line: Line) -> AsyncIterator[Parts]:
    """None of the parts started yet."""
    line.settings |= {"port": own_port()}
    line.world.base_url = f"http://127.0.0.1:{line.settings['port']}"
    yield Parts(line, line.world.base_url)
