"""A reset that waits for a second owner or admin, and what is done with it."""

from __future__ import annotations

from typing import Any

from db.pool import Database
from rules.links import Purpose
from tests.account.acts import reset
from tests.account.operations import CHOOSE_APPROVAL
from tests.client import Client
from tests.coming_in.links import link_to
from tests.line import give_factors
from tests.operations import RESET
from tests.people import World, crowd, email
from tests.reminders.cast import planned

REASON = "Phone lost on the train"


async def choose(client: Client, world: World, approval: str | None) -> dict[str, Any]:
    """Let resets of these wait for a second one."""
    return await client.do(CHOOSE_APPROVAL, account=str(world.account_id), approval=approval)


async def asked(world: World) -> tuple[Client, Client, str]:
    """Olive, Adam, and the id of the reset that Olive has asked for: of Mia, who has MFA on."""
    olive, adam, _, reset_id = await asked_with_mia(world)
    return olive, adam, reset_id


async def asked_with_mia(world: World) -> tuple[Client, Client, Client, str]:
    """The same, with Mia, who is signed in."""
    olive, adam, mia = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await choose(olive, world, "EVERYONE")
    answer = await reset(olive, world, "mia", REASON)
    assert answer["__typename"] == "MfaResetPending", answer
    return olive, adam, mia, answer["resetId"]


async def tell(world: World, pool: Database) -> None:
    """Let all mails have left."""
    await planned(world, pool)
    await world.database.execute("UPDATE deliveries SET state = 'sent', sent_at = now(), claim_id = NULL")


async def decide(client: Client, world: World, operation: str, reset_id: str) -> dict[str, Any]:
    """Approve or decline it."""
    return await client.do(operation, account=str(world.account_id), reset=reset_id)


async def has_factor(world: World, name: str = "mia") -> bool:
    """Whether the person has MFA on."""
    found = "SELECT count(*) FROM factors WHERE user_id = $1"
    return bool(await world.database.fetchval(found, await world.user_id(name)))


async def link(world: World, name: str, minutes: int = 30) -> str:
    """The token of the link that stops it, as this person's mail holds it."""
    return await link_to(world, email(name), Purpose.STOP_RESET, about="MFA_RESET_REQUESTED", minutes=minutes)


async def asked_of_another(olive: Client, world: World) -> str:
    """The id of a second reset, that Olive has asked for: of 000000@crowd.example."""
    (other,) = await crowd(world.database, world.account_id, 1)
    await give_factors(world.database, [other])
    staff = await world.database.fetchval("SELECT id FROM staff WHERE user_id = $1", other)
    asked = await olive.do(RESET, account=str(world.account_id), staff=str(staff), reason=REASON)
    return str(asked["resetId"])
