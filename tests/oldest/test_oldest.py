"""On PostgreSQL 15 every statement can be run, and anything older is refused. The journeys are made on it, too."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.client import SECRET_KEYS
from tests.commands import command
from tests.proxy import rewriting
from tests.statements import statements

TOO_OLD = "Error: The database is PostgreSQL 14, and Gatehouse needs 15 or later."


async def test_every_statement_can_be_prepared(database: asyncpg.Connection[asyncpg.Record]) -> None:
    version = database.get_server_version()
    assert version.major == 15
    refused = {}
    for place, text in statements():
        try:
            await database.prepare(text)
        except asyncpg.PostgresError as error:
            refused[place] = str(error)
    assert refused == {}


@pytest.mark.parametrize("part", ["migrate", "serve", "relay", "worker"])
async def test_an_older_database_is_refused_in_one_sentence(database_url: str, broker_url: str, part: str) -> None:
    async with rewriting(database_url, b"server_version\x0015.", b"server_version\x0014.") as url:
        ended = await asyncio.to_thread(
            command,
            part,
            database_url=url,
            broker_url=broker_url,
            smtp_url="smtp://127.0.0.1:1",
            secret_keys=SECRET_KEYS,
        )
    assert (ended.returncode, ended.stderr.strip()) == (1, TOO_OLD)
