"""The pages come in the language of the browser, or of the person's choice, and hold in long ones on a small screen."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

import languages
from tests.account.acts import save
from tests.catalogues import TRANSLATED
from tests.client import http_client
from tests.pages.conftest import Sit, sit
from tests.pages.desk import dialog_of
from tests.people import PASSWORD, World, email

__all__ = ["sit"]

SMALL = {"width": 360, "height": 740}
STRETCH = 0.4
HEADINGS = {"de": "Sicherheit", "es": "Seguridad", "fr": "Sécurité", "pt": "Segurança"}
SIGN_IN = {"de": "Anmelden", "es": "Iniciar sesión", "fr": "Se connecter", "pt": "Entrar"}


async def sign_in(page: Page, name: str, at: str = "/account/security") -> None:
    """Sign in by what stands where, whatever the language."""
    await page.goto(f"/sign-in?next={at}")
    await page.locator("#sign-in-email").fill(email(name))
    await page.locator("#sign-in-password").fill(PASSWORD)
    await page.locator("#flow button.primary").click()
    await page.wait_for_url(lambda url: "/sign-in" not in url)
    await expect(page.locator("#main h1, #main h2").first).to_be_visible()
    await expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("language", TRANSLATED)
async def test_a_page_comes_in_the_language_that_the_browser_prefers(sit: Sit, world: World, language: str) -> None:
    page = await sit(locale=language)
    await page.goto("/sign-in")
    await expect(page.get_by_role("heading", name=SIGN_IN[language])).to_be_visible()
    await sign_in(page, "mia")
    await expect(page.get_by_role("heading", name=HEADINGS[language], exact=True)).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == language
    # What a module says comes out of the catalogue, too, with a date as the language writes it.
    await page.locator("#current-password").fill("not the password at all")
    await page.locator("#new-password").fill("a long sentence of words")
    await page.locator("#change-password button.primary").click()
    said = languages.texts(language, "pages").gettext("The current password is wrong.")
    await expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()


async def test_a_person_chooses_on_their_page_and_is_followed_to_another_browser(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("combobox", name="Language").select_option("DE")
    await expect(page.get_by_role("heading", name="Sicherheit", exact=True)).to_be_visible()
    await expect(page.get_by_role("combobox", name="Sprache")).to_have_value("DE")
    other = await sit()
    await sign_in(other, "mia")
    await expect(other.get_by_role("heading", name="Sicherheit", exact=True)).to_be_visible()
    await other.get_by_role("combobox", name="Sprache").select_option("")
    await expect(other.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    assert [event["data"].get("language") for event in await world.events("LANGUAGE_CHANGED")] == ["de", None]


async def test_an_owner_sets_the_language_of_the_accounts_emails(sit: Sit, world: World) -> None:
    page = await sit("olive", at="/settings/security")
    await page.get_by_role("combobox", name="Language of emails").select_option("FR")
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert await world.database.fetchval("SELECT language FROM accounts WHERE id = $1", world.account_id) == "fr"


@pytest.mark.parametrize(
    ("cookie", "language"), [("tlh", "fr"), ("../../etc", "fr"), ("DE", "fr"), ("", "fr"), ("de; x", "de")]
)
async def test_a_cookie_that_names_no_language_of_ours_is_nothing(world: World, cookie: str, language: str) -> None:
    async with http_client(world.base_url) as http:
        headers = {"cookie": f"gatehouse-language={cookie}", "accept-language": "fr"}
        answer = await http.get("/sign-in", headers=headers)
    assert f'<html lang="{language}">' in answer.text
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize("path", ["/account/security", "/settings/security"])
async def test_nothing_runs_over_at_360_pixels_with_two_fifths_more_text(sit: Sit, world: World, path: str) -> None:
    await save(await world.sign_in("olive"), world, True, 7)
    page = await sit(viewport=SMALL)
    await sign_in(page, "olive", path)
    await stretch(page)
    assert await over(page) == []
    opener = "[data-set-up]" if path == "/account/security" else "[data-invite]"
    await page.locator(opener).first.click()
    await expect(dialog_of(page)).to_be_visible()
    await stretch(page)
    assert await over(page) == []


@pytest.mark.parametrize("path", ["/sign-in", "/set-password", "/not-me#token=x", "/not-my-session#token=x"])
async def test_nothing_runs_over_on_the_pages_of_whoever_is_signed_out(sit: Sit, world: World, path: str) -> None:
    page = await sit(viewport=SMALL)
    await page.goto(path)
    await expect(page.locator("h1")).to_be_visible()
    await stretch(page)
    assert await over(page) == []


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("path", ["/account/security", "/settings/security"])
async def test_nothing_runs_over_at_360_pixels_in_any_language(
    sit: Sit, world: World, language: str, path: str
) -> None:
    page = await sit(locale=language, viewport=SMALL)
    await sign_in(page, "olive", path)
    assert await over(page) == []


async def stretch(page: Page) -> None:
    """Make every word that is shown 1.4 times as long, without a new place to break."""
    grown: int = await page.evaluate(
        """(share) => {
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
        }""",
        STRETCH,
    )
    assert grown > 3


async def over(page: Page) -> list[str]:
    """What is wider than the screen, or than what it stands in."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((each) => {
          const box = each.getBoundingClientRect();
          const isShown = box.width > 1 && box.height > 1 && getComputedStyle(each).visibility !== "hidden";
          return isShown && (box.right > innerWidth + 1 || box.left < -1) && !each.closest(".skip");
        }).map((each) => `${each.tagName} ${each.className} ${each.textContent.slice(0, 60)}`)
        .concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])"""
    )
    return found
