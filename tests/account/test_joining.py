"""Who joins an account that requires MFA is told so, with their deadline: once, and only while it is true."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from db import outbox
from db.pool import Database
from resolvers.operators import accounts
from resolvers.operators.staff import change_role
from rules.events.policy import PolicyEnabled
from rules.links import Purpose
from rules.people import Role
from rules.service_keys import Right
from tests.account.acts import save
from tests.coming_in.links import link_to
from tests.coming_in.operations import INVITE, SET
from tests.commands import Command
from tests.line import Line
from tests.people import PASSWORD, World, email, password_hash, require_mfa
from tests.reminders.cast import planned, pool, sends
from tests.scim.directory import directory
from tests.service.operations import CHANGE_ROLE, PROVISION, backend

__all__ = ["pool"]

NEW = "new@agency.example"
ONLY_MANAGERS = "UPDATE accounts SET required_of = 'OWNERS_AND_ADMINS' WHERE id = $1"


async def told(world: World) -> list[str]:
    """Who was told, by MFA_REQUIRED events, each with the policy's deadline."""
    rows = await world.database.fetch(
        """
        SELECT users.email, (data ->> 'deadline')::timestamptz = mfa_deadline(accounts, staff) AS is_true
        FROM events JOIN users ON users.id = subject_id JOIN accounts ON accounts.id = events.account_id
        JOIN staff ON staff.account_id = accounts.id AND staff.user_id = users.id
        WHERE type = 'MFA_REQUIRED' ORDER BY events.id
        """
    )
    assert all(row["is_true"] for row in rows)
    return [row["email"] for row in rows]


async def add(pool: Database, world: World, who: str = NEW, role: Role = Role.MEMBER) -> None:
    """Let a person be staff as `gatehouse staff add` does."""
    await accounts.add_staff(pool, world.account_id, accounts.Newcomer(who, password_hash()), role)


async def test_whoever_is_added_imported_provisioned_or_invited_is_told_once(
    world: World, operate: Command, tmp_path: Path
) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True)
    account = str(world.account_id)
    adding = ("staff", "add", "--account", account, "--role", "MEMBER", "--password-stdin")
    done = operate(*adding, "--email", "added@agency.example", stdin=PASSWORD)
    assert done.returncode == 0, done.stderr
    people = tmp_path / "people.csv"
    people.write_text(f"email,role\nfirst@agency.example,member\nsecond@agency.example,admin\n{email('mia')},member\n")
    done = operate("staff", "import", str(people), "--account", account)
    assert done.returncode == 0, done.stderr
    web = await backend(world, Right.PROVISION)
    nina = {"accountId": account, "externalId": "77", "email": "nina@agency.example", "role": "MEMBER"}
    for _ in range(2):
        await web.do(PROVISION, input=nina)
    await olive.do(INVITE, account=account, email=NEW, role="MEMBER")
    assert NEW not in await told(world)
    token = await link_to(world, NEW, Purpose.INVITATION)
    await world.client().do(SET, token=token, password="a long enough new password")
    assert sorted(await told(world)) == sorted(
        [NEW, "added@agency.example", "first@agency.example", "nina@agency.example", "second@agency.example"]
    )


async def test_whoever_comes_by_the_directory_is_told_each_time_they_come(world: World) -> None:
    okta = await directory(world)
    await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    nina = await okta.create()
    for is_active in (False, True):
        await okta.patch(nina["id"], {"op": "replace", "path": "active", "value": is_active})
    assert await told(world) == ["nina@agency.example"] * 2


async def test_nobody_is_told_where_nothing_is_asked_of_them(cast: World, pool: Database) -> None:
    await add(pool, cast)
    await cast.let_have_mfa("petra")
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    await add(pool, cast, email("petra"))
    await cast.database.execute(ONLY_MANAGERS, cast.account_id)
    await add(pool, cast, "member@agency.example")
    assert await told(cast) == []


async def test_a_role_that_asks_for_mfa_is_told_of_and_one_that_changes_nothing_is_not(
    world: World, pool: Database
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    await change_role(pool, world.account_id, email("mia"), Role.ADMIN)
    assert await told(world) == []  # it was asked of her before
    await change_role(pool, world.account_id, email("mia"), Role.MEMBER)
    await world.database.execute(ONLY_MANAGERS, world.account_id)
    await change_role(pool, world.account_id, email("mia"), Role.ADMIN)
    await change_role(pool, world.account_id, email("mia"), Role.OWNER)
    web = await backend(world, Right.PROVISION)
    given = {"accountId": str(world.account_id), "externalId": "7"}
    await web.do(PROVISION, input=given | {"email": NEW, "role": "MEMBER"})
    assert await told(world) == [email("mia")]
    await web.do(CHANGE_ROLE, input=given | {"role": "OWNER"})
    assert await told(world) == [email("mia"), NEW]


async def test_whoever_is_exempted_is_told_of_no_role_that_asks_for_mfa(world: World, pool: Database) -> None:
    await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    await world.database.execute(ONLY_MANAGERS, world.account_id)
    await world.database.execute("UPDATE staff SET is_exempt = true, excepted_until = now() + interval '2 days'")
    await change_role(pool, world.account_id, email("mia"), Role.ADMIN)
    assert await told(world) == []


async def test_whose_exemption_is_all_the_time_that_is_left_for_a_role_is_told_its_end(
    world: World, pool: Database
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=30, grace_days=7)
    await world.database.execute(ONLY_MANAGERS, world.account_id)
    await world.database.execute("UPDATE staff SET is_exempt = true, excepted_until = now() + interval '36 hours'")
    await change_role(pool, world.account_id, email("mia"), Role.ADMIN)
    assert await told(world) == [email("mia")]


async def test_the_email_names_the_deadline(line: Line, pool: Database) -> None:
    made = await require_mfa(line.database, line.world.account_id, days_ago=1, grace_days=7)
    assert made.deadline is not None
    await add(pool, line.world)
    await line.start("relay", "worker", "beat")
    await line.mailbox.wait_for_mail(NEW, 1)
    assert line.mailbox.subjects(NEW) == [f"Set up MFA by {made.deadline.day} {made.deadline:%B %Y}"]


async def test_whoever_joins_before_the_policy_is_announced_to_all_is_told_by_one_of_the_two(
    cast: World, pool: Database
) -> None:
    made = await require_mfa(cast.database, cast.account_id, days_ago=0, grace_days=7)
    assert made.required_since is not None
    assert made.deadline is not None
    announced = PolicyEnabled(
        account_id=cast.account_id, grace_days=7, required_since=made.required_since, deadline=made.deadline
    )
    async with pool.transaction() as connection:
        await outbox.append(connection, announced)
    await add(pool, cast)
    assert await planned(cast, pool) == ["adam", "mia", "new", "olive"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET grace_days = 3, grace_deadline = required_since + interval '3 days' WHERE name = 'Agency'",
        "UPDATE accounts SET required_since = NULL, grace_days = NULL, grace_deadline = NULL, announced_at = NULL",
        "UPDATE accounts SET required_of = 'OWNERS_AND_ADMINS'",
        f"DELETE FROM staff WHERE email = '{NEW}'",
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        f"SELECT id, '', 'test', 0, decode(repeat('00', 16), 'hex'), 'test' FROM users WHERE email = '{NEW}'",
    ],
)
async def test_what_is_overtaken_by_the_send_is_dropped(cast: World, pool: Database, change: str) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    await add(pool, cast)
    assert await planned(cast, pool) == ["new"]
    await cast.database.execute(change)
    assert await sends(cast, pool) == []


async def test_fifty_who_join_while_the_policy_is_saved_are_each_told_once(world: World, pool: Database) -> None:
    olive = await world.sign_in("olive")
    people = [f"one{n}@agency.example" for n in range(50)]
    await asyncio.gather(
        *(add(pool, world, who) for who in people[:25]),
        save(olive, world, True),
        *(add(pool, world, who) for who in people[25:]),
    )
    recipients = await planned(world, pool)
    assert sorted(recipients) == sorted(["adam", "mia", "olive", *(who.split("@")[0] for who in people)])
