"""What the statements of the roster find of people who are invited, reset, or at home elsewhere, too."""

from __future__ import annotations

from uuid import UUID

import pytest

from db import staff
from db.staff import Filter, Member
from tests.line import give_factors
from tests.people import World, email, require_mfa


async def join(cast: World, account_id: UUID, name: str, role: str, *, invited: bool = False) -> None:
    """Give somebody a role in an account, or invite them."""
    await cast.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
        "VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)",
        account_id,
        await cast.user_id(name),
        email(name),
        role,
        invited,
    )


async def shown(cast: World, wanted: Filter | None = None, limit: int = 100) -> list[Member]:
    """The agency's roster."""
    return await staff.page(cast.database, cast.account_id, wanted or Filter(), None, limit)


def names(members: list[Member]) -> list[str]:
    return [member.email.split("@")[0] for member in members]


async def test_elsewhere_is_where_they_have_come_and_owned_where_they_own(cast: World) -> None:
    other = cast.other_account_id
    await join(cast, other, "mia", "OWNER")
    await join(cast, other, "olive", "ADMIN")
    await join(cast, other, "adam", "OWNER", invited=True)
    everybody = [await cast.user_id(name) for name in ("olive", "adam", "mia", "sam")]
    by_id = await staff.members(cast.database, cast.account_id, everybody)
    for found in (await shown(cast), by_id):
        assert {member.email.split("@")[0]: (member.elsewhere, member.owned_elsewhere) for member in found} == {
            "adam": ([], []),
            "mia": ([other], [other]),
            "olive": ([other], []),
        }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ["adam", "mia", "olive", "petra"]),
        (Filter(mfa_enabled=True), ["olive"]),
        (Filter(mfa_enabled=False), ["adam", "mia", "petra"]),
        (Filter(mfa_state="ENABLED"), ["olive"]),
        (Filter(mfa_state="BLOCKED"), ["adam"]),
        (Filter(mfa_state="NOT_ENABLED"), ["mia", "petra"]),
        (Filter(invited=True), ["petra"]),
        (Filter(invited=False), ["adam", "mia", "olive"]),
        (Filter(role="MEMBER"), ["mia", "petra"]),
        (Filter(role="MEMBER", invited=False), ["mia"]),
        (Filter(mfa_state="NOT_ENABLED", search="mia"), ["mia"]),
    ],
)
async def test_who_is_invited_shows_nothing_of_what_they_have_elsewhere_and_count_and_page_agree(
    cast: World, wanted: Filter, found: list[str]
) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    await join(cast, cast.account_id, "petra", "MEMBER", invited=True)
    await give_factors(cast.database, [await cast.user_id("olive"), await cast.user_id("petra")])
    await cast.database.execute(
        "UPDATE users SET reenrollment_required_at = now(), enrollment_stopped_at = now() WHERE email = ANY ($1)",
        [email("adam"), email("petra")],
    )
    page = await shown(cast, wanted)
    assert names(page) == found
    assert await staff.count(cast.database, cast.account_id, wanted) == len(found)
    everybody = [await cast.user_id(name) for name in ("olive", "adam", "mia", "petra", "sam")]
    by_id = await staff.members(cast.database, cast.account_id, everybody)
    assert [member for member in page if member not in by_id] == []
    assert names([member for member in by_id if member.enrollment_stopped]) == ["adam"]


async def test_pages_of_any_size_are_the_whole(cast: World) -> None:
    await join(cast, cast.account_id, "sue", "OWNER")
    whole = await shown(cast)
    assert names(whole) == ["adam", "mia", "olive", "sue"]
    for size in (1, 2, 3):
        after, pages = None, []
        while page := await staff.page(cast.database, cast.account_id, Filter(), after, size):
            pages += page
            after = (page[-1].email, page[-1].id)
        assert pages == whole
