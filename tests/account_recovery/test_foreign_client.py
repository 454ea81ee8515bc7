"""gql, as it comes, goes the whole way of coming back alone."""

from __future__ import annotations

from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.httpx import HTTPXAsyncTransport

from rules.links import Purpose
from tests.account_recovery.operations import CANCEL, RECOVERIES, REQUEST, START, STOP, STOP_OF
from tests.account_recovery.waiting import allow, stop_link, waits
from tests.coming_in.links import link_to
from tests.operations import SIGN_IN
from tests.people import PASSWORD, World, email


async def ask(world: World, text: str, bearer: str | None = None, **variables: Any) -> Any:
    """The answer's one field."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    transport = HTTPXAsyncTransport(url=f"{world.base_url}/graphql", headers=headers)
    async with Client(transport=transport) as session:
        return next(iter((await session.execute(GraphQLRequest(text, variable_values=variables))).values()))


async def test_gql_asks_begins_lists_and_stops_it(world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    olive = (await world.enrolled("olive")).token
    account, staff = str(world.account_id), str(await world.staff_id("mia"))
    challenge = await ask(world, SIGN_IN, email=email("mia"), password=PASSWORD)
    seen = [await ask(world, REQUEST, token=challenge["challengeToken"])]
    seen.append(await ask(world, START, token=await link_to(world, email("mia"), Purpose.START_RECOVERY)))
    seen.append(await ask(world, STOP, token=await stop_link(world)))
    seen.append(await ask(world, START, token=await link_to(world, email("mia"), Purpose.START_RECOVERY)))
    assert len((await ask(world, RECOVERIES, olive, account=account))["accountRecoveries"]) == 1
    seen.append(await ask(world, STOP_OF, olive, account=account, staff=staff))
    seen.append(await ask(world, CANCEL, olive))
    assert [each["__typename"] for each in seen] == [
        "AccountRecoveryRequested",
        "AccountRecoveryStarted",
        "AccountRecoveryStopped",
        "AccountRecoveryStarted",
        "StaffAccountRecoveryStopped",
        "AccountRecoveryCancelled",
    ]
    assert not await waits(world)
