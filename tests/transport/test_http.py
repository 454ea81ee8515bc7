"""One request over HTTP: media types, status codes, and clear answers to what is no request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from server.transport.bodies import MAX_BODY_BYTES
from server.transport.patience import Patience
from settings import Settings
from tests.transport.small import small_server

RESPONSE_JSON = "application/graphql-response+json"
JSON = {"content-type": "application/json"}
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    [error] = answer.json()["errors"]
    return {"message": error["message"], "code": error["extensions"]["code"]}


async def test_a_query_is_answered_in_the_media_type_that_was_asked_for(http: httpx.AsyncClient) -> None:
    for accept in (RESPONSE_JSON, "application/json"):
        answer = await http.post("/graphql", json={"query": "{ hello }"}, headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello you"}})
        assert answer.headers["content-type"] == f"{accept}; charset=utf-8"


async def test_a_client_that_names_event_streams_last_gets_json(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "{ hello }"}, headers={"accept": URQL})
    assert answer.headers["content-type"].startswith(RESPONSE_JSON)


async def test_an_accept_header_without_a_type_of_ours_is_not_acceptable(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "{ hello }"}, headers={"accept": "image/png"})
    assert answer.status_code == 406


@pytest.mark.parametrize("query", ["{", "{ nothing }"])
async def test_a_document_that_cannot_run_is_400_only_in_the_newer_media_type(
    http: httpx.AsyncClient, query: str
) -> None:
    newer = await http.post("/graphql", json={"query": query}, headers={"accept": RESPONSE_JSON})
    older = await http.post("/graphql", json={"query": query}, headers={"accept": "application/json"})
    assert (newer.status_code, older.status_code) == (400, 200)
    assert "data" not in newer.json()
    assert "data" not in older.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"7", 400),
        (b"null", 400),
        (b'{"query": 7}', 400),
        (b'{"query": "{ hello }", "variables": []}', 400),
        (b'{"query": "{ hello }", "operationName": 7}', 400),
        (b'{"query": "{ hello }", "extensions": 7}', 400),
        (b'{"query": "{ hello }", "extensions": {"persistedQuery": {"sha256Hash": 7}}}', 400),
        (b'{"query": "{ hello }", "operationName": "Other"}', 400),
        (b'{"query": "query A { hello } query B { hello }"}', 400),
        (b'{"query": "   "}', 400),
        (b"[" * 100_000, 400),
        (b'{"query": "{ hello }", "variables": ' + b'{"a":' * 40 + b"1" + b"}" * 41, 400),
        (b'{"query": "{ hello }", "variables": {"n": ' + b"9" * 5_000 + b"}}", 400),
        (b'{"query": "{ hello }", "variables": {"n": NaN}}', 400),
        (b'{"query": "{ hello }", "variables": {"n": "\\u0000"}}', 400),
        (b'{"query": "{ hello }", "variables": {"n": "\\ud800"}}', 400),
        (b'{"query": "{ hello \xff }"}', 400),
        ('{"query": "{ hello }"}'.encode("utf-16"), 400),
    ],
)
async def test_a_body_that_is_no_request_is_refused(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await http.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == status
    assert error_of(answer)["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_only_json_is_taken(http: httpx.AsyncClient, content_type: str) -> None:
    answer = await http.post("/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type})
    assert answer.status_code == 415


async def test_json_in_another_charset_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"content-type": 'application/json; charset="latin-1"'}
    answer = await http.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert answer.status_code == 400


async def test_json_behind_a_byte_order_mark_is_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", content=b'\xef\xbb\xbf{"query": "{ hello }"}', headers=JSON)
    assert answer.json() == {"data": {"hello": "Hello you"}}


async def test_of_two_members_of_one_name_the_last_counts(http: httpx.AsyncClient) -> None:
    query = b'"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": "Ben", "n": "Mia"}'
    answer = await http.post("/graphql", content=b'{"query": "{ unknown }", ' + query + b"}", headers=JSON)
    assert answer.json() == {"data": {"hello": "Hello Mia"}}


@pytest.mark.parametrize("size", [1, 3])
async def test_a_batch_is_refused_as_one(http: httpx.AsyncClient, size: int) -> None:
    answer = await http.post("/graphql", json=[{"query": "{ hello }"}] * size)
    assert answer.status_code == 400
    told = [(each["errors"][0]["message"], each["errors"][0]["extensions"]["code"]) for each in answer.json()]
    assert told == [("Batching is not supported: send one operation in each request.", "BAD_USER_INPUT")] * size


async def test_other_methods_are_refused(http: httpx.AsyncClient) -> None:
    answer = await http.put("/graphql", json={"query": "{ hello }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(http: httpx.AsyncClient) -> None:
    start = b'{"query": "{ hello }", "padding": "'
    fits = start + b"x" * (MAX_BODY_BYTES - len(start) - 2) + b'"}'
    assert (await http.post("/graphql", content=fits, headers=JSON)).status_code == 200
    answer = await http.post("/graphql", content=fits + b" ", headers=JSON)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "BAD_USER_INPUT")


async def test_a_body_without_a_length_is_cut_off_at_the_limit(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(1 + MAX_BODY_BYTES // 65_536):
            yield b" " * 65_536

    answer = await http.post("/graphql", content=chunks(), headers=JSON)
    assert answer.status_code == 413


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async with small_server(Settings(), Patience(body_s=0.1)) as http:
        reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
        )
        assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        await writer.wait_closed()


async def test_a_get_runs_queries_only(http: httpx.AsyncClient) -> None:
    params = {"query": "query($n: String!) { hello(name: $n) }", "variables": json.dumps({"n": "Mia"})}
    assert (await http.get("/graphql", params=params)).json() == {"data": {"hello": "Hello Mia"}}
    answer = await http.get("/graphql", params={"query": 'mutation { use(secret: {code: "1"}) }'})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_get_with_malformed_variables_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "{ hello }", "variables": "{"})
    assert answer.status_code == 400


async def test_headers_of_the_context_leave_with_the_answer(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": 'mutation { use(secret: {code: "1"}) }'})
    assert answer.headers["set-cookie"] == "seen=1"
    http.cookies.clear()


async def test_who_asks_what_a_document_costs_is_told_and_nobody_else(http: httpx.AsyncClient) -> None:
    asked = {"query": "{ hello again: hello }", "extensions": {"cost": True}}
    assert (await http.post("/graphql", json=asked)).json()["extensions"] == {"cost": 2}
    by_get = {"query": "{ hello }", "extensions": '{"cost": true}'}
    assert (await http.get("/graphql", params=by_get)).json()["extensions"] == {"cost": 1}
    streamed = await http.post("/graphql", json=asked, headers={"accept": "text/event-stream"})
    assert '"extensions":{"cost":2}' in streamed.text
    for extensions in (None, {}, {"cost": False}, {"cost": 1}, {"cost": "true"}):
        answer = await http.post("/graphql", json={"query": "{ hello }", "extensions": extensions})
        assert answer.json() == {"data": {"hello": "Hello you"}}
