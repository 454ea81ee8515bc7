"""The suite of scim2-tester, by others, passes whole."""

from __future__ import annotations

import asyncio

import httpx2

from tests.people import World
from tests.scim.directory import directory


async def test_a_suite_by_others_passes_whole(world: World) -> None:
    # Here, since they take seconds, and each process lists all tests.
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    okta = await directory(world)

    def judged() -> list[tuple[Status, str | None, str | None]]:
        with httpx2.Client(
            base_url=f"{world.base_url}/scim/v2", headers={"authorization": f"Bearer {okta.token}"}
        ) as http:
            return [(each.status, each.title, each.reason) for each in check_server(SyncSCIMClient(http))]

    results = await asyncio.to_thread(judged)
    assert [each for each in results if each[0] is not Status.SUCCESS] == []
    assert len(results) > 30
