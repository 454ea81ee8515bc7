"""Migrations since the last release hold no table up that grows without bound, however large it has grown."""

from __future__ import annotations

import re

import asyncpg

from db.migrate import Migration, all_migrations
from tests.statements import last_released

# Those that grow with people and with what they do, and the accounts, which every request reads.
LARGE = "events|deliveries|staff|users|sessions|factors|account_events|accounts"
BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
COMMENT = re.compile(r"--.*$", re.MULTILINE)
ALTER = re.compile(rf"ALTER TABLE (?:{LARGE})\b")
INDEX = re.compile(rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\w+ ON (?:{LARGE})\b")
# Each looks at every row while nobody else may.
SCANS = re.compile(r"\b(CHECK|UNIQUE|PRIMARY KEY|REFERENCES|EXCLUDE|SET NOT NULL|TYPE)\b")
VALIDATE = "VALIDATE CONSTRAINT"


def statements(migration: Migration) -> list[str]:
    """Its statements, without comments and bodies of functions."""
    bare = COMMENT.sub("", BODY.sub("$$", migration.sql))
    return [" ".join(each.split()) for each in bare.split(";") if each.strip()]


def holds_up(statement: str) -> bool:
    """Whether it looks at each row of a large table under a lock that stops others."""
    if INDEX.match(statement):
        return True
    return bool(ALTER.match(statement)) and len(SCANS.findall(statement)) > statement.count("NOT VALID")


def test_none_looks_at_every_row_of_a_large_table_while_others_wait() -> None:
    since = [migration for migration in all_migrations() if migration.number > last_released()]
    assert len(since) > 40
    found = {migration.number: [each for each in statements(migration) if holds_up(each)] for migration in since}
    assert {number: each for number, each in found.items() if each} == {}
    assert holds_up("ALTER TABLE events ADD COLUMN more text CHECK (length(more) < 5)")
    assert holds_up("CREATE UNIQUE INDEX more ON staff (id)")
    assert not holds_up("ALTER TABLE events ADD CONSTRAINT more CHECK (id > 0) NOT VALID")


def test_what_is_checked_later_is_checked_by_a_file_of_its_own() -> None:
    checking = [each for each in map(statements, all_migrations()) if any(VALIDATE in part for part in each)]
    assert checking
    assert {len(each) for each in checking} == {1}


async def test_no_constraint_is_left_unchecked(database: asyncpg.Connection[asyncpg.Record]) -> None:
    assert await database.fetch("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []
