"""Each limit at its edge, and documents made to hang a server."""

from __future__ import annotations

import time

import pytest
from graphql import get_introspection_query

from server.app import schema_of
from server.transport import limits
from server.transport.bounds import SIGNED_IN
from server.transport.documents import Documents, Prepared
from server.transport.kept_documents import MAX_KEPT_CHARS, MAX_SEEN_ONCE
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.transport.small import Mutation, Query


@pytest.fixture
def documents() -> Documents:
    schema = GatehouseSchema(query=Query, mutation=Mutation, settings=Settings())
    return schema.documents


def messages(prepared: Prepared) -> list[str]:
    return [error.message for error in prepared.errors]


def friends(depth: int) -> str:
    """A query whose deepest field is `depth` fields deep."""
    return "{ person " + "{ friend " * (depth - 2) + "{ name }" + " }" * (depth - 1)


def aliases(count: int) -> str:
    return "{ " + " ".join(f"a{number}: hello" for number in range(count)) + " }"


def many(definitions: int, last: str = "") -> str:
    """Operations of thirty fields each, the last with one more if `last` names it."""
    return " ".join(f"query q{n} {{ {'hello ' * 30} {last if n == 0 else ''} }}" for n in range(definitions))


def page_of(size: int) -> str:
    """A query that costs 49,503 and one more for each of `size` friends."""
    rest = f"b: friends(first: {size}) {{ name }}"
    return f"{{ person {{ friends(first: 500) {{ friends(first: 98) {{ name }} }} {rest} }} }}"


@pytest.mark.parametrize(
    ("fits", "too_large", "message"),
    [
        (friends(limits.MAX_DEPTH), friends(limits.MAX_DEPTH + 1), "The operation is more than 12 fields deep."),
        (aliases(SIGNED_IN.aliases), aliases(SIGNED_IN.aliases + 1), "The operation has more than 120 aliases."),
        (
            "{ " + "hello " * SIGNED_IN.repeats + "}",
            "{ " + "hello " * (SIGNED_IN.repeats + 1) + "}",
            "A field is repeated more than 30 times in one place.",
        ),
        (
            "".join(f"query q{n} {{ hello }} " for n in range(SIGNED_IN.definitions)),
            "".join(f"query q{n} {{ hello }} " for n in range(SIGNED_IN.definitions + 1)),
            "The document has more than 100 operations and fragments.",
        ),
        (many(100), many(100, "refused"), "The document has more than 3,000 fields."),
        (
            page_of(497),
            page_of(498),
            "The operation costs more than 50,000: ask for fewer fields or smaller pages.",
        ),
    ],
)
def test_a_document_at_the_limit_passes_and_one_over_does_not(
    documents: Documents, fits: str, too_large: str, message: str
) -> None:
    assert messages(documents.prepare(fits)) == []
    assert messages(documents.prepare(too_large)) == [message]


def test_tokens_are_counted_before_anything_is_made_of_them(documents: Documents) -> None:
    over = ["Syntax Error: Document contains more than 6000 tokens. Parsing aborted."]
    assert messages(documents.prepare("{" + " a" * (SIGNED_IN.tokens - 2) + "}")) != over
    assert messages(documents.prepare("{" + " a" * (SIGNED_IN.tokens - 1) + "}")) == over


def test_a_list_without_a_page_size_counts_as_the_largest_page(documents: Documents) -> None:
    for page in ("", "(first: $n)", f"(first: {'9' * 5_000})"):
        variables = "query($n: Int)" if "$n" in page else "query"
        query = f"{variables} {{ person {{ friends{page} {{ friends(first: 100) {{ name }} }} }} }}"
        assert messages(documents.prepare(query))[0].startswith("The operation costs more than 50,000")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ('account(id: "1") { mfaExceptions', 500),
        ('account(id: "1") { compliance { exceptions', 500),
        ('account(id: "1") { staffSessions(staffId: "1")', 100),
        ('account(id: "1") { mfaResetRequests', 100),
        ('account(id: "1") { accountRecoveries', 100),
        ("viewer { sessions", 100),
        ("viewer { memberships", 10),
    ],
)
def test_a_list_that_has_no_pages_costs_what_it_may_hold(path: str, most: int) -> None:
    deep = path.count("{") + 1
    for name in ("query", "query ($a: String)"):  # measured with the plan, and by itself
        prepared = schema_of(Settings()).documents.prepare(f"{name} {{ {path} {{ __typename }} {'}' * deep}")
        assert [m for m in messages(prepared) if "Variable" not in m] == []
        assert prepared.cost == deep + most


def test_the_standard_introspection_query_passes_where_introspection_is_on(documents: Documents) -> None:
    assert messages(documents.prepare(get_introspection_query())) == []
    nested = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert "Maximum introspection depth exceeded" in messages(documents.prepare(nested))


def test_introspection_and_suggestions_are_off_in_production() -> None:
    schema = GatehouseSchema(query=Query, settings=Settings(production=True))
    assert messages(schema.documents.prepare("{ __schema { queryType { name } } }")) != []
    assert messages(schema.documents.prepare("{ helo }")) == ["Cannot query field 'helo' on type 'Query'."]


def test_strings_that_could_not_be_stored_are_refused(documents: Documents) -> None:
    assert messages(documents.prepare('{ hello(name: "\\u0000") }')) == ["Text must not hold the NUL character."]


@pytest.mark.parametrize(
    "hostile",
    [
        "{ ...a0 } " + " ".join(f"fragment a{n} on Query {{ ...a{n + 1} ...a{n + 1} }}" for n in range(60)),
        "{ ...a } fragment a on Query { hello ...b } fragment b on Query { ...a }",
        "{ person { ...a } } fragment a on Person { friend { ...a } }",
        "{" + "person { name } " * 800 + "}",
        "{" + "... on Query { person { name } } " * 400 + "}",
        "{"
        + " ".join(f"...f{n}" for n in range(90))
        + "}"
        + "".join(f" fragment f{n} on Query {{ person {{ name }} }}" for n in range(90)),
        "{ hello " + "@skip(if: true) " * 900 + "}",
        "{ hello(" + " ".join(f"a{n}: 1" for n in range(1_400)) + ") }",
        "{ hello(name: " + "[" * 2_900 + "]" * 2_900 + ") }",
        "{" * 5_900,
        "#\n" * 100_000 + "{ hello }",
        "query(" + " ".join(f"$v{n}: Int" for n in range(1_400)) + ") { hello }",
    ],
)
def test_a_hostile_document_is_refused_at_once(documents: Documents, hostile: str) -> None:
    started = time.process_time()
    assert messages(documents.prepare(hostile)) != []
    assert time.process_time() - started < 1


def test_a_small_document_that_comes_again_is_prepared_no_more(documents: Documents) -> None:
    first = documents.prepare("{ hello }")
    second = documents.prepare("{ hello }")
    assert second is not first
    assert documents.prepare("{ hello }") is second
    for never_kept in ("{ hello }" + "#" * 9_000, "{ nothing }"):
        documents.prepare(never_kept)
        assert documents.prepare(never_kept) is not documents.prepare(never_kept)


def test_documents_of_one_use_each_take_nobodys_place(documents: Documents) -> None:
    documents.prepare("{ hello }")
    kept = documents.prepare("{ hello }")
    for number in range(2_000):
        documents.prepare(f"{{ a{number}: hello }}")
    assert len(documents.kept) == 1
    assert documents.prepare("{ hello }") is kept


def test_of_the_texts_that_came_once_so_many_are_remembered(documents: Documents) -> None:
    for number in range(MAX_SEEN_ONCE + 1):
        documents.kept.add(str(number), documents.prepare("{ hello }"))
    before = len(documents.kept)
    documents.kept.add("0", documents.prepare("{ hello }"))
    assert len(documents.kept) == before
    documents.kept.add(str(MAX_SEEN_ONCE), documents.prepare("{ hello }"))
    assert len(documents.kept) == before + 1


def test_the_oldest_of_too_many_documents_is_forgotten(documents: Documents) -> None:
    documents.prepare("{ hello }")
    first = documents.prepare("{ hello }")
    for number in range(1_000):
        documents.prepare(f"{{ a{number}: hello }}")
        documents.prepare(f"{{ a{number}: hello }}")
    assert len(documents.kept) == 1_000
    assert documents.prepare("{ hello }") is not first


def test_what_is_kept_is_bounded_in_size_as_well_as_number(documents: Documents) -> None:
    texts = [f"{{ a{number}: hello }}" + "#" * 7_900 for number in range(60)]
    for text in (*texts, *texts):
        documents.prepare(text)
    kept = [text for text in texts if documents.kept.get(text)]
    assert kept == texts[-len(kept) :]
    assert documents.kept.chars == sum(map(len, kept)) <= MAX_KEPT_CHARS
