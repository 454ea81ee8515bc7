"""Events in SQL: a statement that names one, and the functions and indexes of the database, name one that there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import asyncpg
import pytest

from rules.events.catalogue import BY_TYPE
from tests.sources import modules

# What a type is compared with: `type = 'X'`, `type IN ('X', 'Y')`, and as the database tells it of an index,
# `type = ANY (ARRAY['X'::text, 'Y'::text])`.
COMPARED = re.compile(
    r"\btype\)?\s*(?:=|<>|!=|(?:NOT\s+)?IN\b)\s*(?:(?:ANY|ALL)\b)?[\s(\[]*(?:ARRAY\[)?((?:'[^']*'(?:::text)?[,\s]*)+)",
    re.I,
)
QUOTED = re.compile(r"'([^']*)'")
NAME = re.compile(r"'([A-Z_]+)'")
# A fact that is looked up by a name written there, which goes on as it is when the event's is another.
KEY = re.compile(r"\bdata\s*->>?\s*'")


def types_in(sql: str) -> Iterator[str]:
    """The types of events that a statement compares with."""
    for compared in COMPARED.finditer(sql):
        yield from QUOTED.findall(compared[1])


def statements() -> Iterator[tuple[str, str]]:
    """Each text of a module that the database may be given, and where it stands."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path}:{node.lineno}", node.value


def test_every_type_in_a_statement_is_an_event_s() -> None:
    found = [(place, name) for place, sql in statements() for name in types_in(sql)]
    assert len(found) >= 18
    assert [(place, name) for place, name in found if name not in BY_TYPE] == []


def test_no_event_is_named_where_its_type_is_compared_with_nothing() -> None:
    """There a wrong name would not be seen."""
    named = [(place, name) for place, sql in statements() for name in NAME.findall(sql) if name in BY_TYPE]
    assert named == [(place, name) for place, sql in statements() for name in types_in(sql)]


async def test_every_type_in_a_function_or_an_index_is_an_event_s(
    database: asyncpg.Connection[asyncpg.Record],
) -> None:
    rows = await database.fetch(
        """
        SELECT proname AS place, prosrc AS sql FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
        """
    )
    found = [(row["place"], name) for row in rows for name in types_in(row["sql"])]
    assert len(found) >= 6
    assert [(place, name) for place, name in found if name not in BY_TYPE] == []


def test_no_statement_looks_a_fact_up_by_a_name_of_its_own() -> None:
    assert [place for place, sql in statements() if KEY.search(sql)] == []


@pytest.mark.parametrize(
    "sql",
    [
        "type = 'WRONG'",
        "events.type <> 'WRONG'",
        "later.type IN ('MFA_ENABLED', 'WRONG')",
        "type NOT IN ('WRONG',\n 'MFA_ENABLED')",
        "((type = ANY (ARRAY['MFA_ENABLED'::text, 'WRONG'::text])))",
        "(type = 'WRONG'::text)",
    ],
)
def test_a_wrong_type_is_seen_however_it_is_compared(sql: str) -> None:
    assert [name for name in types_in(sql) if name not in BY_TYPE] == ["WRONG"]
