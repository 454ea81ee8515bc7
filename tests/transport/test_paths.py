"""Paths beside the endpoint's."""

from __future__ import annotations

import httpx

from tests.people import World


async def test_no_path_sends_a_client_to_plain_http(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.base_url) as http:
        answers = {
            path: await http.post(path, json={"query": "{ viewer { id } }"}) for path in ("/graphql/", "/healthz/")
        }
        home = await http.get("/")
    assert {path: answer.status_code for path, answer in answers.items()} == {"/graphql/": 404, "/healthz/": 404}
    assert home.headers["location"] == "/sign-in"
