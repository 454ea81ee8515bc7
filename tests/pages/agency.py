"""Where an agency's page is, and a row of its roster."""

from __future__ import annotations

from playwright.async_api import Locator, Page

from tests.people import email

AT = "/settings/security"


def member(page: Page, name: str) -> Locator:
    """Somebody's row."""
    return page.get_by_role("row").filter(has_text=email(name))
