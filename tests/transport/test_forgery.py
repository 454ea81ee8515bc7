"""Requests that another site makes a browser send: the session cookie alone must not be enough."""

from __future__ import annotations

import httpx
import pytest

QUERY = {"query": "{ hello }"}
COOKIE = {"cookie": "__Host-gatehouse=gh_s_x"}


async def test_a_post_of_our_own_page_is_taken(http: httpx.AsyncClient) -> None:
    for origin in ("https://gatehouse.example", "https://app.example", str(http.base_url).rstrip("/")):
        answer = await http.post("/graphql", json=QUERY, headers={**COOKIE, "origin": origin})
        assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://gatehouse.example.evil.example", ""])
async def test_a_post_of_another_page_is_refused(http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.post("/graphql", json=QUERY, headers={**COOKIE, "origin": origin})
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["message"] == "This origin may not use the session cookie."


async def test_a_get_needs_a_header_that_no_link_can_send(http: httpx.AsyncClient) -> None:
    assert (await http.get("/graphql", params=QUERY, headers=COOKIE)).status_code == 403
    for name in ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with"):
        assert (await http.get("/graphql", params=QUERY, headers={**COOKIE, name: "1"})).status_code == 200


async def test_a_request_without_the_cookie_or_with_a_token_needs_nothing(http: httpx.AsyncClient) -> None:
    assert (await http.get("/graphql", params=QUERY)).status_code == 200
    headers = {**COOKIE, "authorization": "Bearer gh_s_y", "origin": "https://evil.example"}
    assert (await http.get("/graphql", params=QUERY, headers=headers)).status_code == 200


async def test_another_origin_is_told_nothing_by_cors(http: httpx.AsyncClient) -> None:
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    refused = await http.options("/graphql", headers={"origin": "https://evil.example", **preflight})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    allowed = await http.options("/graphql", headers={"origin": "https://app.example", **preflight})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert allowed.headers["access-control-allow-credentials"] == "true"


async def test_every_answer_carries_the_security_headers(http: httpx.AsyncClient) -> None:
    for answer in (await http.get("/graphql", params=QUERY), await http.get("/nowhere"), await http.delete("/graphql")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
