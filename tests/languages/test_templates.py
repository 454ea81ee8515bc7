"""The templates are compiled once, whichever language they are filled in with."""

from __future__ import annotations

from types import CodeType

import pytest

from languages import templates
from rules.languages import LANGUAGES


@pytest.mark.parametrize(
    ("package", "domain", "name"), [("web", "pages", "sign_in.html"), ("workers", "emails", "mfa_enabled/body.html")]
)
def test_a_template_is_compiled_once_for_all_languages(package: str, domain: str, name: str) -> None:
    first, *others = [code_of(package, domain, language, name) for language in LANGUAGES]
    assert all(other is first for other in others)
    assert others


def code_of(package: str, domain: str, language: str, name: str) -> CodeType:
    """What the template's body runs."""
    return templates.environment(package, domain, language).get_template(name).root_render_func.__code__
