"""Paths beside the endpoint's."""

from __future__ import annotations

from tests.client import http_client
from tests.people import World


async def test_no_path_sends_a_client_to_plain_http(world: World) -> None:
    async with http_client(world.base_url) as http:
        answers = {
            path: await http.post(path, json={"query": "{ viewer { id } }"}) for path in ("/graphql/", "/healthz/")
        }
        home = await http.get("/")
    assert {path: answer.status_code for path, answer in answers.items()} == {"/graphql/": 404, "/healthz/": 404}
    assert home.headers["location"] == "/sign-in"
