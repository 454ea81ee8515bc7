"""A person chooses their language, and owners and admins that of their account for those who have chosen none."""

from __future__ import annotations

import pytest

from rules.languages import accepted
from tests.client import Client
from tests.languages.operations import LANGUAGE, SET_ACCOUNT_LANGUAGE, SET_GERMAN, SET_LANGUAGE
from tests.people import World, age_proofs, facts_of


async def choose(client: Client, language: str | None) -> object:
    """Choose it; what the viewer has then."""
    await client.do(SET_LANGUAGE, language=language)
    return (await client.ask(LANGUAGE))["viewer"]["language"]


async def set_for_all(client: Client, world: World, language: str) -> str:
    """Set the account's; what came of it, or the code of the refusal."""
    body = await client.raw(SET_ACCOUNT_LANGUAGE, input={"accountId": str(world.account_id), "language": language})
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    return str(body["data"]["setAccountLanguage"]["__typename"])


async def test_a_person_chooses_and_leaves_it_open_again(world: World) -> None:
    mia = await world.sign_in("mia")
    assert (await mia.ask(LANGUAGE))["viewer"]["language"] is None
    assert await choose(mia, "DE") == "DE"
    assert await choose(mia, "DE") == "DE"
    assert await choose(mia, None) is None
    events = await world.events("LANGUAGE_CHANGED")
    assert [facts_of(event).get("language") for event in events] == ["de", None]


async def test_nobody_chooses_signed_out_nor_a_language_that_there_is_not(world: World) -> None:
    assert await world.client().refusal(SET_GERMAN) == "UNAUTHENTICATED"
    mia = await world.sign_in("mia")
    assert await mia.refusal(SET_GERMAN.replace("DE", "TLH")) == "GRAPHQL_VALIDATION_FAILED"
    assert await world.events("LANGUAGE_CHANGED") == []


async def test_owners_and_admins_set_the_accounts_with_a_fresh_proof(world: World) -> None:
    olive, adam, mia = [await world.sign_in(name) for name in ("olive", "adam", "mia")]
    asked = f'{{ account(id: "{world.account_id}") {{ language }} }}'
    assert (await olive.ask(asked))["account"]["language"] == "EN"
    assert await set_for_all(olive, world, "EN") == "AccountLanguageSet"
    assert await set_for_all(adam, world, "FR") == "AccountLanguageSet"
    assert await set_for_all(mia, world, "ES") == "NOT_FOUND"
    assert await set_for_all(await world.sign_in("sam"), world, "ES") == "NOT_FOUND"
    assert (await olive.ask(asked))["account"]["language"] == "FR"
    assert await mia.refusal(asked) == "NOT_FOUND"
    await age_proofs(world)
    assert await set_for_all(olive, world, "PT") == "REAUTHENTICATION_REQUIRED"
    (event,) = await world.events("ACCOUNT_LANGUAGE_CHANGED")
    assert facts_of(event) == {"language": "fr"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.2, pt-BR ; q=0.9", "pt"),
        ("es;q=0", "en"),
        ("*", "en"),
        ("zh-Hans-CN", "en"),
        (";;;,,,q=1", "en"),
        ("de;q=9", "en"),
        ("x" * 100_000, "en"),
        ("," * 100_000 + "de", "en"),
    ],
)
def test_the_language_that_a_browser_prefers_among_ours(header: str | None, language: str) -> None:
    assert accepted(header) == language
