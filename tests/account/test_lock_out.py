"""The lock-out forecast: who could not come back today, seen by those who can help, and what saving codes changes."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.account.acts import ask_account
from tests.account.operations import FORECAST, SAVED
from tests.operations import COMPLETE, REGENERATE
from tests.people import Factor, World, crowd, email


async def at_risk(world: World, name: str = "adam", **variables: Any) -> dict[str, list[str]]:
    """Whom the forecast names, and why."""
    client = await world.sign_in(name)
    found = await ask_account(client, world, FORECAST, **variables)
    return {node["email"].split("@")[0]: node["reasons"] for node in found["nodes"]}


async def leave(world: World, name: str, count: int) -> None:
    """Let the person have so many backup codes left."""
    await world.database.execute(
        "DELETE FROM backup_codes WHERE user_id = $1 AND digest NOT IN "
        "(SELECT digest FROM backup_codes WHERE user_id = $1 LIMIT $2)",
        await world.user_id(name),
        count,
    )


async def saved(world: World, *names: str) -> dict[str, Factor]:
    """Let these have MFA on, with their codes saved."""
    factors = {}
    for name in names:
        client = await world.sign_in(name)
        factors[name] = await world.enroll(client)
        assert (await client.do(SAVED))["__typename"] == "BackupCodesSaved"
    return factors


async def test_whoever_has_saved_their_codes_is_not_named_and_nobody_without_mfa(world: World) -> None:
    await saved(world, "mia", "olive")
    assert await at_risk(world) == {}


@pytest.mark.parametrize(("left", "reasons"), [(4, None), (3, ["FEW_CODES"]), (1, ["FEW_CODES"]), (0, ["NO_CODES"])])
async def test_few_codes_are_named(world: World, left: int, reasons: list[str] | None) -> None:
    await saved(world, "mia")
    await leave(world, "mia", left)
    assert await at_risk(world) == ({"mia": reasons} if reasons else {})


async def test_whoever_came_with_an_app_and_no_codes_is_named(world: World) -> None:
    await world.let_have_mfa("mia")
    assert await at_risk(world) == {"mia": ["NO_CODES"]}


async def test_codes_that_nobody_said_are_saved_are_named_until_somebody_says_so(world: World) -> None:
    mia = await world.enrolled("mia")
    assert await at_risk(world) == {"mia": ["CODES_NOT_SAVED"]}
    for _ in range(2):
        assert (await mia.do(SAVED))["__typename"] == "BackupCodesSaved"
    assert await at_risk(world) == {}
    (event,) = await world.events("BACKUP_CODES_SAVED")
    assert event["subject_id"] == await world.user_id("mia")


async def test_new_codes_are_named_until_they_are_saved_in_their_turn(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    assert (await mia.do(SAVED))["__typename"] == "BackupCodesSaved"
    assert (await mia.do(REGENERATE, code=await factor.code()))["__typename"] == "BackupCodesRegenerated"
    assert await at_risk(world) == {"mia": ["CODES_NOT_SAVED"]}
    assert (await mia.do(SAVED))["__typename"] == "BackupCodesSaved"
    assert await at_risk(world) == {}


async def test_whoever_has_used_a_code_has_saved_them(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    client, token = await world.challenge("mia")
    answer = await client.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "SignedIn"
    assert await at_risk(world) == {}


async def test_of_codes_from_before_it_was_asked_nothing_is_known(world: World) -> None:
    await world.enrolled("mia")
    await world.database.execute("UPDATE factors SET codes_shown_at = NULL")
    assert await at_risk(world) == {}


async def test_the_only_owner_is_named_as_one_beside_another_reason(world: World) -> None:
    await saved(world, "olive")
    assert await at_risk(world) == {}
    await leave(world, "olive", 2)
    assert await at_risk(world) == {"olive": ["FEW_CODES", "ONLY_OWNER"]}
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("mia"))
    assert await at_risk(world) == {"olive": ["FEW_CODES"]}


async def test_codes_are_saved_by_their_own_person_alone(world: World) -> None:
    assert await world.client().refusal(SAVED) == "UNAUTHENTICATED"
    await world.enrolled("mia")
    assert (await (await world.sign_in("adam")).do(SAVED))["__typename"] == "MfaNotEnabled"
    assert await world.events("BACKUP_CODES_SAVED") == []
    assert await at_risk(world) == {"mia": ["CODES_NOT_SAVED"]}


async def test_enrolling_using_and_saving_codes_wait_for_nobody_elses_row(world: World, database_url: str) -> None:
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        for table, name in (("users", "id"), ("staff", "user_id")):
            await holder.execute(f"SELECT FROM {table} WHERE {name} <> $1 FOR UPDATE", await world.user_id("mia"))
        await holder.execute("SELECT FROM accounts FOR NO KEY UPDATE")
        factor = await world.enroll(await world.sign_in("mia"))
        client, token = await world.challenge("mia")
        answer = await client.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
        client.token = answer["sessionToken"]
        assert (await client.do(SAVED))["__typename"] == "BackupCodesSaved"
    await holder.close()
    assert await at_risk(world) == {}


@pytest.mark.parametrize("name", ["mia", "petra", "sam"])
async def test_members_and_strangers_are_told_nothing(world: World, name: str) -> None:
    client = await world.sign_in(name)
    assert await client.refusal(FORECAST, account=str(world.account_id)) == "NOT_FOUND"


async def test_somebody_invited_is_nobodys_business(world: World) -> None:
    await world.enrolled("mia")
    await world.database.execute("UPDATE staff SET invited_at = now() WHERE email = $1", email("mia"))
    assert await at_risk(world) == {}


async def test_a_page_goes_on_behind_its_cursor_and_counts_over_all(world: World) -> None:
    ids = await crowd(world.database, world.account_id, 7)
    await world.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "SELECT unnest($1::uuid[]), '', 'test', 0, $2, 'test'",
        ids,
        bytes(16),
    )
    adam, seen, after = await world.sign_in("adam"), [], None
    for size in (3, 3, 1):
        page = await ask_account(adam, world, FORECAST, first=3, after=after)
        assert (page["totalCount"], len(page["nodes"])) == (7, size)
        assert {each["reason"]: each["count"] for each in page["reasonCounts"]}["NO_CODES"] == 7
        seen += [node["email"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    assert seen == sorted(set(seen))
    beyond = await ask_account(adam, world, FORECAST, first=3, after=after)
    assert (beyond["totalCount"], beyond["nodes"]) == (7, [])
    for wrong in ({"after": "eA=="}, {"first": 501}):
        assert await adam.refusal(FORECAST, account=str(world.account_id), **wrong) == "BAD_USER_INPUT"
