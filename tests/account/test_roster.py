"""The roster: who is staff, how their MFA stands, page by page."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.account.acts import ask_account, reset, save
from tests.client import Client
from tests.operations import AUDIT, ROSTER
from tests.people import World, email, password_hash


async def roster(client: Client, world: World, **variables: Any) -> dict[str, Any]:
    """A page of the agency's roster."""
    page: dict[str, Any] = await ask_account(client, world, ROSTER, **variables)
    return page


async def add_staff(world: World, count: int) -> None:
    """More members: s0000@…, s0001@…"""
    await world.database.execute(
        """
        WITH added AS (
            INSERT INTO users (email, password_hash)
            SELECT format('s%s@agency.example', lpad(n::text, 4, '0')), $2 FROM generate_series(0, $1 - 1) AS n
            RETURNING id, email
        )
        INSERT INTO staff (account_id, user_id, email, role) SELECT $3, id, email, 'MEMBER' FROM added
        """,
        count,
        password_hash(),
        world.account_id,
    )


async def test_it_lists_everyone_with_a_role_by_email_and_nobody_else(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    page = await roster(olive, world)
    assert [(n["email"], n["role"], n["mfaState"]) for n in page["nodes"]] == [
        (email("adam"), "ADMIN", "NOT_ENABLED"),
        (email("mia"), "MEMBER", "NOT_ENABLED"),
        (email("olive"), "OWNER", "ENABLED"),
    ]
    assert page["totalCount"] == 3
    assert page["notice"] is None
    assert [e["node"]["id"] for e in page["edges"]] == [n["id"] for n in page["nodes"]]


async def test_the_state_shows_who_is_blocked(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    await save(olive, world, True, 0)
    states = {n["email"]: n["mfaState"] for n in (await roster(olive, world))["nodes"]}
    assert states == {email("adam"): "BLOCKED", email("mia"): "BLOCKED", email("olive"): "ENABLED"}


async def test_whoever_was_reset_is_blocked_without_any_policy(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    await reset(olive, world, "mia")
    (row,) = (await roster(olive, world, filter={"search": "mia@"}))["nodes"]
    assert (row["mfaState"], row["mfaEnabled"], row["mfaEnabledAt"]) == ("BLOCKED", False, None)


async def test_can_reset_says_whether_the_viewer_may(world: World) -> None:
    olive, _, sue = [await world.enrolled(name) for name in ("olive", "mia", "sue")]
    assert {n["email"]: n["canResetMfa"] for n in (await roster(olive, world))["nodes"]} == {
        email("adam"): False,
        email("mia"): True,
        email("olive"): False,
    }
    assert {n["canResetMfa"] for n in (await roster(sue, world))["nodes"]} == {False}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"mfaEnabled": True}, ["olive"]),
        ({"mfaEnabled": False}, ["adam", "mia"]),
        ({"mfaState": "ENABLED"}, ["olive"]),
        ({"mfaState": "BLOCKED"}, []),
        ({"role": "ADMIN"}, ["adam"]),
        ({"search": "MIA"}, ["mia"]),
        ({"search": "agency"}, ["adam", "mia", "olive"]),
        ({"search": "%"}, []),
        ({"search": "_ia"}, []),
        ({"search": "\\"}, []),
        ({"mfaEnabled": False, "role": "MEMBER", "search": "a"}, ["mia"]),
        ({}, ["adam", "mia", "olive"]),
    ],
)
async def test_all_conditions_of_a_filter_hold_together(world: World, wanted: dict[str, Any], names: list[str]) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    page = await roster(olive, world, filter=wanted)
    assert [n["email"] for n in page["nodes"]] == [email(name) for name in names]
    assert page["totalCount"] == len(names)


async def test_pages_follow_one_another_while_people_come_and_go(world: World) -> None:
    olive = await world.sign_in("olive")
    await add_staff(world, 20)
    first = await roster(olive, world, first=10)
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    await world.database.execute("DELETE FROM staff WHERE email = $1", first["nodes"][9]["email"])
    await world.database.execute("DELETE FROM staff WHERE email = $1", first["nodes"][0]["email"])
    second = await roster(olive, world, first=500, after=first["pageInfo"]["endCursor"])
    emails = [n["email"] for n in first["nodes"] + second["nodes"]]
    assert emails == sorted(set(emails))
    assert len(emails) == 23
    assert second["pageInfo"]["hasNextPage"] is False
    assert second["pageInfo"]["hasPreviousPage"] is True


async def test_without_a_page_size_the_first_500_come_with_a_notice(world: World) -> None:
    olive = await world.sign_in("olive")
    await add_staff(world, 497)
    page = await roster(olive, world)
    assert (len(page["nodes"]), page["notice"]) == (500, None)
    await world.database.execute(
        "WITH u AS (INSERT INTO users (email, password_hash) VALUES ('z@z.example', 'x') RETURNING id) "
        "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, 'z@z.example', 'MEMBER' FROM u",
        world.account_id,
    )
    page = await roster(olive, world)
    assert (len(page["nodes"]), page["totalCount"]) == (500, 501)
    assert page["notice"] == "Showing the first 500 staff members."
    assert (await roster(olive, world, first=500))["notice"] is None


@pytest.mark.parametrize("first", [-1, 501])
async def test_a_page_size_out_of_range_is_refused(world: World, first: int) -> None:
    olive = await world.sign_in("olive")
    assert await olive.refusal(ROSTER, account=str(world.account_id), first=first) == "BAD_USER_INPUT"


async def test_an_empty_page_may_be_asked_for(world: World) -> None:
    page = await roster(await world.sign_in("olive"), world, first=0)
    assert (page["nodes"], page["totalCount"], page["pageInfo"]["hasNextPage"]) == ([], 3, True)


async def test_a_made_up_changed_or_borrowed_cursor_is_refused(world: World) -> None:
    olive, sam = await world.sign_in("olive"), await world.sign_in("sam")
    cursor = (await roster(olive, world, first=1))["pageInfo"]["endCursor"]
    raw = bytearray(base64.urlsafe_b64decode(cursor))
    raw[-3] ^= 1
    changed = base64.urlsafe_b64encode(bytes(raw)).decode()
    longer = [cursor + "A", cursor + "=", "!" + cursor, cursor + "\n"]
    for made_up in (
        "",
        "x",
        "!",
        "ä",
        cursor[:-4],
        changed,
        *longer,
        "A" * 5000,
        base64.b64encode(b"[]" * 10).decode(),
    ):
        assert await olive.refusal(ROSTER, account=str(world.account_id), after=made_up) == "BAD_USER_INPUT"
    assert await sam.refusal(ROSTER, account=str(world.other_account_id), after=cursor) == "BAD_USER_INPUT"
    assert await olive.refusal(AUDIT, account=str(world.account_id), after=cursor) == "BAD_USER_INPUT"
