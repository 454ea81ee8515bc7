"""The browser of the tests: a headless Chromium that asks nobody for anything by itself."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.waiting import LIMIT_S

# The one without windows first: for the same pages it takes a third of the processor's time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of ours parts from the blank one that it begins as: within its context it may keep that one's process.
    "--renderer-process-limit=1",
]


async def opened(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of somebody's own, in which whatever is looked for, pressed or loaded has as long as all tests wait."""
    context = await browser.new_context(**options)
    context.set_default_timeout(LIMIT_S * 1000)
    return context


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of a worker; each test opens its own context."""
    chromium = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert chromium, "These tests drive Chromium: install it (Debian: apt-get install chromium-headless-shell)."
    expect.set_options(timeout=LIMIT_S * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()
