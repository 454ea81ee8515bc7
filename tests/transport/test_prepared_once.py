"""A document too long to be kept is parsed and validated once a request, over whatever transport it comes."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import graphql
import httpx
import pytest
import pytest_asyncio

from server.transport.kept_documents import LONGEST_KEPT
from settings import Settings
from tests.transport.small import small_server
from tests.transport.talking import events_of, run, socket

CODES = {graphql.parse.__code__: "parsed", graphql.validate.__code__: "validated"}
# A comment that takes the text past what is kept, and a fragment, or it would need no rule of validation.
QUERY = "{ ...greeting } fragment greeting on Query { hello } #" + "x" * LONGEST_KEPT
SUBSCRIPTION = "subscription { ...counting } fragment counting on Subscription { count(to: 2) } #" + "x" * LONGEST_KEPT
ONCE = {"parsed": 1, "validated": 1}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """How often anything is parsed or validated, in this thread and in those that begin meanwhile."""
    counted: Counter[str] = Counter()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in CODES:
            counted[CODES[frame.f_code]] += 1

    before = sys.getprofile()
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield counted
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


@pytest_asyncio.fixture
async def signed_in() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose threads have not begun."""
    async with small_server(Settings()) as http:
        http.headers["authorization"] = "Bearer of-the-test"
        yield http


async def test_over_http_it_is_prepared_once_a_request(signed_in: httpx.AsyncClient) -> None:
    with counting() as counted:
        answer = await signed_in.post("/graphql", json={"query": QUERY})
        assert answer.json() == {"data": {"hello": "Hello you"}}
        assert counted == ONCE
        await signed_in.post("/graphql", json={"query": QUERY})
        assert counted == {"parsed": 2, "validated": 2}  # of the next request it is another one


@pytest.mark.parametrize("text", [QUERY, SUBSCRIPTION], ids=["query", "subscription"])
async def test_over_server_sent_events_it_is_prepared_once(signed_in: httpx.AsyncClient, text: str) -> None:
    with counting() as counted:
        assert '"data"' in (await events_of(signed_in, {"query": text}))[0]
    assert counted == ONCE


@pytest.mark.parametrize("text", [QUERY, SUBSCRIPTION], ids=["query", "subscription"])
async def test_over_a_websocket_it_is_prepared_once(signed_in: httpx.AsyncClient, text: str) -> None:
    async with socket(signed_in, {"authorization": "Bearer of-the-test"}) as connection:
        with counting() as counted:
            (told, *_) = await run(connection, text)
    assert "data" in told["payload"]
    assert counted == ONCE
