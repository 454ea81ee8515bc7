"""An answer that is lost on the way to a browser: what it shows is shown all the same."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.async_api import Page, Route, expect

from rules.failures import UNSURE, ServiceUnavailable
from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, dialog_of, scan, set_up
from tests.people import World
from tests.waiting import until
from web.operations import page_operations

TRIES = 3
UNAVAILABLE = json.dumps({"errors": [{"message": UNSURE, "extensions": {"code": ServiceUnavailable.code}}]})


class Line:
    """A network that cuts off the answers to a mutation, so many times; or says something `instead`."""

    def __init__(self, mutation: str, times: int, instead: str | None = None) -> None:
        self.mutation = mutation
        self.times = times
        self.instead = instead
        self.keys: list[str] = []

    async def carry(self, route: Route) -> None:
        """Let one request through, and its answer or half of it."""
        body: dict[str, Any] = json.loads(route.request.post_data or "{}")
        if self.mutation not in body["query"]:
            return await route.continue_()
        self.keys.append(body["variables"].get("input", body["variables"])["idempotencyKey"])
        answer = await route.fetch()
        text = await answer.text()
        if len(self.keys) <= self.times:
            text = self.instead or text[: len(text) // 2]
        return await route.fulfill(status=answer.status, headers={"content-type": "application/json"}, body=text)


async def enter_code(page: Page) -> None:
    """Set-up, up to the code."""
    await page.get_by_role("button", name="Set up MFA").click()
    factor = await scan(page)
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code(-1))


async def test_the_backup_codes_are_shown_though_their_answer_was_lost(sit: Sit, world: World) -> None:
    page = await sit("mia")
    line = Line("verifyAndEnableMfa", times=TRIES - 1)
    await page.route("**/graphql", line.carry)
    await enter_code(page)
    assert len(set(await codes_in(page.get_by_role("dialog", name="Save your backup codes")))) == 10
    assert len(line.keys) == TRIES
    assert len(set(line.keys)) == 1
    assert len(await world.events("MFA_ENABLED")) == 1


async def test_whoever_tries_again_by_hand_gets_them_too(sit: Sit, world: World) -> None:
    page = await sit("mia")
    line = Line("verifyAndEnableMfa", times=TRIES)
    await page.route("**/graphql", line.carry)
    await enter_code(page)
    await expect(dialog_of(page).get_by_role("alert").filter(has_text="The server cannot be reached.")).to_be_visible()
    await dialog_of(page).get_by_role("button", name="Verify and enable").click()
    assert len(set(await codes_in(page.get_by_role("dialog", name="Save your backup codes")))) == 10
    assert len(set(line.keys)) == 1
    assert len(await world.events("MFA_ENABLED")) == 1


async def test_a_change_that_may_have_been_made_keeps_its_key(sit: Sit, world: World) -> None:
    page = await sit("mia")
    line = Line("verifyAndEnableMfa", times=1, instead=UNAVAILABLE)
    await page.route("**/graphql", line.carry)
    await enter_code(page)
    await expect(dialog_of(page).get_by_role("alert").filter(has_text="does not know")).to_be_visible()
    await dialog_of(page).get_by_role("button", name="Verify and enable").click()
    assert len(set(await codes_in(page.get_by_role("dialog", name="Save your backup codes")))) == 10
    assert len(line.keys) == 2
    assert len(set(line.keys)) == 1
    assert len(await world.events("MFA_ENABLED")) == 1


async def test_each_change_has_a_key_of_its_own(sit: Sit, world: World) -> None:
    page = await sit("mia")
    line = Line("mutation", times=0)
    await page.route("**/graphql", line.carry)
    await set_up(page)  # begin, verify, and that the codes are saved
    await until(lambda: len(line.keys) >= 3, "three changes")
    assert len(line.keys) == len(set(line.keys)) == 3


def test_a_mutation_without_input_says_where_its_key_goes() -> None:
    without = [text for text in page_operations() if text.startswith("mutation") and "$input" not in text]
    assert without
    assert [
        text for text in without if not re.search(r"\(\$idempotencyKey: String\) .*\(idempotencyKey: \$", text, re.S)
    ] == []
