"""The schema as strangers read it from the running endpoint: it is the published one, whoever reads it, and how."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import build_schema, get_introspection_query, print_schema

from schema.roots import build
from server.transport.bounds import STRANGER
from server.transport.documents import Documents
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.client import serving, settings_for
from tests.people import World
from tests.transport.node import Node

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


@pytest.fixture(scope="module")
def documents() -> Documents:
    schema = build(GatehouseSchema, settings=Settings())
    return schema.documents


@pytest.mark.long
async def test_graphql_js_reads_it_with_every_option(world: World, node: Node) -> None:
    read = await node.run("introspect.js", f"{world.base_url}/graphql", str(SDL))
    assert [answer for answer in read["answers"] if answer.get("errors")] == []
    assert len(read["answers"]) == 2**7 + 4
    # Without these a schema is printed shorter.
    needed = {"descriptions", "specifiedByUrl", "inputValueDeprecation", "oneOf"}
    whole = [a["printed"] for a in read["answers"] if all(a["options"].get(name) for name in needed)]
    assert set(whole) == {read["expected"]}


async def test_gql_fetches_it(world: World) -> None:
    client = Client(
        transport=HTTPXAsyncTransport(url=f"{world.base_url}/graphql"),
        fetch_schema_from_transport=True,
        introspection_args={"specified_by_url": True},
    )
    async with client as session:
        assert (await session.execute(gql("{ viewer { id } }"))) == {"viewer": None}
        assert client.schema
        # It cannot ask for @oneOf yet.
        expected = print_schema(build_schema(SDL.read_text())).replace(" @oneOf", "")
        assert print_schema(client.schema) == expected


async def test_it_is_off_in_production(database_url: str) -> None:
    settings = settings_for(database_url, production=True, introspection=False)
    async with serving(settings) as base_url:
        client = Client(transport=HTTPXAsyncTransport(url=f"{base_url}/graphql"), fetch_schema_from_transport=True)
        with pytest.raises(Exception, match="introspection"):
            async with client:
                pass


async def test_it_is_asked_for_once_in_a_document(world: World) -> None:
    client = world.client()
    many = "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(15)) + "}"
    answer = await client.raw(many)
    assert answer["errors"][0]["message"] == "Ask for __schema once in a document."
    types = '{ a: __type(name: "Query") { name } b: __type(name: "Query") { name } }'
    assert (await client.raw(types))["errors"][0]["message"] == "Ask for __type once in a document."
    both = '{ __schema { queryType { name } } __type(name: "Query") { kind } __typename }'
    assert await client.ask(both) == {
        "__schema": {"queryType": {"name": "Query"}},
        "__type": {"kind": "OBJECT"},
        "__typename": "Query",
    }


def test_its_lists_count_as_long_as_they_are(documents: Documents) -> None:
    assert documents.prepare(get_introspection_query(type_depth=20, one_of=True), STRANGER).errors == ()
    nested = "{ __schema { types { fields { type { fields { type { name fields { name } } } } } } } }"
    assert "Maximum introspection depth exceeded" in [e.message for e in documents.prepare(nested, STRANGER).errors]
    mixed = "{ viewer { id } " + get_introspection_query().split("{", 1)[1]
    [error] = documents.prepare(mixed, STRANGER).errors
    assert error.message.startswith("The operation costs more than")


async def test_one_of_is_told_of_every_type_as_graphql_js_tells_it(world: World) -> None:
    kinds = "{ __schema { types { kind name isOneOf fields { type { isOneOf } } } } }"
    types = (await world.client().ask(kinds))["__schema"]["types"]
    assert {kind["isOneOf"] for kind in types if kind["kind"] != "INPUT_OBJECT"} == {None}
    assert "SecondFactorInput" in {kind["name"] for kind in types if kind["isOneOf"]}
    assert {kind["isOneOf"] for kind in types if kind["kind"] == "INPUT_OBJECT"} == {True, False}


async def test_many_strangers_reading_it_stop_nobody(world: World) -> None:
    """Each text is another, so that none is answered from what is kept."""
    query = get_introspection_query()
    mia = await world.sign_in("mia")
    strangers = [world.client().raw(f"{query} #{n}") for n in range(30)]
    reading = asyncio.gather(*strangers)
    order = [await mia.ask("{ viewer { email } }") for _ in range(5)]
    assert not reading.done()
    assert len(order) == 5
    answers = await reading
    assert all("data" in answer or answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED" for answer in answers)
