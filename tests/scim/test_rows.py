"""What the statements of a directory find: its own account's people, and whom nothing is left to elsewhere."""

from __future__ import annotations

from uuid import UUID

import pytest

from db import directory, sign_in
from db.directory import Wanted
from rules.people import Role
from tests.people import World, email

EXTERNAL = "INSERT INTO external_ids (account_id, external_id, user_id) VALUES ($1, $2, $3)"


async def know(cast: World, account_id: UUID, name: str, inactive: Role | None = None) -> None:
    """Let a directory have said something of somebody, and have made them inactive."""
    user_id = await cast.user_id(name)
    await directory.keep(cast.database, account_id, user_id, f"{name}-there", {"title": name})
    if inactive:
        await directory.set_inactive_role(cast.database, account_id, user_id, inactive)
        await cast.database.execute("DELETE FROM staff WHERE account_id = $1 AND user_id = $2", account_id, user_id)


async def test_names_and_ids_of_another_accounts_directory_find_nobody(cast: World) -> None:
    here, there = cast.account_id, cast.other_account_id
    mia, sam = await cast.user_id("mia"), await cast.user_id("sam")
    await know(cast, here, "mia")
    await know(cast, there, "sam")
    await cast.database.execute(EXTERNAL, here, "7", mia)
    await cast.database.execute(EXTERNAL, there, "8", sam)

    async def find(**wanted: str | UUID) -> list[UUID]:
        return await directory.find(cast.database, here, Wanted(**wanted))  # type: ignore[arg-type]

    assert await find(user_name="mia-there") == await find(external_id="7") == [mia]
    assert await find(user_name="sam-there") == await find(external_id="8") == await find() == []
    assert await find(user_name=email("mia")) == await find(email=email("mia")) == [mia]
    assert await find(email="mia-there") == []
    assert await find(user_id=sam) == [sam]


@pytest.mark.parametrize(
    ("is_active", "found"), [(None, {"adam", "mia", "olive"}), (True, {"adam", "olive"}), (False, {"mia"})]
)
async def test_a_page_and_the_count_are_of_those_who_have_come_and_the_inactive(
    cast: World, is_active: bool | None, found: set[str]
) -> None:
    await know(cast, cast.account_id, "mia", Role.MEMBER)
    await know(cast, cast.account_id, "adam")
    for name in ("sam", "petra"):
        await know(cast, cast.other_account_id, name, Role.OWNER)
    for account_id, external_id, name in ((cast.account_id, "7", "mia"), (cast.other_account_id, "8", "adam")):
        await cast.database.execute(EXTERNAL, account_id, external_id, await cast.user_id(name))
    await cast.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role, invited_at) VALUES ($1, $2, $3, 'MEMBER', now())",
        cast.account_id,
        await cast.user_id("sue"),
        email("sue"),
    )
    ids = await directory.page(cast.database, cast.account_id, is_active, 0, 10)
    assert set(ids) == {await cast.user_id(name) for name in found}
    assert await directory.count(cast.database, cast.account_id, is_active) == len(found)
    assert [*await directory.page(cast.database, cast.account_id, is_active, 1, 1)] == ids[1:2]
    everybody = [await cast.user_id(name) for name in ("adam", "mia", "olive", "sam", "sue", "petra")]
    entries = await directory.entries(cast.database, cast.account_id, everybody)
    assert {each.email: each.external_id for each in entries} == {
        email("adam"): None,
        email("mia"): "7",
        email("olive"): None,
    }
    assert {(each.email, each.user_name, each.role.value, each.is_active, str(each.said)) for each in entries} == {
        (email("adam"), "adam-there", "ADMIN", True, "{'title': 'adam'}"),
        (email("mia"), "mia-there", "MEMBER", False, "{'title': 'mia'}"),
        (email("olive"), email("olive"), "OWNER", True, "None"),
    }


async def test_only_what_one_directory_says_of_one_person_is_forgotten(cast: World) -> None:
    here, there = cast.account_id, cast.other_account_id
    for account_id, name, external_id in ((here, "mia", "7"), (here, "adam", "9"), (there, "mia", "8")):
        await know(cast, account_id, name)
        await cast.database.execute(EXTERNAL, account_id, external_id, await cast.user_id(name))
    await directory.forget(cast.database, here, await cast.user_id("mia"))
    left = {(here, await cast.user_id("adam")), (there, await cast.user_id("mia"))}
    for table in ("directory_people", "external_ids"):
        rows = await cast.database.fetch(f"SELECT account_id, user_id FROM {table}")
        assert {(row["account_id"], row["user_id"]) for row in rows} == left


JOIN = "INSERT INTO staff (account_id, user_id, email, role, invited_at)"


@pytest.mark.parametrize(
    ("elsewhere", "is_shut_out"),
    [
        ("", True),
        ("UPDATE directory_people SET inactive_role = NULL WHERE user_id = $1", True),
        ("UPDATE users SET is_super_admin = true WHERE id = $1", False),
        (f"{JOIN} SELECT id, $1, '{email('mia')}', 'MEMBER', NULL FROM accounts WHERE name = 'Other'", False),
        (f"{JOIN} SELECT id, $1, '{email('mia')}', 'MEMBER', now() FROM accounts WHERE name = 'Other'", True),
        ("INSERT INTO portal_users (account_id, user_id) SELECT id, $1 FROM accounts WHERE name = 'Agency'", True),
        ("INSERT INTO portal_users (account_id, user_id) SELECT id, $1 FROM accounts WHERE name = 'Other'", False),
    ],
)
async def test_whom_a_directory_has_made_inactive_is_shut_out_unless_they_have_something_elsewhere(
    cast: World, elsewhere: str, is_shut_out: bool
) -> None:
    await know(cast, cast.account_id, "mia", Role.MEMBER)
    mia = await cast.user_id("mia")
    if elsewhere:
        await cast.database.execute(elsewhere, mia)
    arrived = await sign_in.arrive(cast.database, mia)
    assert arrived
    assert arrived.is_shut_out is is_shut_out
    other = await sign_in.arrive(cast.database, await cast.user_id("adam"))
    assert other
    assert not other.is_shut_out
