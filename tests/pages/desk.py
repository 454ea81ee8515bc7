"""What people do at the pages, by role and name alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyotp
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser import opened
from tests.operations import WITH_COOKIE
from tests.people import PASSWORD, Factor, email

# What a browser says by itself of an answer that is no success.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (400|404|503)")


@dataclass
class Desk:
    """The browsers of one test."""

    browser: Browser
    base_url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def sit(self, name: str | None = None, at: str = "/account/security", **options: object) -> Page:
        """A page of a browser of one's own, signed in as `name` by the cookie of a real sign-in."""
        # Nothing waits for a movement to end, and without any the browser has less to draw.
        settings = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        context = await opened(self.browser, base_url=self.base_url, **settings)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("request", lambda request: self._look(request.url))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if name:
            variables = {"email": email(name), "password": PASSWORD}
            answer = await context.request.post("/graphql", data={"query": WITH_COOKIE, "variables": variables})
            assert (await answer.json())["data"]["signIn"]["__typename"] == "SignedIn"
            await page.goto(at)
        return page

    def _look(self, url: str) -> None:
        if not url.startswith((self.base_url + "/", "data:", "blob:")):
            self.complaints.append(url)

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not EXPECTED.search(text):
            self.complaints.append(text)

    async def close(self) -> None:
        """Close all, and fail when a page asked elsewhere or complained."""
        for context in self.contexts:
            # What a test carries by itself is carried to its end, so that it does not break into the next one.
            for page in context.pages:
                await page.unroute_all(behavior="wait")
            await context.close()
        assert self.complaints == []


async def give_password(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the first step of signing in."""
    await page.get_by_role("textbox", name="Email").fill(email(name))
    await page.get_by_role("textbox", name="Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def set_up(page: Page, opener: str = "Set up MFA") -> Factor:
    """Set MFA up from its button to "Done"; the step before this one is spent."""
    await page.get_by_role("button", name=opener).click()
    factor = await scan(page)
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code(-1))
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    factor.backup_codes = await codes_in(dialog)
    await dialog.get_by_role("checkbox", name="I have saved these codes").check()
    await dialog.get_by_role("button", name="Done").click()
    await expect(dialog).to_have_count(0)
    return factor


async def scan(page: Page) -> Factor:
    """The factor whose key the dialog of set-up shows for typing."""
    return await scan_in(dialog_of(page))


async def scan_in(place: Locator) -> Factor:
    """The factor whose key is shown for typing in this place."""
    await expect(place.locator("code")).not_to_have_text("")
    key = await place.locator("code").inner_text()
    assert len(pyotp.TOTP(key.replace(" ", "")).now()) == 6
    return Factor(key.replace(" ", ""), [])


async def codes_in(dialog: Locator) -> list[str]:
    """The backup codes that a dialog shows."""
    await expect(dialog.get_by_role("listitem")).to_have_count(10)
    return await dialog.get_by_role("listitem").all_inner_texts()


def dialog_of(page: Page) -> Locator:
    """The one dialog that is open."""
    return page.get_by_role("dialog")
