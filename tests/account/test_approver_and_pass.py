"""A recovery pass never goes round a second approver: not offered, not given, and one from before ends."""

from __future__ import annotations

import pytest

from tests.account.acts import ask_account
from tests.account.operations import MAY_HAVE_PASSES
from tests.enrollment.passes import begun, issue, redeem, refused
from tests.operations import BEGIN_RECOVERY, REPLACE
from tests.people import World, email

# Who may be given a pass by Olive, who owns the agency, where this is chosen there or in another account of theirs.
NOBODY_ELSE = "UPDATE accounts SET reset_approval = '{}' WHERE name = 'Agency'"
ELSEWHERE = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, users.email, 'OWNER' "
    "FROM accounts, users WHERE accounts.name = 'Other' AND users.email SIMILAR TO '(mia|olive)@%'; "
    "UPDATE accounts SET reset_approval = '{}' WHERE name = 'Other'"
)
CHOSEN = {
    "nobody": (NOBODY_ELSE.format("NOBODY"), {"adam", "mia"}),
    "owners and admins": (NOBODY_ELSE.format("OWNERS_AND_ADMINS"), {"mia"}),
    "everyone": (NOBODY_ELSE.format("EVERYONE"), set()),
    "nobody elsewhere": (ELSEWHERE.format("NOBODY"), {"adam", "mia"}),
    "owners and admins elsewhere": (ELSEWHERE.format("OWNERS_AND_ADMINS"), {"adam"}),
    "everyone elsewhere": (ELSEWHERE.format("EVERYONE"), {"adam"}),
}


@pytest.mark.parametrize(("change", "fitting"), CHOSEN.values(), ids=CHOSEN.keys())
async def test_the_roster_offers_a_pass_where_one_would_be_given(world: World, change: str, fitting: set[str]) -> None:
    olive = await world.enrolled("olive")
    for name in ("adam", "mia"):
        await world.let_have_mfa(name)
    await world.database.execute(change)
    offered = (await ask_account(olive, world, MAY_HAVE_PASSES))["nodes"]
    assert {each["email"] for each in offered if each["canGiveRecoveryPass"]} == {email(name) for name in fitting}
    for name in ("adam", "mia"):
        if name in fitting:
            assert (await issue(olive, world, name))["__typename"] == "RecoveryPassIssued"
        else:
            assert await refused(olive, world, name) == "NotPermitted"


async def test_a_pass_is_offered_for_nobody_without_mfa_nor_oneself_nor_by_an_admin_for_an_owner(world: World) -> None:
    adam = await world.enrolled("adam")
    await world.let_have_mfa("olive")
    offered = (await ask_account(adam, world, MAY_HAVE_PASSES))["nodes"]
    assert [each["canGiveRecoveryPass"] for each in offered] == [False] * 3


@pytest.mark.parametrize("change", [NOBODY_ELSE.format("EVERYONE"), ELSEWHERE.format("OWNERS_AND_ADMINS")])
async def test_a_pass_given_before_an_approver_was_asked_for_holds_no_more(world: World, change: str) -> None:
    olive = await world.enrolled("olive")
    await world.enroll(await world.sign_in("mia"))
    given = (await issue(olive, world))["recoveryPass"]
    await world.database.execute(change)
    _, answer = await redeem(world, given)
    assert answer["__typename"] == "RecoveryPassExpired"
    assert await world.events("RECOVERY_PASS_USED") == []


@pytest.mark.parametrize("change", [NOBODY_ELSE.format("EVERYONE"), ELSEWHERE.format("OWNERS_AND_ADMINS")])
async def test_nor_does_a_session_that_a_pass_began_before(world: World, change: str) -> None:
    olive = await world.enrolled("olive")
    await world.enroll(await world.sign_in("mia"))
    thief, _ = await redeem(world, (await issue(olive, world))["recoveryPass"])
    app = await begun(thief)
    await world.database.execute(change)
    assert await thief.refusal(REPLACE, code=await app.code()) == "UNAUTHENTICATED"
    assert await thief.refusal(BEGIN_RECOVERY) == "UNAUTHENTICATED"
    assert await world.events("AUTHENTICATOR_REPLACED") == []
