"""People at their browsers: each has a context of their own, asks our server alone, and has nothing to complain of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.pages.desk import Desk
from tests.people import World

Sit = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture
async def sit(browser: Browser, world: World) -> AsyncIterator[Sit]:
    """Seats somebody at a browser: `await sit("mia")` is a page where she is signed in, `sit()` one without anybody."""
    desk = Desk(browser, world.base_url)
    yield desk.sit
    await desk.close()
