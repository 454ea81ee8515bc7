"""Housekeeping takes what nobody holds and waits for nobody, so that nobody and it ever wait for each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

import db.account_recovery
import db.reminders
import db.webhook_deliveries
import db.webhook_sending
from db.pool import Connection
from tests.people import World, require_mfa
from tests.pruned import prune

Keep = Callable[[Connection], Awaitable[object]]
OF_EACH = "FROM users JOIN factors ON factors.user_id = users.id"
RECOVERIES = "INSERT INTO account_recoveries (user_id, email, ends_at, told_at) "
# What there is of each kind that is over, one for each of the cast.
OVER = {
    "sessions": "INSERT INTO sessions (user_id, token_hash, password_at, expires_at) "
    f"SELECT users.id, uuid_send(users.id) || uuid_send(users.id), now(), now() - interval '1 day' {OF_EACH}",
    "challenges": "INSERT INTO challenges (user_id, token_hash, use_cookie, expires_at) "
    f"SELECT users.id, uuid_send(users.id) || uuid_send(users.id), false, now() - interval '1 day' {OF_EACH}",
    "recovery_passes": "INSERT INTO recovery_passes (user_id, account_id, issuer_id, token_hash, expires_at) "
    "SELECT users.id, account_id, users.id, uuid_send(users.id) || uuid_send(users.id), now() - interval '1 day' "
    f"{OF_EACH} JOIN staff ON staff.user_id = users.id",
    "enrollments": "INSERT INTO enrollments (user_id, secret_sealed, secret_key_id, expires_at) "
    f"SELECT users.id, '', 'k', now() - interval '1 day' {OF_EACH}",
    "links": "INSERT INTO links (user_id, event_id, token_hash, purpose, made_at, expires_at) "
    "SELECT users.id, events.id, uuid_send(users.id) || uuid_send(users.id), 'NOT_ME', now(), now() - interval '1 day' "
    f"{OF_EACH}, events",
    "seen_devices": "INSERT INTO seen_devices (user_id, digest, last_seen_at) "
    f"SELECT users.id, uuid_send(users.id) || uuid_send(users.id), now() - interval '1 year' {OF_EACH} "
    f"UNION ALL SELECT users.id, uuid_send(users.id) || '0123456789abcdef', now() {OF_EACH}",
    "digests": "INSERT INTO digests (account_id, week) SELECT id, now() - interval '1 year' FROM accounts",
    "idempotent_answers": "INSERT INTO idempotent_answers "
    "(place, owner, input_hash, key_id, claim, claimed_until, created_at) SELECT uuid_send(users.id) "
    "|| uuid_send(users.id), '', uuid_send(users.id) || uuid_send(users.id), 'k', users.id, now(), "
    f"now() - interval '1 day' {OF_EACH}",
    "service_answers": "INSERT INTO service_answers (scope, idempotency_key, input_hash, created_at) "
    "SELECT '', users.id::text, uuid_send(users.id) || uuid_send(users.id), now() - interval '1 year' "
    f"{OF_EACH}",
    "throttles": "INSERT INTO throttles (key, failures, updated_at) "
    f"SELECT users.id::text, '{{}}', now() - interval '1 year' {OF_EACH}",
}
# Where others stay: a device that was not seen for long is forgotten where the person has one that was seen later.
OF_THOSE = {"seen_devices": " WHERE last_seen_at < now() - interval '1 day'"}


async def of_all(cast: World, making: str) -> None:
    """Let all of the cast have MFA on, and this be there for each of them."""
    await cast.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "SELECT id, '', 'k', 0, $1, 'k' FROM users",
        bytes(16),
    )
    await cast.database.execute("INSERT INTO events (type) VALUES ('MFA_ENABLED')")
    await cast.database.execute(making)


async def beside_one_who_holds(database_url: str, table: str, keep: Keep) -> None:
    """Keep house while somebody else holds a row."""
    holder, keeper = [await asyncpg.connect(database_url) for _ in range(2)]
    async with holder.transaction():
        assert await holder.fetch(f"SELECT FROM {table} LIMIT 1 FOR UPDATE")
        await keeper.execute("SET lock_timeout = '1s'")
        await keep(keeper)
    for connection in (holder, keeper):
        await connection.close()


@pytest.mark.parametrize("table", OVER)
async def test_what_is_over_goes_but_for_what_somebody_holds(cast: World, database_url: str, table: str) -> None:
    await of_all(cast, OVER[table])
    left = f"SELECT count(*) FROM {table}{OF_THOSE.get(table, '')}"
    assert await cast.database.fetchval(left) > 1
    await beside_one_who_holds(database_url, table, prune)
    assert await cast.database.fetchval(left) == 1
    await prune(cast.database)
    assert await cast.database.fetchval(left) == 0


async def test_recoveries_that_hold_no_more_end_but_for_one_that_somebody_else_ends(
    cast: World, database_url: str
) -> None:
    await of_all(cast, f"{RECOVERIES} SELECT users.id, '', now(), now() {OF_EACH}")
    await beside_one_who_holds(database_url, "account_recoveries", db.account_recovery.lapse)
    assert await cast.database.fetchval("SELECT count(*) FROM account_recoveries") == 1


async def test_of_recoveries_that_wait_all_are_told_but_one_that_somebody_ends(cast: World, database_url: str) -> None:
    await cast.database.execute("INSERT INTO account_recovery_policies SELECT id, 7, 7, 7 FROM accounts")
    await of_all(cast, f"{RECOVERIES} SELECT users.id, email, now(), now() - interval '2 days' {OF_EACH}")
    waiting = await cast.database.fetchval(
        "SELECT count(*) FROM account_recoveries WHERE account_recovery_due_at(account_recoveries) IS NOT NULL"
    )
    await cast.database.execute(
        "DELETE FROM account_recoveries WHERE account_recovery_due_at(account_recoveries) IS NULL"
    )
    await beside_one_who_holds(database_url, "account_recoveries", db.account_recovery.remind)
    told = "SELECT count(*) FROM account_recoveries WHERE told_at > now() - interval '1 day'"
    assert await cast.database.fetchval(told) == waiting - 1 > 0


@pytest.mark.parametrize(
    ("state", "keep"), [("failed", db.webhook_deliveries.prune), ("sending", db.webhook_sending.take_over)]
)
async def test_deliveries_to_webhooks_are_forgotten_or_due_again_but_for_one_that_somebody_holds(
    cast: World, database_url: str, state: str, keep: Keep
) -> None:
    await of_all(cast, "INSERT INTO webhooks (url, secret_sealed, secret_key_id) VALUES ('https://x.example', '', 'k')")
    await cast.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, state, claimed_at, created_at) SELECT webhooks.id, $1, "
        "now() - interval '1 day', now() - interval '1 year' FROM webhooks, generate_series(1, 3)",
        state,
    )
    await beside_one_who_holds(database_url, "webhook_deliveries", keep)
    left = "SELECT count(*) FROM webhook_deliveries WHERE state = $1"
    assert await cast.database.fetchval(left, state) == 1


async def test_grace_periods_end_but_for_one_of_an_account_that_somebody_holds(cast: World, database_url: str) -> None:
    await cast.database.execute("INSERT INTO accounts (name) VALUES ('Another'), ('A third')")
    for account in await cast.database.fetch("SELECT id FROM accounts"):
        await require_mfa(cast.database, account["id"], days_ago=8, grace_days=7)
    await beside_one_who_holds(database_url, "accounts", db.reminders.end_grace_periods)
    assert await cast.database.fetchval("SELECT count(*) FROM accounts WHERE grace_ended_at IS NULL") == 1
    await db.reminders.end_grace_periods(cast.database)
    assert await cast.database.fetchval("SELECT count(*) FROM accounts WHERE grace_ended_at IS NULL") == 0
