"""The specification of GraphQL over HTTP, as the audits of the npm package graphql-http have it."""

from __future__ import annotations

from tests.people import World
from tests.transport.node import Node


async def test_the_server_passes_every_audit(world: World, node: Node) -> None:
    results = await node.run("run.js", f"{world.base_url}/graphql")
    assert len(results) == 61
    assert [result for result in results if result["status"] != "ok"] == []
