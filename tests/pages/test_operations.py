"""What the pages ask is known to the server: where only trusted documents run, the pages work on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import asyncpg
from graphql import build_schema, parse, validate
from playwright.async_api import Browser, expect

from tests.client import serving, settings_for
from tests.pages.desk import Desk, give_password, set_up
from tests.people import make_world
from web.operations import STATIC, page_operations

SCHEMA = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_every_operation_of_the_modules_is_found_and_fits_the_schema() -> None:
    source = "".join(path.read_text() for path in STATIC.glob("*.js"))
    operations = page_operations()
    assert len(operations) == len(set(re.findall(r'[`"]((?:query|mutation|subscription) \w+)', source)))
    schema = build_schema(SCHEMA.read_text())
    assert [error for text in operations for error in validate(schema, parse(text))] == []


async def test_the_pages_work_where_only_trusted_documents_run(
    browser: Browser, database_url: str, database: asyncpg.Connection[asyncpg.Record], tmp_path: Path
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({}))
    async with serving(settings_for(database_url, trusted_documents=manifest)) as base_url:
        world = await make_world(base_url, database)
        desk = Desk(browser, world.base_url)
        page = await desk.sit()
        await page.goto("/sign-in")
        await give_password(page, "olive")
        await set_up(page)
        await page.get_by_role("link", name="Agency security").click()
        await page.get_by_role("switch", name="Require MFA for all staff").check()
        await expect(page.get_by_role("status").filter(has_text="Saving asks 2 staff members")).to_be_visible()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("MFA is required.")).to_be_visible()
        other = await page.evaluate(
            "async () => (await fetch('/graphql', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            " body: JSON.stringify({query: 'query Other { viewer { id } }'})})).text()"
        )
        assert "Only trusted documents run here." in other
        await desk.close()
