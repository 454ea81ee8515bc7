"""The operations of the account's security page, as a frontend sends them."""

from __future__ import annotations

from typing import Any

from tests.client import Client
from tests.operations import REMIND, RESET, UPDATE
from tests.people import World


async def save(client: Client, world: World, require: bool, days: int | None = None) -> dict[str, Any]:
    """Save the agency's policy."""
    return await client.do(UPDATE, account=str(world.account_id), require=require, days=days)


async def ask_account(client: Client, world: World, query: str, **variables: Any) -> Any:
    """The one field that a query asks of the agency."""
    account = (await client.ask(query, account=str(world.account_id), **variables))["account"]
    return account[next(name for name in account if name != "name")]


async def reset(client: Client, world: World, name: str, reason: str | None = None) -> dict[str, Any]:
    """Reset the MFA of one of the agency's staff."""
    staff = str(await world.staff_id(name))
    return await client.do(RESET, account=str(world.account_id), staff=staff, reason=reason)


async def remind(client: Client, world: World, *names: str) -> dict[str, Any]:
    """Remind some of the agency's staff."""
    staff = [str(await world.staff_id(name)) for name in names]
    return await client.do(REMIND, account=str(world.account_id), staff=staff)


async def move_deadline(world: World, to: str) -> None:
    """Put the deadline at an SQL instant, by moving when the requirement began."""
    await world.database.execute(
        f"UPDATE accounts SET grace_deadline = {to}, announced_at = {to} - grace_days * interval '24 hours', "
        f"required_since = {to} - grace_days * interval '24 hours' WHERE id = $1",
        world.account_id,
    )
