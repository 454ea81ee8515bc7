"""What strangers say of the pages: TypeScript of their modules, axe-core of what people see."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.account.acts import reset, save
from tests.account_recovery.waiting import allow, start
from tests.once import made_once
from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, give_password, scan, scan_in, set_up
from tests.people import World, email
from tests.transport.node import installed, node_command
from web.static_files import STATIC

CHECKS = Path(__file__).parent / "checks"


@pytest.fixture(scope="session")
async def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TypeScript and axe-core, fetched through npm, and our modules."""

    async def fetch(folder: Path) -> None:
        await installed(folder, CHECKS)
        shutil.copytree(STATIC, folder / "static")

    return await made_once(tmp_path_factory, "checks", fetch)


async def test_the_modules_are_of_the_types_they_say(fetched: Path) -> None:
    node, environment = node_command()
    await run(fetched, environment, node, "node_modules/typescript/bin/tsc", "-p", ".")


async def run(folder: Path, environment: dict[str, str], *command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def check(page: Page, tools: Path) -> None:
    """Let axe-core look at the page in both schemes and in two widths."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate((tools / "node_modules/axe-core/axe.min.js").read_text())
    for scheme in ("light", "dark"):
        for width in (320, 1280):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await page.set_viewport_size({"width": width, "height": 800})
            found = await page.evaluate(
                "async () => (await axe.run()).violations.map("
                "({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + failureSummary)])"
            )
            assert found == [], (scheme, width, found)
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (scheme, width, wide)


async def test_nothing_stands_in_the_way_of_signing_in(sit: Sit, world: World, fetched: Path) -> None:
    await world.enroll(await world.sign_in("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Email is missing.")).to_be_visible()
    await check(page, fetched)
    await give_password(page, "mia")
    await page.get_by_role("textbox", name="6-digit code").fill("000000")
    await expect(page.get_by_text("That code is not right.")).to_be_visible()
    await check(page, fetched)
    await page.get_by_role("button", name="Use a backup code").click()
    await check(page, fetched)
    await page.get_by_role("button", name="Use a recovery pass").click()
    await page.get_by_role("button", name="Continue").click()
    await check(page, fetched)
    await page.goto("/set-password")
    await check(page, fetched)
    await page.goto("/set-password#token=gh_x")
    await page.reload()
    await check(page, fetched)


async def link_and_remove(world: World, name: str) -> None:
    """Let an account at one provider sign in as the person, and at another one no more."""
    link = "INSERT INTO identities (issuer, subject, user_id) VALUES ('https://accounts.example', 'x', $1)"
    await world.database.execute(link, user_id := await world.user_id(name))
    refuse = "INSERT INTO refused_identities (user_id, issuer) VALUES ($1, 'https://login.example/tenant')"
    await world.database.execute(refuse, user_id)


async def test_nothing_stands_in_the_way_on_ones_own_page(sit: Sit, world: World, fetched: Path) -> None:
    await save(await world.sign_in("olive"), world, True, 7)
    await link_and_remove(world, "mia")
    page = await sit("mia")
    await expect(page.get_by_role("button", name="Set up MFA")).to_be_visible()
    await expect(page.get_by_role("region", name="Sign-in providers").get_by_role("listitem")).to_have_count(2)
    await check(page, fetched)
    await page.get_by_role("button", name="Set up MFA").click()
    factor = await scan(page)
    await check(page, fetched)
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code(-1))
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    await codes_in(dialog)
    await check(page, fetched)
    await dialog.get_by_role("checkbox").check()
    await dialog.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    await check(page, fetched)
    for name in ("Regenerate backup codes", "Replace authenticator", "Disable MFA"):
        await page.get_by_role("button", name=name).click()
        await check(page, fetched)
        await page.get_by_role("button", name="Cancel").click()


async def test_nothing_stands_in_the_way_on_the_agencys_page(sit: Sit, world: World, fetched: Path) -> None:
    await save(await world.sign_in("olive"), world, True, 7)
    await world.enroll(await world.sign_in("mia"))
    page = await sit("olive")
    await set_up(page, "Set it up now")
    await page.goto("/settings/security")
    await expect(page.get_by_role("switch")).to_be_visible()
    await check(page, fetched)
    await page.get_by_role("button", name="Invite staff").click()
    await check(page, fetched)
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("row").filter(has_text=email("adam")).get_by_role("button", name="Exception").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, fetched)
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_text("Who, and who joins later").click()
    await page.get_by_text("Look at a day").click()
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_text("Without it and with an exception: 0.")).to_be_visible()
    await check(page, fetched)
    await page.get_by_role("button", name="Add webhook").click()
    await page.get_by_text("Only some events").click()
    await check(page, fetched)
    await page.get_by_role("textbox", name="URL").fill("https://hooks.example.com/" + "long" * 40)
    await page.get_by_role("dialog").get_by_role("button", name="Add webhook").click()
    secret = page.get_by_role("dialog", name="Save the signing secret")
    await expect(secret).to_be_visible()
    await check(page, fetched)
    await secret.get_by_role("checkbox").check()
    await secret.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Deliveries").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, fetched)
    await page.get_by_role("button", name="Close").click()
    for name in ("New secret", "Remove"):
        await page.get_by_role("region", name="Webhooks").get_by_role("button", name=name).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await check(page, fetched)
        await page.get_by_role("button", name="Cancel").click()
    row = page.get_by_role("row").filter(has_text=email("mia"))
    await row.get_by_role("button", name="Reset MFA").click()
    await check(page, fetched)
    await page.get_by_role("button", name="Cancel").click()
    await link_and_remove(world, "mia")
    await row.get_by_role("button", name="Sessions").click()
    await expect(page.get_by_role("dialog").get_by_role("button", name="Allow again")).to_be_visible()
    await check(page, fetched)
    page = await sit("petra")
    await page.goto("/settings/security")
    await check(page, fetched)


async def test_nothing_stands_in_the_way_of_whoever_is_held_up(sit: Sit, world: World, fetched: Path) -> None:
    page = await sit("mia")
    await page.goto("/settings/security")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    await check(page, fetched)
    await save(await world.sign_in("olive"), world, True, 0)
    await page.goto("/account/security")
    await expect(page.get_by_text("Set it up now to continue accessing your account.")).to_be_visible()
    await check(page, fetched)
    await world.database.execute("DELETE FROM sessions")
    ended = page.get_by_role("alert").filter(has_text="Your session has ended")
    await expect(ended).to_be_visible()
    await check(page, fetched)
    await ended.get_by_role("button", name="Sign in again").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, fetched)


async def test_nothing_stands_in_the_way_where_a_reset_waits(sit: Sit, world: World, fetched: Path) -> None:
    page = await sit("olive")
    await set_up(page)
    adam, _ = await world.enrolled("adam"), await world.enrolled("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    await reset(adam, world, "mia", "Phone lost on the train")
    await page.goto("/settings/security")
    card = page.get_by_role("region", name="Resets that wait")
    await expect(card).to_contain_text("Phone lost on the train")
    await check(page, fetched)
    await card.get_by_role("button", name="Approve").click()
    await expect(card.get_by_role("alert")).to_contain_text("have not left yet")
    await check(page, fetched)


async def test_nothing_stands_in_the_way_of_a_recovery_pass(sit: Sit, world: World, fetched: Path) -> None:
    await world.enroll(await world.sign_in("mia"))
    olive = await sit("olive")
    await set_up(olive)
    await olive.goto("/settings/security")
    await olive.get_by_role("row").filter(has_text=email("mia")).get_by_role("button", name="Recovery pass").click()
    await check(olive, fetched)
    await olive.get_by_role("textbox", name="Reason").fill("Phone lost on the train")
    await olive.get_by_role("button", name="Make a pass").click()
    shown = olive.get_by_role("dialog", name="Hand this pass over")
    recovery_pass = await shown.locator("code").inner_text()
    await check(olive, fetched)
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await page.get_by_role("button", name="Use a recovery pass").click()
    await page.get_by_role("textbox", name="Recovery pass").fill(recovery_pass)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Set up your new app")).to_be_focused()
    await check(page, fetched)
    new = await scan_in(page.get_by_role("main"))
    await page.get_by_role("textbox", name="6-digit code").fill(await new.code(-1))
    await codes_in(page.get_by_role("dialog", name="Save your backup codes"))
    await check(page, fetched)
    await page.context.clear_cookies()
    await page.goto("/new-app")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["/not-me", "/not-my-session", "/not-wanted", "/come-back", "/not-my-recovery"])
async def test_nothing_stands_in_the_way_at_a_link_out_of_an_email(
    sit: Sit, world: World, fetched: Path, path: str
) -> None:
    page = await sit()
    await page.goto(f"{path}#token=gh_l_{'x' * 43}")
    button = page.get_by_role("main").get_by_role("button")
    await expect(button).to_be_focused()
    await check(page, fetched)
    await button.click()
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()
    await check(page, fetched)


async def test_nothing_stands_in_the_way_of_coming_back_alone(sit: Sit, world: World, fetched: Path) -> None:
    page = await sit("mia")
    await set_up(page)
    await allow(world)
    await start(world)
    await world.database.execute(
        "UPDATE factors SET enabled_at = enabled_at - interval '365 days', last_step = last_step - 2880 * 365"
    )
    await world.database.execute("DELETE FROM backup_codes")
    await page.reload()
    await expect(page.get_by_role("region", name="Your MFA is reset on")).to_be_visible()
    await expect(page.get_by_role("region", name="Does your authenticator app still work?")).to_be_visible()
    await check(page, fetched)
    page = await sit("olive", at="/settings/security")
    await expect(page.get_by_role("region", name="Who may be locked out")).to_be_visible()
    await expect(page.get_by_role("region", name="Coming back without MFA")).to_be_visible()
    await page.get_by_text("Whether, and how long who waits").click()
    await expect(page.get_by_role("checkbox", name="Staff may come back alone")).to_be_checked()
    await check(page, fetched)
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await page.get_by_role("button", name="I have none of these").click()
    await check(page, fetched)
    await page.get_by_role("button", name="Send me the link").click()
    await expect(page.get_by_text("you wait 3 days")).to_be_focused()
    await check(page, fetched)


async def test_nothing_stands_in_the_way_of_a_super_admin(sit: Sit, world: World, fetched: Path) -> None:
    page = await sit("sue")
    await set_up(page)
    await page.goto(f"/settings/security?account={world.account_id}")
    await expect(page.get_by_role("row").filter(has_text=email("mia"))).to_be_visible()
    await check(page, fetched)
    await page.goto("/settings/security?account=nonsense")
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    await check(page, fetched)
