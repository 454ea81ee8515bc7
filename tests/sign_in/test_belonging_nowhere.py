"""Whoever has neither a role nor a portal, is not invited and does not run the platform is let in nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

import db.sessions
from db.migrate import all_migrations
from rules.links import INVITATION
from rules.service_keys import Right
from tests.operations import COMPLETE, SIGN_IN, VIEWER_EMAIL
from tests.people import PASSWORD, World, email
from tests.service.operations import PROVISION, REMOVE, SERVICE_SIGN_IN, backend

GONE = "DELETE FROM staff WHERE email = $1"
INVITED = (
    "INSERT INTO staff (account_id, user_id, email, role, invited_at, invited_by) SELECT accounts.id, users.id, email, "
    "'MEMBER', now() - $2::interval, {by} FROM users, accounts WHERE email = $1 AND name = 'Other'"
)
PORTAL = "INSERT INTO portal_users (account_id, user_id) SELECT accounts.id, users.id FROM users, accounts"
MOMENT = timedelta(minutes=1)


async def signed_in_by(world: World, name: str = "mia") -> tuple[str, str]:
    """What comes of signing in by the password, and of the product's word."""
    answer = await world.client().do(SIGN_IN, email=email(name), password=PASSWORD)
    product = await backend(world, Right.SIGN_IN)
    return answer["__typename"], (await product.do(SERVICE_SIGN_IN, input={"email": email(name)}))["__typename"]


LET_IN, REFUSED = ("SignedIn",) * 2, ("InvalidCredentials",) * 2


async def test_whoever_was_removed_is_refused_as_by_a_wrong_password(world: World) -> None:
    product = await backend(world)
    given = {"accountId": str(world.account_id), "externalId": "7"}
    await product.do(PROVISION, input=given | {"email": email("mia"), "role": "MEMBER"})
    assert (await product.do(REMOVE, input=given))["__typename"] == "StaffRemoved"
    before = await world.events()
    for password in (PASSWORD, "not the password"):
        answer = await world.client().do(SIGN_IN, email=email("mia"), password=password)
        assert answer == {"__typename": "InvalidCredentials", "message": "The email or the password is wrong."}
    assert (await product.do(SERVICE_SIGN_IN, input={"externalId": "7"}))["__typename"] == "InvalidCredentials"
    assert {event["type"] for event in (await world.events())[len(before) :]} == {"PASSWORD_REJECTED"}
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0
    # Until they are staff again.
    await product.do(PROVISION, input=given | {"email": email("mia"), "role": "MEMBER"})
    assert await signed_in_by(world) == LET_IN


async def test_nor_does_a_challenge_from_before_let_them_in(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    client, token = await world.challenge("mia")
    await world.database.execute(GONE, email("mia"))
    answer = await client.do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert answer["__typename"] == "ChallengeExpired"


@pytest.mark.parametrize(
    ("age", "by", "is_let_in"),
    [
        (timedelta(0), "NULL", True),
        (INVITATION.lifetime - MOMENT, "NULL", True),
        (INVITATION.lifetime + MOMENT, "NULL", False),
        (timedelta(0), "gen_random_uuid()", False),
    ],
)
async def test_whoever_is_invited_comes_in_to_accept_as_long_as_they_may(
    world: World, age: timedelta, by: str, is_let_in: bool
) -> None:
    await world.database.execute(GONE, email("mia"))
    await world.database.execute(INVITED.format(by=by), email("mia"), age)
    assert await signed_in_by(world) == (LET_IN if is_let_in else REFUSED)


async def test_whoever_has_a_portal_or_runs_the_platform_comes_in(world: World) -> None:
    await world.database.execute(GONE, email("mia"))
    assert await signed_in_by(world) == REFUSED
    await world.database.execute(f"{PORTAL} WHERE email = $1 AND name = 'Other'", email("mia"))
    assert [await signed_in_by(world, name) for name in ("mia", "petra", "sue")] == [LET_IN] * 3


@pytest.mark.parametrize(("is_inactive", "goes_on"), [(True, False), (False, True)])
async def test_a_portal_where_they_are_inactive_keeps_no_session(
    world: World, is_inactive: bool, goes_on: bool
) -> None:
    await world.database.execute(f"{PORTAL} WHERE email = $1 AND name = 'Agency'", email("mia"))
    mia = await world.sign_in("mia")
    await world.database.execute(GONE, email("mia"))
    await world.database.execute(
        "INSERT INTO directory_people (account_id, user_id, user_name, said, inactive_role) "
        "VALUES ($1, $2, 'mia', '{}', CASE WHEN $3 THEN 'MEMBER' END)",
        world.account_id,
        await world.user_id("mia"),
        is_inactive,
    )
    await db.sessions.end_of_outsider(world.database, await world.user_id("mia"))
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": {"email": email("mia")} if goes_on else None}
    assert await signed_in_by(world) == (LET_IN if goes_on else REFUSED)


async def test_whoever_came_in_before_this_held_is_signed_out_by_the_migration(world: World) -> None:
    clients = {name: await world.sign_in(name) for name in ("olive", "mia", "adam", "petra", "sue")}
    await world.database.execute(GONE, email("mia"))
    await world.database.execute(GONE, email("adam"))
    await world.database.execute(INVITED.format(by="NULL"), email("adam"), MOMENT)
    (migration,) = (each for each in all_migrations() if each.number == 581)
    await world.database.execute(migration.sql)
    stay = [name for name, client in clients.items() if (await client.ask(VIEWER_EMAIL))["viewer"]]
    assert stay == ["olive", "adam", "petra", "sue"]
