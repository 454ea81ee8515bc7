"""What the documentation promises, by people at their browsers, from one `gatehouse up` and a few commands."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.client import http_client
from tests.commands import command
from tests.pages.desk import Desk, codes_in, dialog_of, give_password, scan, set_up
from tests.parts import Process
from tests.people import PASSWORD, Factor, email
from tests.server.running import Up, ready
from tests.waiting import until

PHRASE = "a wholly other phrase"
AGENCY = "/settings/security"


class Agency:
    """An agency on a product of its own, and what its people and its operator do."""

    def __init__(self, up: Up, desk: Desk) -> None:
        self.up, self.desk = up, desk
        self.account_id = ""

    async def operate(self, *arguments: str, stdin: str = "") -> str:
        """Run a command on the product's data; what it prints."""
        data_dir = str(self.up.data_dir)
        done = await asyncio.to_thread(command, *arguments, stdin=stdin, data_dir=data_dir)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def email(self, recipient: str, words: str) -> str:
        """The text of an email to `recipient` with these words in it, once there is one."""
        found: list[str] = []

        async def is_there() -> bool:
            mails = (await http.get("/mailbox.json")).json()
            found[:] = [mail["text"] for mail in mails if recipient in mail["to"] and words in mail["text"]]
            return bool(found)

        async with http_client(self.up.mailbox_url) as http:
            await until(is_there, f"{words!r} for {recipient}")
        return found[0]

    async def sign_in(self, name: str, at: str, password: str = PASSWORD) -> Page:
        """A browser in which the person has given the password, wanting the page `at`."""
        page = await self.desk.sit()
        await page.goto(at)
        await give_password(page, name, password)
        return page


@pytest_asyncio.fixture
async def agency(browser: Browser, gatehouse: Callable[..., Process], tmp_path: Path) -> AsyncIterator[Agency]:
    """An agency with its owner Olive, on a fresh `gatehouse up`."""
    up = await ready(gatehouse, tmp_path / "data", "--no-demo")
    agency = Agency(up, Desk(browser, up.url))
    create = ("account", "create", "--name=Agency", f"--owner={email('olive')}", "--password-stdin", "--json")
    made = json.loads(await agency.operate(*create, stdin=PASSWORD))
    agency.account_id = made["accountId"]
    yield agency
    await agency.desk.close()


def row(page: Page, name: str) -> Locator:
    """Somebody's row of the roster."""
    return page.get_by_role("row").filter(has_text=email(name))


@pytest.mark.long
async def test_an_owner_invites_a_colleague_and_both_do_all_that_the_documentation_promises(agency: Agency) -> None:
    olive = await agency.desk.sit("olive", AGENCY)
    mia, factor = await come_in_and_enroll(agency, olive)
    await sign_in_by_app_and_by_backup_code(agency, mia, factor)
    owner = await require_mfa(olive)
    await be_blocked_until_enrolled(agency)
    olive = await agency.sign_in("olive", AGENCY)
    await olive.get_by_role("textbox", name="6-digit code").fill(await owner.code())
    await reset_and_enroll_anew(agency, olive)
    await look_on(agency)
    await see_the_first_500(agency, olive)


async def come_in_and_enroll(agency: Agency, olive: Page) -> tuple[Page, Factor]:
    """Mia comes by the invitation's link and enrolls, while Olive looks at the roster."""
    await olive.get_by_role("button", name="Invite staff").click()
    await dialog_of(olive).get_by_role("textbox", name="Email").fill(email("mia"))
    await dialog_of(olive).get_by_role("button", name="Send invitation").click()
    await expect(row(olive, "mia")).to_contain_text("Invited")
    mia = await agency.desk.sit()
    (link,) = re.findall(r"^http\S+", await agency.email(email("mia"), "/set-password?invited#"), re.MULTILINE)
    await mia.goto(link.replace("localhost", "127.0.0.1"))
    await mia.get_by_role("textbox", name="New password").fill(PHRASE)
    await mia.get_by_role("button", name="Set password").click()
    await mia.get_by_role("link", name="Sign in", exact=True).click()
    await give_password(mia, "mia", PHRASE)
    await expect(mia.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    factor = await set_up(mia)
    await expect(row(olive, "mia").get_by_text("Enabled", exact=True)).to_be_visible()
    answer = await mia.goto(AGENCY)
    assert answer
    assert answer.status == 404
    return mia, factor


async def sign_in_by_app_and_by_backup_code(agency: Agency, mia: Page, factor: Factor) -> None:
    """Mia signs out and comes back by her app, elsewhere by a backup code, and makes the codes anew."""
    await mia.goto("/account/security")
    await mia.get_by_role("button", name="Sign out", exact=True).click()
    await give_password(mia, "mia", PHRASE)
    await mia.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await expect(mia.get_by_text("10 backup codes left.")).to_be_visible()
    elsewhere = await agency.sign_in("mia", "/account/security", PHRASE)
    await elsewhere.get_by_role("button", name="Use a backup code").click()
    await elsewhere.get_by_role("textbox", name="Backup code").fill(factor.backup_codes[0])
    await expect(elsewhere.get_by_text("9 backup codes left.")).to_be_visible()
    await elsewhere.get_by_role("button", name="Regenerate backup codes").click()
    await dialog_of(elsewhere).get_by_role("textbox", name="6-digit code").fill(await factor.code(1))
    saved = elsewhere.get_by_role("dialog", name="Save your backup codes")
    assert not set(await codes_in(saved)) & set(factor.backup_codes)


async def require_mfa(olive: Page) -> Factor:
    """Olive turns MFA on for herself and requires it of everybody, within 7 days."""
    await olive.goto("/account/security")
    factor = await set_up(olive)
    await olive.get_by_role("link", name="Agency security").click()
    await olive.get_by_role("switch", name="Require MFA for all staff").check()
    await expect(olive.get_by_role("spinbutton", name="Grace period (days)")).to_have_value("7")
    await olive.get_by_role("button", name="Save").click()
    await expect(olive.get_by_role("status").filter(has_text="Grace period: 7 days")).to_be_visible()
    return factor


async def be_blocked_until_enrolled(agency: Agency) -> None:
    """Adam sees the banner, lets the days pass, is blocked, and goes on once he has enrolled."""
    admin = ("staff", "add", f"--account={agency.account_id}", f"--email={email('adam')}", "--role=admin")
    await agency.operate(*admin, "--password-stdin", stdin=PASSWORD)
    adam = await agency.desk.sit("adam")
    banner = adam.get_by_role("region", name="MFA Required")
    await expect(banner).to_contain_text("Your agency requires MFA for all staff. You have 7 days to set it up.")
    await agency.operate("clock", "advance", "8d")
    adam = await agency.desk.sit("adam")
    await expect(adam.get_by_text("Set it up now to continue accessing your account.")).to_be_visible()
    await expect(adam.get_by_role("button", name="Set up MFA")).to_have_count(0)
    await set_up(adam, "Set it up now")
    await expect(adam.get_by_role("button", name="Disable MFA")).to_be_visible()


async def reset_and_enroll_anew(agency: Agency, olive: Page) -> None:
    """Olive resets Mia, who is told, must enroll to go on, and is asked again when she turns it off."""
    await row(olive, "mia").get_by_role("button", name="Reset MFA").click()
    await dialog_of(olive).get_by_role("textbox", name="Reason").fill("Phone lost")
    await dialog_of(olive).get_by_role("button", name="Reset MFA").click()
    await expect(row(olive, "mia")).to_contain_text("Not enabled")
    await agency.email(email("mia"), "reset the multi-factor authentication (MFA) of your sign-in")
    mia = await agency.sign_in("mia", "/account/security", PHRASE)
    await expect(mia.get_by_text("Set it up now to continue accessing your account.")).to_be_visible()
    factor = await set_up(mia, "Set it up now")
    await mia.get_by_role("button", name="Disable MFA").click()
    await expect(dialog_of(mia)).to_contain_text("Your agency policy may still require it")
    await dialog_of(mia).get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await mia.get_by_role("button", name="Set it up now").click()
    await scan(mia)


async def look_on(agency: Agency) -> None:
    """Sue, who runs the platform, looks at the agency's page and finds nothing to press."""
    outside = ("account", "create", "--name=Platform", f"--owner={email('sue')}", "--password-stdin")
    await agency.operate(*outside, stdin=PASSWORD)
    await agency.operate("super-admin", "grant", f"--email={email('sue')}")
    sue = await agency.desk.sit("sue")
    await set_up(sue)
    await sue.goto(f"{AGENCY}?account={agency.account_id}")
    await expect(row(sue, "mia")).to_contain_text("Not enabled")
    for name in ("Save", "Reset MFA", "Invite staff"):
        await expect(sue.get_by_role("button", name=name)).to_have_count(0)


async def see_the_first_500(agency: Agency, olive: Page) -> None:
    """With Olive, Adam and Mia there are 501."""
    people = "".join(f"{number:03}@crowd.example,member\n" for number in range(498))
    await agency.operate("staff", "import", f"--account={agency.account_id}", "-", stdin="email,role\n" + people)
    await olive.goto(AGENCY)
    await expect(olive.get_by_text("Showing the first 500 staff members.")).to_be_visible()
    await expect(olive.get_by_role("table").locator("tbody tr")).to_have_count(500)
