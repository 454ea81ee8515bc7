"""One small server for all transport tests, as in development: introspection is on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from settings import Settings
from tests.transport.node import Node, installed_once
from tests.transport.small import small_server


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(cors_origins="https://app.example", public_url="https://gatehouse.example")
    async with small_server(settings) as client:
        yield client


@pytest.fixture(scope="session")
async def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Node with the clients that tests run."""
    return await installed_once(tmp_path_factory, "clients")
