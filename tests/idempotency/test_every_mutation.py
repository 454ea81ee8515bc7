"""Every mutation takes an idempotency key, and says by what its caller is known."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_nullable_type

from schema.idempotency import BY_EMAIL, BY_TOKEN, KEEP_THEIR_OWN, KEY
from schema.roots import build
from schema.services import FOR_PEOPLE_TOO, RIGHTS
from tests.mutations import MUTATIONS, known_things, operation
from tests.people import World

ROOT = Path(__file__).parents[2]
OF_SERVICES = RIGHTS.keys() - FOR_PEOPLE_TOO
# Without a session there is nothing that it would do.
DOES_NOTHING_SIGNED_OUT = {"signOut"}
WHO_ASKS = (
    "can be asked without a session: say in schema/idempotency.BY_TOKEN (or BY_EMAIL) which field of its input shows "
    "who asks, a secret if there is one, so that its answers can be repeated to them and to nobody else"
)
# Guesses are charged for themselves, a look at an account is told beside what is done, services' keys are of their own
# table, and signing in at a provider is no mutation.
OPEN_THEIR_OWN = {"access.py", "context.py", "providers.py", "provisioning.py"}
OPEN_THEIR_OWN |= {"guessing/codes.py", "guessing/passwords.py"}
TOGETHER = (
    "opens a transaction of its own: change by `context.changing()`, which is committed together with the answer that "
    "the caller's idempotencyKey gets, or name the module above with the reason why it changes nothing of a mutation"
)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_it_takes_a_key(name: str) -> None:
    arguments = MUTATIONS[name].args
    if "input" not in arguments:
        assert str(arguments[KEY].type) == "String"
        return
    given = get_nullable_type(arguments["input"].type)
    assert isinstance(given, GraphQLInputObjectType)
    assert not given.is_one_of, f"{name}: a key cannot stand beside what is exactly one of several; wrap the input"
    assert str(given.fields[KEY].type) == "String", f"{name}: schema/idempotency.let_repeat adds the key"


def test_the_server_reads_it_of_each() -> None:
    served = build()._schema.mutation_type
    assert isinstance(served, GraphQLObjectType)
    unread = {name for name, field in served.fields.items() if not _reads_a_key(field.resolve)}
    assert unread == KEEP_THEIR_OWN


def _reads_a_key(resolve: object) -> bool:
    while resolve is not None:
        if getattr(resolve, "__name__", "") == "repeatable":
            return True
        cells = dict(zip(resolve.__code__.co_freevars, resolve.__closure__ or (), strict=True))  # type: ignore[attr-defined]
        resolve = cells["resolve"].cell_contents if "resolve" in cells else None
    return False


def test_what_shows_who_asks_is_in_the_input() -> None:
    assert BY_TOKEN and BY_EMAIL
    for name, field in (BY_TOKEN | BY_EMAIL).items():
        given = get_nullable_type(MUTATIONS[name].args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        assert str(given.fields[field].type) == "String!", name


async def test_each_that_needs_no_session_says_who_asks(world: World) -> None:
    known, nobody = await known_things(world), world.client()
    free = set()
    for name in sorted(MUTATIONS.keys() - OF_SERVICES):
        body = await nobody.raw(operation(name, known))
        codes = {each["extensions"]["code"] for each in body.get("errors", [])}
        if "UNAUTHENTICATED" not in codes:
            free.add(name)
    for name in sorted(free - DOES_NOTHING_SIGNED_OUT):
        assert name in BY_TOKEN | BY_EMAIL, f"{name} {WHO_ASKS}."
    assert free - DOES_NOTHING_SIGNED_OUT == {*BY_TOKEN, *BY_EMAIL}


def _own_transactions(path: Path) -> list[int]:
    """The lines on which a module opens a transaction of its own."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "transaction"
        and "database" in ast.unparse(node.func)
    ]


def test_every_change_is_committed_with_its_answer() -> None:
    found = {
        path.relative_to(ROOT / "resolvers").as_posix(): lines
        for path in sorted((ROOT / "resolvers").rglob("*.py"))
        if (lines := _own_transactions(path))
    }
    # No mutation calls what operators do.
    assert {name for name in found if not name.startswith("operators/")} == OPEN_THEIR_OWN, f"{found} {TOGETHER}."


def test_those_that_keep_their_keys_otherwise_are_named_where_the_promise_is_made() -> None:
    told = {name: (ROOT / name).read_text() for name in ("README.md", "docs/errors.md")}
    made = {"README.md": "within 10 minutes", "docs/errors.md": "within ten minutes"}
    for name, text in told.items():
        (paragraph,) = [part for part in re.split(r"\n\n|\n(?=\|)", text) if made[name] in part.replace("\n", " ")]
        assert "24 hours" in paragraph
        assert {mutation for mutation in KEEP_THEIR_OWN if f"`{mutation}`" not in paragraph} == set()
