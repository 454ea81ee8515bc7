"""Codes as people type and paste them: the pages take whatever the server takes."""

from __future__ import annotations

import sys
import unicodedata

from playwright.async_api import expect

import rules.typed
from tests.pages.conftest import Sit
from tests.pages.desk import give_password
from tests.people import World

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
READ = """async (characters) => {
    const { href } = document.querySelector("link[rel=modulepreload][href$='/codes.js']");
    const { codeIn } = await import(href);
    const field = document.createElement("input");
    return characters.map((each) => { field.value = `a${each}b`; return codeIn(field); });
}"""


async def test_a_code_in_the_digits_of_another_script_sends_itself(sit: Sit, world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    code = (await factor.code()).translate(PERSIAN)
    await page.get_by_role("textbox", name="6-digit code").fill(f"{code[:3]}\u2043{code[3:]}")
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()


async def test_each_character_that_the_server_drops_or_reads_as_a_digit_the_pages_do_too(
    sit: Sit, world: World
) -> None:
    page = await sit()
    await page.goto("/sign-in")
    known = [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) not in {"Cn", "Cs"}]
    # A field takes neither the NUL character nor the ends of lines.
    read = {each: rules.typed.code(f"a{each}b") for each in known if each not in "\0\n\r"}
    meant = {each: code for each, code in read.items() if code == "ab" or code[1:-1] in tuple("0123456789")}
    assert len(meant) > 700
    found = await page.evaluate(READ, list(meant))
    wrong = [
        (f"{ord(each):x}", code) for (each, code), by_page in zip(meant.items(), found, strict=True) if code != by_page
    ]
    assert wrong == []
