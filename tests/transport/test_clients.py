"""urql and Apollo Client as they come, with the session cookie of a page of our own."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import asyncpg

from tests.client import serving, settings_for
from tests.operations import WITH_COOKIE
from tests.people import PASSWORD, World, email, make_world
from tests.transport.node import Node


async def cookie_of(world: World) -> str:
    client = world.client()
    await client.ask(WITH_COOKIE, email=email("mia"), password=PASSWORD)
    return "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())


async def test_they_work_by_get_and_fall_back_where_documents_are_not_kept(world: World, node: Node) -> None:
    results = await node.run("clients.js", f"{world.base_url}/graphql", await cookie_of(world))
    mia = email("mia")
    assert results["urql"] == {"told": mia, "methods": ["GET"]}
    assert results["urqlByPost"] == {"told": mia, "methods": ["POST"]}
    assert results["apolloByGet"] == {"told": mia, "methods": ["GET"]}
    assert results["apolloPersisted"] == {"told": mia, "methods": ["POST", "POST"]}
    assert "Batching is not supported" in results["apolloBatch"]["told"]


async def test_a_document_kept_by_its_hash_runs_by_the_hash_alone(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], node: Node, tmp_path: Path
) -> None:
    texts = ["query Me {\n  viewer {\n    email\n    __typename\n  }\n}", WITH_COOKIE]
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({sha256(text.encode()).hexdigest(): text for text in texts}))
    async with serving(settings_for(database_url, trusted_documents=manifest)) as base_url:
        world = await make_world(base_url, database)
        results = await node.run("clients.js", f"{base_url}/graphql", await cookie_of(world))
    assert results["apolloPersisted"] == {"told": email("mia"), "methods": ["POST"]}
    for client in world.clients:
        await client.aclose()
