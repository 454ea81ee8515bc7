"""Requests that another site makes a browser send: the session cookie alone must not be enough."""

from __future__ import annotations

import httpx
import pytest

QUERY = {"query": "{ hello }"}
COOKIE = {"cookie": "__Host-gatehouse=gh_s_x"}


async def test_a_post_of_our_own_page_is_taken(http: httpx.AsyncClient) -> None:
    here = f"https://{http.base_url.host}:{http.base_url.port}"
    for origin in ("https://gatehouse.example", "https://app.example", here):
        answer = await http.post("/graphql", json=QUERY, headers={**COOKIE, "origin": origin})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://gatehouse.example.evil.example", "http://gatehouse.example", ""]
)
async def test_a_post_of_another_page_is_refused(http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.post("/graphql", json=QUERY, headers={**COOKIE, "origin": origin})
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["message"] == "This origin may not use the session cookie."


async def test_a_get_needs_a_header_that_no_link_can_send(http: httpx.AsyncClient) -> None:
    assert (await http.get("/graphql", params=QUERY, headers=COOKIE)).status_code == 403
    for name in ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with"):
        assert (await http.get("/graphql", params=QUERY, headers={**COOKIE, name: "1"})).status_code == 200


async def test_what_the_browser_says_of_the_page_counts(http: httpx.AsyncClient) -> None:
    own = {**COOKIE, "sec-fetch-site": "same-origin"}
    assert (await http.get("/graphql", params=QUERY, headers=own)).status_code == 200
    for site in ("cross-site", "same-site"):
        headers = {**COOKIE, "sec-fetch-site": site}
        assert (await http.post("/graphql", json=QUERY, headers=headers)).status_code == 403
        assert (
            await http.get("/graphql", params=QUERY, headers={**headers, "x-requested-with": "x"})
        ).status_code == 403
        app = {**headers, "origin": "https://app.example"}
        assert (await http.post("/graphql", json=QUERY, headers=app)).status_code == 200
    typed = {**COOKIE, "sec-fetch-site": "none"}
    assert (await http.get("/graphql", params=QUERY, headers=typed)).status_code == 403


@pytest.mark.parametrize("authorization", ["Basic b2xpdmU6eA==", "Digest x", "Bearer", ""])
async def test_only_a_bearer_token_goes_before_the_cookie(http: httpx.AsyncClient, authorization: str) -> None:
    headers = {**COOKIE, "authorization": authorization, "origin": "https://evil.example"}
    assert (await http.post("/graphql", json=QUERY, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "gatehouse.example.evil.example", "10.0.0.7:8000", "[2001:db8::1]", ""]
)
async def test_only_our_own_hosts_are_served(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.post("/graphql", json=QUERY, headers={"host": host})
    assert answer.status_code == 421
    assert "GATEHOUSE_ALLOWED_HOSTS" in answer.text
    assert (await http.get("/healthz", headers={"host": host})).status_code == 404  # which the small server has not


@pytest.mark.parametrize("host", ["gatehouse.example", "GATEHOUSE.example:443", "localhost:8000", "[::1]:8000"])
async def test_our_own_hosts_are_served_at_any_port(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.post("/graphql", json=QUERY, headers={"host": host})).status_code == 200


async def test_a_request_without_the_cookie_or_with_a_token_needs_nothing(http: httpx.AsyncClient) -> None:
    assert (await http.get("/graphql", params=QUERY)).status_code == 200
    headers = {**COOKIE, "authorization": "Bearer gh_s_y", "origin": "https://evil.example"}
    assert (await http.get("/graphql", params=QUERY, headers=headers)).status_code == 200


async def test_another_origin_is_told_nothing_by_cors(http: httpx.AsyncClient) -> None:
    asked = "content-type,apollo-require-preflight,traceparent,tracestate,baggage,apollographql-client-name"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": asked}
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
