"""What the API says to people comes in the language of the request; what it says to programs stays as it is."""

from __future__ import annotations

import ast
import re

import pytest

import languages
from rules import failures, notice, people
from rules.messages import FOR_PEOPLE
from tests.catalogues import ROOT, TRANSLATED
from tests.operations import SIGN_IN, VERIFY
from tests.people import World, begin, email, require_mfa

# What no person reads: it is for whoever writes a client or runs a service; what is filled in stands as {}.
FOR_PROGRAMS = {
    "A change was made under this idempotencyKey, but its answer cannot be read any more. Nothing was changed now; "
    "look at what holds, and send another key for what is still wanted.",
    "Another request with this idempotencyKey is under way. Ask again in a moment for its answer.",
    "This idempotencyKey came with other input before. Nothing was changed; send another key.",
    "A cookie can only be set over HTTP.",
    "A grace period can only be given while the requirement is on.",
    "A service key cannot act as a person.",
    "An account asks for {} domains at once at most.",
    "An external id has 1 to {} characters.",
    "An idempotency key has 1 to {} characters.",
    "Give 1 to {} staff members.",
    "Give each kind of alert once.",
    "Give the password, a code, or both.",
    "More has changed than you have read. Load the roster, then subscribe again.",
    "Nobody is known by this external id.",
    "Say which account: this service key is for all of them.",
    "Somebody else has this email address.",
    "The cursor is not one that this list gave out.",
    "There is no such provider.",
    "This external id is somebody else's: change that person's email first.",
    "This idempotency key came with other input before.",
    "This service key can sign in nobody like that.",
    "This service key was not given the right {}.",
    "amr must be 1 to {} names of methods, as RFC 8176 has them.",
    "at must lie between the account's beginning and now.",
    "client.ipAddress is no IP address.",
    "first must be 0 to {}.",
    "{} belongs to other accounts, too.",
    "{} belongs to other accounts, too: their address is not this one's to change.",
    "{} has another role already: change it by changeStaffRole.",
    "{} is known by another external id.",
    "{} is not staff of this account.",
    "{} is the last owner of the account. Make somebody else an owner first.",
}
# Calls that make a message, by the name of what is called.
MAKES = {name for name, each in vars(failures).items() if isinstance(each, type) and issubclass(each, failures.Failure)}
MAKES |= {"WrongGuess", "NotACode"}
ACCEPT = {"de": "de-CH", "es": "es", "fr": "fr;q=0.9", "pt": "pt-BR,en;q=0.5"}


def defaults() -> set[str]:
    """The messages that failures have of themselves."""
    tree = ast.parse((ROOT / "rules" / "failures.py").read_text())
    given = [
        node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "message"
    ]
    return {str(node.value.value) for node in given if isinstance(node.value, ast.Constant)}


def test_every_failure_that_people_read_is_translated() -> None:
    missing = defaults() - FOR_PROGRAMS - set(FOR_PEOPLE)
    assert missing == set(), "Name it in rules/messages.py and translate it, or here, as for programs."


def test_every_reason_that_a_rule_gives_is_translated() -> None:
    for module in (people, notice):
        said = {text for text in vars(module).values() if isinstance(text, str) and re.search(r"\w \w.*\.$", text)}
        fragments = {notice.LEAD, notice.BLOCKING_LINE, module.__doc__}
        assert said - fragments <= set(FOR_PEOPLE), "Name it in rules/messages.py and translate it."


@pytest.mark.parametrize("language", TRANSLATED)
async def test_a_failure_comes_in_the_language_of_the_request(world: World, language: str) -> None:
    client = world.client(**{"accept-language": ACCEPT[language]})
    wrong = await client.do(SIGN_IN, email=email("mia"), password="not the password at all")
    expected = languages.told(failures.InvalidCredentials().message, language)
    assert wrong["message"] == expected
    assert expected != failures.InvalidCredentials().message
    refused = await client.raw("mutation { beginMfaEnrollment { __typename } }")
    assert refused["errors"][0]["message"] == languages.told("Sign in first.", language)
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def raised() -> set[str]:
    """Every message that a rule or a resolver gives to a failure, with {} for what is filled in."""
    found: set[str] = set()
    for path in [*(ROOT / "rules").glob("*.py"), *(ROOT / "resolvers").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKES:
                found |= {text for given in node.args for text in texts_of(given) if " " in text}
    return found


def texts_of(node: ast.expr) -> list[str]:
    """What an argument may say, as far as it says it itself."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*texts_of(one), *texts_of(other)]
        case ast.JoinedStr(values=parts):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)]
    return []


def test_every_message_that_is_raised_is_translated_or_for_programs() -> None:
    known = {re.sub(r"{\w+}", "{}", text) for text in FOR_PEOPLE}
    assert raised() - known - FOR_PROGRAMS == set(), "Name it in rules/messages.py and translate it, or here."
    assert raised() | defaults() >= FOR_PROGRAMS


async def test_what_is_filled_in_is_filled_in_again(world: World) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=7)
    mia = await world.sign_in("mia")
    mia.headers["accept-language"] = "de"
    asked = await mia.ask("{ viewer { mfaNotice { title message actionLabel } } }")
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
