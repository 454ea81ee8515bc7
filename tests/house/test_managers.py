"""Who manages an account, an owner or admin, is told once to Python and once to the database, and both say the same."""

from __future__ import annotations

import re

import asyncpg
import pytest

from rules.people import MANAGERS, Role
from tests.statements import statements

# Both roles side by side, or everybody but members. What asks more of an admin than of an owner names each by itself.
LITERAL = re.compile(r"'OWNER',\s*'ADMIN'|'ADMIN',\s*'OWNER'|(?:<>|!=)\s*'MEMBER'")


def test_no_statement_tells_who_manages() -> None:
    assert [place for place, text in statements() if LITERAL.search(text)] == []
    assert [place for place, text in statements() if "manages(" in text]


async def test_no_other_function_of_the_database_tells_who_manages(
    database: asyncpg.Connection[asyncpg.Record],
) -> None:
    functions = await database.fetch("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    assert [name for name, text in functions if LITERAL.search(text)] == ["manages"]


@pytest.mark.parametrize("role", [*Role, None])
async def test_the_database_says_what_python_says(
    database: asyncpg.Connection[asyncpg.Record], role: Role | None
) -> None:
    assert await database.fetchval("SELECT manages($1)", role) is (None if role is None else role in MANAGERS)


async def test_a_statement_is_planned_as_if_it_held_the_roles(database: asyncpg.Connection[asyncpg.Record]) -> None:
    plan = await database.fetch(
        "EXPLAIN (VERBOSE) SELECT FROM staff, accounts WHERE manages(role) AND mfa_deadline(accounts, staff) <= now()"
    )
    told = " ".join(line for (line,) in plan)
    assert told.count("ANY ('{OWNER,ADMIN}'") == 2
    assert "manages(" not in told
