"""The pages come in the language of the browser, or of the person's choice, and hold in long ones on a small screen."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

import languages
from tests.catalogues import TRANSLATED
from tests.client import http_client
from tests.pages.conftest import Sit, sit
from tests.people import PASSWORD, World, email

__all__ = ["sit"]

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
