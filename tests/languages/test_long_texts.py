"""Every page and every dialog holds its texts, however long they are, on a small screen and on a large one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.account.acts import save
from tests.catalogues import TRANSLATED
from tests.operations import ISSUE_PASS
from tests.pages.conftest import Sit, sit
from tests.pages.desk import give_password
from tests.people import World, email

__all__ = ["sit"]

WIDTHS = (320, 1280)
# How much longer than in English: every word that is shown, without a new place to break it.
STRETCH = 0.4
SIGNED_OUT = (
    "/sign-in",
    "/set-password",
    "/set-password?invited#token=x",
    "/not-me#token=x",
    "/not-my-session#token=x",
    "/not-wanted#token=x",
    "/come-back#token=x",
    "/not-my-recovery#token=x",
)
SIGNED_IN = ("/account/security", "/settings/security", "/settings/security?account=nobody")
LENGTHEN = """(share) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let grown = 0;
  while (walker.nextNode()) {
    const { currentNode: node } = walker;
    if (["SCRIPT", "STYLE"].includes(node.parentNode.nodeName) || node.stretched) continue;
    node.textContent = node.textContent.replace(/[A-Za-z]{3,}/g, (word) => {
      grown += 1;
      return word + "ä".repeat(Math.round(word.length * share));
    });
    node.stretched = true;
  }
  return grown;
}"""
# What is wider than the screen or than what it stands in, and buttons and options whose words are cut off.
OVER = """() => {
  const isShown = (each) => {
    const box = each.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(each).visibility !== "hidden" && !each.closest(".skip");
  };
  const told = (each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 60)}`;
  const all = [...document.querySelectorAll("body *")].filter(isShown);
  const outside = all.filter((each) => {
    const box = each.getBoundingClientRect();
    return box.right > innerWidth + 1 || box.left < -1;
  });
  const cut = all.filter((each) => each.matches("button, a, summary, label, legend, th, h1, h2, .badge")
    && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
    && getComputedStyle(each).display !== "inline" && !each.matches(".unseen, .unseen *"));
  const sideways = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  return [...outside.map(told), ...cut.map((each) => `cut: ${told(each)}`), ...sideways];
}"""
# Each dialog as it stands in its template, one after another.
DIALOGS = """() => [...document.querySelectorAll("template")]
  .filter((each) => each.content.querySelector("dialog")).map((each) => each.id)"""
OPEN = """(id) => {
  const dialog = document.getElementById(id).content.cloneNode(true).querySelector("dialog");
  for (const hidden of dialog.querySelectorAll("[hidden]")) hidden.hidden = false;
  for (const closed of dialog.querySelectorAll("details")) closed.open = true;
  document.body.append(dialog);
  dialog.showModal();
}"""
CLOSE = """() => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.remove())"""
# Buttons as narrow as no page has them.
CUT = """() => document.querySelectorAll("button").forEach((each) => Object.assign(each.style,
  { width: "2rem", padding: 0, whiteSpace: "nowrap", overflow: "hidden" }))"""


async def over(page: Page) -> dict[int, list[str]]:
    """What does not fit, in each width."""
    found: dict[int, list[str]] = {}
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        if wrong := await page.evaluate(OVER):
            found[width] = wrong
    return found


async def hold(page: Page, share: float = STRETCH) -> None:
    """Let the page, and each of its dialogs, hold texts that are so much longer."""
    assert await page.evaluate(LENGTHEN, share) > 3
    assert await over(page) == {}
    for name in await page.evaluate(DIALOGS):
        await page.evaluate(OPEN, name)
        assert await page.evaluate(LENGTHEN, share) > 3, name
        assert await over(page) == {}, name
        await page.evaluate(CLOSE)


async def open_signed_in(sit: Sit, world: World, path: str, **options: Any) -> Page:
    """The page as Olive sees it, whose agency has all that a roster shows."""
    await save(await world.sign_in("olive"), world, True, 7)
    await world.enroll(await world.sign_in("mia"))
    refuse = (
        "INSERT INTO refused_identities (user_id, issuer) VALUES ($1, 'https://login.provider.example/tenant-of-ours')"
    )
    await world.database.execute(refuse, await world.user_id("olive"))
    page = await sit("olive", path, **options)
    await expect(page.locator("h1")).to_be_visible()
    if path == "/settings/security":
        await expect(page.get_by_role("rowheader", name=email("mia"))).to_be_visible()
    elif path == "/account/security":
        await expect(page.locator("#main [data-set-up]").first).to_be_visible()
    return page


@pytest.mark.parametrize("path", SIGNED_OUT)
async def test_the_pages_of_whoever_is_signed_out_hold_two_fifths_more(sit: Sit, world: World, path: str) -> None:
    page = await sit()
    await page.goto(path)
    await expect(page.locator("h1")).to_be_visible()
    await hold(page)


@pytest.mark.parametrize("path", SIGNED_IN)
async def test_the_pages_of_whoever_is_signed_in_hold_two_fifths_more(sit: Sit, world: World, path: str) -> None:
    await hold(await open_signed_in(sit, world, path))


async def test_the_second_step_and_the_page_for_a_new_app_hold_two_fifths_more(sit: Sit, world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    olive = await world.enrolled("olive")
    variables = {"account": str(world.account_id), "staff": str(await world.staff_id("mia")), "reason": "Phone lost"}
    issued = await olive.do(ISSUE_PASS, **variables)
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await expect(page.get_by_role("textbox", name="6-digit code")).to_be_visible()
    await page.get_by_role("button", name="Use a recovery pass").click()
    await page.get_by_role("textbox", name="Recovery pass").fill(issued["recoveryPass"])
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Set up your new app")).to_be_visible()
    await hold(page)
    again = await sit()
    await again.goto("/sign-in")
    await give_password(again, "mia")
    await expect(again.get_by_role("textbox", name="6-digit code")).to_be_visible()
    await hold(again)


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("path", ["/account/security", "/settings/security", "/sign-in"])
async def test_every_language_fits_as_it_is(sit: Sit, world: World, language: str, path: str) -> None:
    if path == "/sign-in":
        page = await sit(locale=language)
        await page.goto(path)
        await expect(page.locator("h1")).to_be_visible()
    else:
        page = await open_signed_in(sit, world, path, locale=language)
    assert await page.locator("html").get_attribute("lang") == language
    await hold(page, 0)


async def test_what_does_not_fit_is_seen(sit: Sit, world: World) -> None:
    page = await sit()
    await page.goto("/sign-in")
    await expect(page.locator("h1")).to_be_visible()
    assert await over(page) == {}
    await page.evaluate(CUT)
    assert any(wrong.startswith("cut: BUTTON") for wrong in (await over(page))[320])
