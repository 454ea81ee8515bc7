"""A database out of a backup: what may have ended since is ended before anybody comes in by it."""

from __future__ import annotations

import json

from db.pool import Database
from rules.links import Purpose
from tests.account.approving import asked_with_mia
from tests.coming_in.links import link_to
from tests.commands import Command
from tests.operations import VIEWER_EMAIL
from tests.people import World, email
from tests.reminders.cast import planned, pool

__all__ = ["pool"]
HELD = ("sessions", "challenges", "recovery_passes", "reset_requests", "account_recoveries")
LIVE_LINKS = "SELECT count(*) FROM links WHERE used_at IS NULL"


async def out_of_a_backup(world: World) -> dict[str, int]:
    """Let there be what was there at the time of a backup; how many rows of each."""
    await asked_with_mia(world)
    await world.challenge("mia")
    await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    for statement in (
        "INSERT INTO account_recoveries (user_id, email, ends_at) SELECT id, email, now() FROM users WHERE email = $1",
        "INSERT INTO recovery_passes (user_id, account_id, token_hash, expires_at) "
        "SELECT user_id, account_id, sha256(email::bytea), now() + interval '1 hour' FROM staff WHERE email = $1",
    ):
        await world.database.execute(statement, email("adam"))
    return await held(world)


async def held(world: World) -> dict[str, int]:
    """How many rows there are of each."""
    counts = {table: await world.database.fetchval(f"SELECT count(*) FROM {table}") for table in HELD}
    return counts | {"links": await world.database.fetchval(LIVE_LINKS)}


async def test_it_ends_what_lets_anybody_in_and_tells_of_what_waited(
    operate: Command, world: World, pool: Database
) -> None:
    before = await out_of_a_backup(world)
    assert min(before.values()) > 0
    operate("service-keys", "create", "--name", "web", "--can", "sign-in")
    done = operate("restored", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert await held(world) == dict.fromkeys(before, 0)
    told = json.loads(done.stdout)
    assert told["ended"]["sessions"] == before["sessions"]
    assert (told["resets"], told["recoveries"], [key["name"] for key in told["service_keys"]]) == (1, 1, ["web"])
    assert await world.database.fetchval("SELECT bool_and(devices_forgotten_at <= now()) FROM users")
    (declined,), (stopped,) = await world.events("MFA_RESET_DECLINED"), await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert (declined["subject_id"], declined["data"]["requesterEmail"]) == (await world.user_id("mia"), email("olive"))
    assert (stopped["subject_id"], stopped["data"]["how"]) == (await world.user_id("adam"), "operator")
    assert {"adam", "mia", "olive"} <= set(await planned(world, pool))


async def test_whoever_was_signed_in_signs_in_anew(operate: Command, world: World) -> None:
    mia = await world.sign_in("mia")
    assert operate("restored", "--yes").returncode == 0
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is None
    anew = await world.sign_in("mia")
    assert (await anew.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")


async def test_whoever_has_never_signed_in_is_told_of_no_new_device_at_the_first_time(
    operate: Command, world: World
) -> None:
    await world.sign_in("mia")
    assert operate("restored", "--yes").returncode == 0
    forgotten = "SELECT email FROM users WHERE devices_forgotten_at IS NOT NULL"
    assert [row["email"] for row in await world.database.fetch(forgotten)] == [email("mia")]
    await world.sign_in("adam")
    assert await world.events("NEW_DEVICE_SIGNED_IN") == []


async def test_it_asks_first(operate: Command, world: World) -> None:
    before = await out_of_a_backup(world)
    done = operate("restored", stdin="n\n")
    assert done.returncode == 1
    assert "Everybody is signed out" in done.stdout
    assert await held(world) == before
    done = operate("restored", stdin="y\n")
    counts = f"sessions {before['sessions']}, challenges 1, links 1, passes 1, resets 1, recoveries 1"
    assert f"Ended: {counts}\n" in done.stderr
