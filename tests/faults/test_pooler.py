"""Behind PgBouncer in transaction mode, which lends another server for each transaction."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from db.pool import REQUESTS, open_database
from rules.failures import ServiceUnavailable
from tests.client import SECRET_KEYS, serving, settings_for
from tests.commands import command
from tests.line import Line
from tests.operations import COMPLETE, EMAIL_AND_ACCOUNTS, WATCH_ENABLED
from tests.parts import Mailbox
from tests.people import World, email
from tests.watching.watch import watching

SENTENCE = (
    "Error: The database's URL leads to a connection pooler: set GATEHOUSE_DATABASE_DIRECT_URL to PostgreSQL itself, "
    "for LISTEN and migrations.\n"
)
AT_ONCE = 40


@pytest_asyncio.fixture
async def pooled(pooler_url: str, database_url: str, line: Line) -> AsyncIterator[World]:
    """The cast, an API behind the pooler, and a line that none of is started."""
    line.settings |= {"database_url": pooler_url, "database_direct_url": database_url}
    async with serving(settings_for(pooler_url, database_direct_url=database_url)) as base_url:
        line.world.base_url = base_url
        yield line.world


async def test_people_enroll_sign_in_and_watch_and_the_email_leaves(
    pooled: World, line: Line, mailbox: Mailbox
) -> None:
    await line.start("relay", "worker", "beat")
    mia = await pooled.sign_in("mia")
    async with watching(pooled, mia, WATCH_ENABLED) as watch:
        assert await watch.next() == {"mfa": {"enabled": False}}
        factor = await pooled.enroll(mia)
        assert await watch.next() == {"mfa": {"enabled": True}}
    await mailbox.wait_for(1)
    again, challenge = await pooled.challenge("mia")
    answer = await again.do(COMPLETE, token=challenge, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "SignedIn"
    await mailbox.wait_for(2)
    assert mailbox.subjects(email("mia")) == ["MFA is on for your sign-in", "A backup code was used to sign in"]


async def test_many_at_once_share_the_servers(pooled: World) -> None:
    people = [await pooled.sign_in(name) for name in ("olive", "adam", "mia", "sam")]
    answers = await asyncio.gather(*(people[n % 4].ask(EMAIL_AND_ACCOUNTS) for n in range(AT_ONCE)))
    assert [answer["viewer"]["email"] for answer in answers[:4]] == [
        email(name) for name in ("olive", "adam", "mia", "sam")
    ]


async def test_statements_keep_their_limits_and_take_nothing_back_when_the_next_fails(
    pooler_url: str, cast: World
) -> None:
    database = await open_database(pooler_url, 2, "test", REQUESTS, through_pooler=True)
    shown = "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')"
    try:
        async with database.connection() as connection:
            assert await connection.fetchval(shown) == "2s 6s"
            await connection.execute("UPDATE accounts SET name = $1 WHERE id = $2", "Kept", cast.account_id)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.fetchval("SELECT 1 / $1::int", 0)
        async with database.transaction() as connection:
            assert await connection.fetchval(shown) == "2s 6s"
        async with cast.database.transaction():
            await cast.database.execute("SELECT FROM accounts FOR UPDATE")
            with pytest.raises(ServiceUnavailable):
                async with database.connection() as connection:
                    await connection.execute("UPDATE accounts SET name = $1 WHERE id = $2", "Lost", cast.account_id)
    finally:
        await database.close()
    name = await cast.database.fetchval("SELECT name FROM accounts WHERE id = $1", cast.account_id)
    assert name == "Kept"


@pytest.mark.parametrize("part", ["serve", "relay", "worker", "migrate", "doctor"])
def test_without_a_direct_url_a_sentence_says_what_to_do(pooler_url: str, part: str) -> None:
    others = {"broker_url": "redis://127.0.0.1:1/0", "smtp_url": "smtp://127.0.0.1:1", "secret_keys": SECRET_KEYS}
    done = command(part, database_url=pooler_url, port="0", **others)
    assert done.returncode == 1
    assert SENTENCE.removeprefix("Error: ").strip() in done.stderr + done.stdout


def test_operators_go_past_the_pooler(pooler_url: str, database_url: str) -> None:
    urls = {"database_url": pooler_url, "database_direct_url": database_url}
    assert command("migrate", **urls).stdout == "The database is up to date.\n"
    done = command("doctor", "--json", secret_keys=SECRET_KEYS, **urls)
    assert done.returncode == 0
    assert json.loads(done.stdout)["pooler"] == "ok"
    away = urls | {"database_url": "postgresql://127.0.0.1:1/gatehouse"}
    done = command("serve", secret_keys=SECRET_KEYS, port="0", **away)
    assert done.stderr.startswith("Error: The pooler does not answer: ")
    done = command("migrate", database_direct_url=database_url)
    assert done.stderr == (
        "Error: GATEHOUSE_DATABASE_DIRECT_URL is set without GATEHOUSE_DATABASE_URL: give both or neither.\n"
    )
