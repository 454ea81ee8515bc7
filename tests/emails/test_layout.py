"""How the emails look in a browser: nothing is cut off on a small phone, and all of it can be read, light or dark."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Literal

import pytest
from playwright.async_api import Browser, Page

from tests.browser import opened
from tests.emails.rendering import LONGEST_ADDRESS, MAILS, mail_of, part

# For each text that shows: its colour, that of the nearest background, and whether it stays within the window.
TEXTS = """() => {
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const range = document.createRange()
    range.selectNodeContents(walker.currentNode)
    const box = range.getBoundingClientRect()
    if (!walker.currentNode.data.trim() || !box.width) continue
    let ground = walker.currentNode.parentElement
    const color = getComputedStyle(ground).color
    while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
    const isInside = box.left >= 0 && box.right <= innerWidth
    texts.push([walker.currentNode.data.trim(), color, getComputedStyle(ground).backgroundColor, isInside])
  }
  return texts
}"""
LONG = mail_of(account_name="W" * 200, recipient=LONGEST_ADDRESS, public_url=f"https://{'gatehouse-' * 6}.example.com")


def luminance(color: str) -> float:
    """The relative luminance of WCAG 2 of 'rgb(r, g, b)'."""
    parts = [int(value) / 255 for value in color.removeprefix("rgb(").removesuffix(")").split(", ")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


async def texts_of(page: Page, mail: EmailMessage) -> list[tuple[str, str, str, bool]]:
    await page.set_content(part(mail, "html"))
    texts: list[tuple[str, str, str, bool]] = await page.evaluate(TEXTS)
    assert len(texts) > 8
    return texts


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_a_contrast_of_4_5_and_dark_is_dark(
    browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    async with await opened(browser, color_scheme=scheme) as context:
        page = await context.new_page()
        for mail in MAILS.values():
            texts = await texts_of(page, mail)
            assert [text for text, color, ground, _ in texts if contrast(color, ground) < 4.5] == []
            greeting = next(ground for text, _, ground, _ in texts if text.startswith("Hello"))
            assert (luminance(greeting) < 0.05) == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 360, 1200])
async def test_nothing_overflows_however_long_names_and_addresses_are(browser: Browser, width: int) -> None:
    async with await opened(browser, viewport={"width": width, "height": 700}) as context:
        page = await context.new_page()
        for mail in (*MAILS.values(), LONG):
            assert [text for text, _, _, is_inside in await texts_of(page, mail) if not is_inside] == []
