"""An invitation holds as long as whoever sent it might still send it, and none of a service key's thief."""

from __future__ import annotations

from uuid import UUID

import pytest

from rules.failures import NotPermitted
from rules.invitations import require_permission
from rules.links import Purpose
from rules.people import MANAGERS, Role
from rules.service_keys import Right
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import ACCEPT, INVITE, SET
from tests.commands import Command
from tests.operations import SIGN_OUT
from tests.people import World, email
from tests.service.operations import SERVICE_SIGN_IN, backend

NEW = "new@agency.example"
NEW_PASSWORD = "another horse, another battery"
REMOVED = "DELETE FROM staff WHERE email LIKE $1"
DEMOTED = "UPDATE staff SET role = 'MEMBER' WHERE email LIKE $1"
NO_OWNER = "UPDATE staff SET role = 'ADMIN' WHERE email LIKE $1"
STILL_TO_COME = "UPDATE staff SET invited_at = now() WHERE email LIKE $1"


async def invited(world: World, who: Client, role: str, address: str = NEW) -> str:
    """The token of an invitation by this person."""
    answer = await who.do(INVITE, account=str(world.account_id), email=address, role=role)
    assert answer["__typename"] == "StaffInvited"
    return await link_to(world, address, Purpose.INVITATION, minutes=60)


async def come(world: World, token: str) -> str:
    """What comes of a password by this link."""
    answer = await world.client().do(SET, token=token, password=NEW_PASSWORD)
    return str(answer["__typename"])


async def joined(world: World) -> int:
    count: int = await world.database.fetchval(
        "SELECT count(*) FROM staff WHERE email IN ($1, $2) AND account_id = $3 AND invited_at IS NULL",
        NEW,
        email("sam"),
        world.account_id,
    )
    return count


@pytest.mark.parametrize("change", [REMOVED, DEMOTED, STILL_TO_COME])
async def test_nobody_comes_by_an_invitation_of_an_admin_who_is_one_no_more(world: World, change: str) -> None:
    token = await invited(world, await world.sign_in("adam"), "ADMIN")
    await world.database.execute(change, "adam@%")
    assert await come(world, token) == "LinkExpired"
    # Nor by the link of a first password, which accepts what is open to somebody new.
    assert await come(world, await link_to(world, NEW, Purpose.PASSWORD_RESET)) == "PasswordSet"
    assert await joined(world) == 0
    assert await world.events("STAFF_ADDED") == []


async def test_nobody_who_has_a_password_accepts_it_either(world: World) -> None:
    token = await invited(world, await world.sign_in("adam"), "ADMIN", email("sam"))
    await world.database.execute(REMOVED, "adam@%")
    assert (await (await world.sign_in("sam")).do(ACCEPT, token=token))["__typename"] == "LinkExpired"
    assert await joined(world) == 0


@pytest.mark.parametrize(("role", "comes"), [("OWNER", "LinkExpired"), ("ADMIN", "PasswordSet")])
async def test_an_owner_who_is_an_admin_by_now_lets_no_owner_come(world: World, role: str, comes: str) -> None:
    token = await invited(world, await world.sign_in("olive"), role)
    await world.database.execute(NO_OWNER, "olive@%")
    assert await come(world, token) == comes
    assert await joined(world) == (comes == "PasswordSet")


def may_invite(inviter: Role, offered: Role) -> bool:
    """By the rules: whoever manages the account, as far as their own role goes."""
    try:
        require_permission(inviter, offered)
    except NotPermitted:
        return False
    return inviter in MANAGERS


@pytest.mark.parametrize("offered", Role)
@pytest.mark.parametrize("inviter", Role)
async def test_the_database_lets_who_may_invite_so_by_the_rules_have_invited(
    cast: World, inviter: Role, offered: Role
) -> None:
    invited_by, account = await cast.user_id("adam"), cast.account_id
    await cast.database.execute("UPDATE staff SET role = $1 WHERE user_id = $2", inviter, invited_by)
    await cast.database.execute(
        "UPDATE staff SET role = $1, invited_by = $2 WHERE account_id = $3 AND email = $4",
        offered,
        invited_by,
        account,
        email("mia"),
    )
    held = await cast.database.fetchval(
        "SELECT inviter_may_invite(staff) FROM staff WHERE account_id = $1 AND email = $2", account, email("mia")
    )
    assert held == may_invite(inviter, offered)


async def test_somebody_else_who_invites_anew_answers_for_it(world: World) -> None:
    await invited(world, await world.sign_in("adam"), "ADMIN")
    await world.database.execute("UPDATE staff SET invited_at = invited_at - interval '1 minute'")
    await world.database.execute("DELETE FROM links")
    token = await invited(world, await world.sign_in("olive"), "ADMIN")
    await world.database.execute(REMOVED, "adam@%")
    assert await come(world, token) == "PasswordSet"
    assert await joined(world) == 1


async def test_an_operators_invitation_and_one_from_before_hold_on(world: World, operate: Command) -> None:
    account = str(world.account_id)
    added = operate("staff", "add", "--account", account, "--email", NEW, "--role", "owner", "--invite")
    assert added.returncode == 0, added.stderr
    await world.database.execute(REMOVED, "olive@%")
    assert await come(world, await link_to(world, NEW, Purpose.INVITATION, minutes=60)) == "PasswordSet"
    assert await joined(world) == 1


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_revoked_key_takes_back_whom_its_thief_has_invited_even_once_signed_out(
    world: World, operate: Command, *, leaves: bool
) -> None:
    honest = await invited(world, await world.sign_in("adam"), "ADMIN", "by-adam@agency.example")
    web = await backend(world, Right.SIGN_IN)
    thief = world.client()
    thief.token = (await web.do(SERVICE_SIGN_IN, input={"email": email("olive")}))["sessionToken"]
    token = await invited(world, thief, "OWNER")
    if leaves:
        await thief.ask(SIGN_OUT)
    key: UUID = await world.database.fetchval("SELECT id FROM service_keys WHERE name = 'web'")
    assert operate("service-keys", "revoke", str(key), "--end-sessions").returncode == 0
    assert await come(world, token) == "LinkExpired"
    (event,) = await world.events("INVITATION_REVOKED")
    assert (event["account_id"], event["actor_id"]) == (world.account_id, None)
    assert await come(world, honest) == "PasswordSet"
    # Nothing is left that it has begun.
    assert "There is no service key" in operate("service-keys", "revoke", str(key), "--end-sessions").stderr
