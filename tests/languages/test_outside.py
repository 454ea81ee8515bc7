"""No word for people stands in the code outside the catalogues: in rules, resolvers, workers and the like."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogues import HOW, ROOT, SOURCES, used

FOLDERS = ("rules", "resolvers", "schema", "oidc", "workers", "web", "languages")
# Whoever runs a service or writes a client reads these, in English: commands, the explorer, docs, files of staff.
FOR_OPERATORS = re.compile(
    r"resolvers/operators/|web/explorer|rules/(errors|staff_file|csv_records|foreign_hashes)\.py"
    r"|rules/events/samples\.py"
)
MODULES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not FOR_OPERATORS.search(path.relative_to(ROOT).as_posix())
]
# What is given to these, or by these names, is for programmers, logs and documentation, or makes no word of its own.
NOT_SAID = re.compile(
    r"(log|logger|trouble|logs)\.|re\.compile|traces\.span|(Value|Runtime|Type)Error|(UnreadableEvent|LaterEvent|Left)Error"
)
DOCUMENTATION = {"description", "deprecation_reason"}
DESCRIPTIONS = {"ACCOUNT", "EXTERNAL_ID", "IDEMPOTENCY_KEY", "DESCRIPTION"}
SAMPLES = {"samples", "REASON", "_GIVEN"}
# What owners may do, behind "Only an owner of the account may": other languages say that it is not for everybody.
DEEDS = {"to", "TO_CHANGE", "TO_ALLOW", "TO_ASK"}
WORDS = re.compile(r"[A-Za-z]{2,},? [A-Za-z{(]")
PLACE = re.compile(r"%\(\w+\)s|{\w*}")
# Headers, user agents, purposes of keys, parts of a style sheet.
FOR_MACHINES = re.compile(r"^(public|private), max-age|Accept-|Mozilla/|^:root|^[\w-]+ {}$|^(totp|webhook) secret$|\n")
NAMES = {"backup codes", "idempotent answer", "idempotent input", "openid email", "Samsung Internet", "Mac OS X"}
OPERATORS_READ = {
    # In the log, in the list of failed deliveries, and of a worker that ends.
    "What was sealed under key {} does not open.",
    "Key {} is not in GATEHOUSE_SECRET_KEYS.",
    "{} has no address",
    "The name has no address.",
    "Too many names are being looked up.",
    "It took too long.",
    "The mail server refuses our name and password ({}).",
    "The mail server takes no addresses with such letters.",
    "Not rendered: {}",
    "The worker cannot go on: see above.",
    "this browser has begun no such sign-in, or too long ago",
    "The answer is too large.",
    "{}: the answer is another issuer's",
    "{}: the provider refused",
    "the provider refused the code",
    "its cost is out of bounds",
    "it is not whole",
}
PROGRAMS_READ = {
    "{} has no {}.",
    # By SCIM, and of the form of a value.
    "Somebody else in this directory has this userName.",
    "Somebody else in this directory has this email address.",
    "Somebody else in this directory has this externalId.",
    "Not an instant: give ISO 8601 with a time zone, such as 2026-11-24T14:03:00Z.",
    "A test, sent by hand.",
}
# What a sentence of a catalogue is made of.
PARTS = {
    "Your agency requires MFA for all staff.",
    "An admin reset your MFA. {}",
    "{} You have {} {} to set it up.",
    "That code is right for another time: your phone's clock is about {} seconds {}. Set it to automatic time, then "
    "enter the code it shows.",
    "Give a URL that begins with https://{}.",
}


def said(tree: ast.Module) -> Iterator[str]:
    """The texts of a module that it may say to somebody; what is filled in stands as {}."""
    unsaid: set[int] = set()
    for node in ast.walk(tree):
        for hidden in hidden_in(node):
            unsaid |= {id(part) for part in ast.walk(hidden)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in unsaid:
                yield PLACE.sub("{}", text)
            case ast.JoinedStr(values=parts) if id(node) not in unsaid:
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def hidden_in(node: ast.AST) -> Iterator[ast.AST]:
    """What a node holds that is said to nobody; of a text with places its pieces, since it is said as a whole."""
    match node:
        case ast.Expr(value=ast.Constant()):
            yield node
        case ast.Call():
            if NOT_SAID.match(ast.unparse(node.func)):
                yield node
            yield from (each.value for each in node.keywords if each.arg in DOCUMENTATION | DEEDS)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            if name in DOCUMENTATION | SAMPLES | DEEDS or name in DESCRIPTIONS:
                yield node
        case ast.ClassDef(bases=[ast.Name(id="Enum")]):
            yield node
        case ast.JoinedStr():
            yield from node.values


def outside(source: str, known: set[str]) -> list[str]:
    """What a module says that is in no catalogue."""
    texts = dict.fromkeys(said(ast.parse(source)))
    return [text for text in texts if WORDS.search(text) and text not in known and not FOR_MACHINES.search(text)]


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every text of the catalogues, and what needs none."""
    texts = (text for domain in SOURCES for text in used(domain))
    forms = (form for text in texts for form in ((text,) if isinstance(text, str) else text))
    return {PLACE.sub("{}", form) for form in forms} | NAMES | OPERATORS_READ | PROGRAMS_READ | PARTS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_word_for_people_stands_outside_the_catalogues(path: Path, known: set[str]) -> None:
    how = "Say it by a voice, or name it in rules/messages.py. " + HOW.format(domain="…")
    assert outside(path.read_text(), known) == [], how


def test_what_is_named_here_is_said_somewhere() -> None:
    everything = {text for path in MODULES for text in said(ast.parse(path.read_text()))}
    assert everything >= NAMES | OPERATORS_READ | PROGRAMS_READ | PARTS


def test_what_stands_outside_is_seen() -> None:
    module = '''
"""What it is."""
OPEN = "Open agency security"
WORDS = {1: "all staff", 2: f"for {WORDS} days"}
class Moved(Event):
    """It has moved."""
    description = "It was moved."
    sentence = "{actor} moved it."
def told(log, given, known=f"Nobody is {OPEN} here."):
    log.info("Told it.")
    raise NotPermitted("Nobody may do that.", to="move it") or ValueError("not so")
'''
    assert outside(module, {"Nobody may do that."}) == [
        "Open agency security",
        "all staff",
        "for {} days",
        "{} moved it.",
        "Nobody is {} here.",
    ]
