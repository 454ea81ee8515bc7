"""What the API says to people comes in the language of the request; what it says to programs stays as it is."""

from __future__ import annotations

import re

import pytest

import languages
from rules import failures
from rules.messages import FOR_PEOPLE
from tests.catalogues import TRANSLATED
from tests.languages.operations import NOTICE_WORDS
from tests.operations import BEGIN_TYPE, SIGN_IN, VERIFY
from tests.people import World, begin, email, require_mfa

PLACE = re.compile(r"{(\w+)}")
ACCEPT = {"de": "de-CH", "es": "es", "fr": "fr;q=0.9", "pt": "pt-BR,en;q=0.5"}


@pytest.mark.parametrize("language", TRANSLATED)
async def test_a_failure_comes_in_the_language_of_the_request(world: World, language: str) -> None:
    client = world.client(**{"accept-language": ACCEPT[language]})
    wrong = await client.do(SIGN_IN, email=email("mia"), password="not the password at all")
    expected = languages.told(failures.InvalidCredentials().message, language)
    assert wrong["message"] == expected
    assert expected != failures.InvalidCredentials().message
    refused = await client.raw(BEGIN_TYPE)
    assert refused["errors"][0]["message"] == languages.told("Sign in first.", language)
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_found_by_its_english_with_what_is_filled_in(language: str) -> None:
    for text in FOR_PEOPLE:
        places = set(PLACE.findall(text))
        english = text.format(**{place: f"7{place}7" for place in places})
        translated = languages.texts(language, "messages").gettext(text)
        assert translated != text
        assert languages.told(english, language) == translated.format(**{place: f"7{place}7" for place in places})


async def test_what_is_filled_in_is_filled_in_again(world: World) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=7)
    mia = await world.sign_in("mia")
    mia.headers["accept-language"] = "de"
    asked = await mia.ask(NOTICE_WORDS)
    assert asked["viewer"]["mfaNotice"] == {
        "title": "MFA erforderlich",
        "message": "Ihre Agentur verlangt MFA von allen Mitarbeitenden. Sie haben 7 Tage Zeit, sie einzurichten.",
        "actionLabel": "Jetzt einrichten",
    }
    await begin(mia)
    wrong = await mia.do(VERIFY, code="12 34")
    assert wrong["message"].startswith("Das ist kein Code.")


async def test_without_a_word_of_a_language_it_is_english(world: World) -> None:
    for headers in ({}, {"accept-language": "tlh"}, {"accept-language": "en-GB,de;q=0.9"}):
        wrong = await world.client(**headers).do(SIGN_IN, email=email("mia"), password="not the password")
        assert wrong["message"] == failures.InvalidCredentials().message
