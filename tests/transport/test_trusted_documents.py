"""With a manifest, only its documents run."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.transport.documents import read_manifest
from settings import Settings, SettingsError
from tests.transport.small import small_server
from tests.transport.talking import events_of, run, socket

TEXT = "query Greeting { hello }"
HASH = sha256(TEXT.encode()).hexdigest()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({HASH: TEXT}))
    return path


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}, 200),
        ({"documentId": f"sha256:{HASH}"}, 200),
        ({"query": TEXT}, 200),
        ({"documentId": "0" * 64}, 400),
        ({"query": "{ hello }"}, 400),
        ({"query": "{ hello }", "documentId": "0" * 64}, 400),
    ],
)
async def test_a_document_runs_by_its_hash_and_no_other_runs(manifest: Path, body: dict[str, Any], status: int) -> None:
    async with small_server(Settings(trusted_documents=manifest)) as http:
        headers = {"accept": "application/graphql-response+json"}
        answer = await http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == status
        assert ("data" in answer.json()) == (status == 200)


async def test_the_manifest_holds_over_websocket_and_event_streams_too(manifest: Path) -> None:
    async with small_server(Settings(trusted_documents=manifest)) as http:
        async with socket(http, {}) as connection:
            trusted, end = await run(connection, TEXT)
            [other] = await run(connection, "subscription { count(to: 2) }")
        [refused, _] = await events_of(http, {"query": "subscription { count(to: 2) }"})
    assert (trusted["payload"], end) == ({"data": {"hello": "Hello you"}}, {"type": "complete"})
    assert other["payload"][0]["message"] == "Only trusted documents run here."
    assert "Only trusted documents run here." in refused


async def test_without_a_manifest_a_hash_alone_is_refused() -> None:
    async with small_server(Settings()) as http:
        answer = await http.post("/graphql", json={"documentId": HASH})
    assert answer.status_code == 400


@pytest.mark.parametrize("content", ["", "[]", '{"abc": "{ hello }"}', '{"abc": 7}'])
def test_a_manifest_that_is_wrong_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "documents.json"
    path.write_text(content)
    with pytest.raises(SettingsError):
        read_manifest(path)
