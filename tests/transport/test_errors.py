"""Errors as a client gets them and as the log keeps them: coded, traceable, and without anything secret."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest


async def errors_of(http: httpx.AsyncClient, query: str, **variables: Any) -> list[dict[str, Any]]:
    answer = await http.post("/graphql", json={"query": query, "variables": variables})
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert all(error["extensions"]["requestId"] == answer.headers["x-request-id"] for error in errors)
    return errors


async def test_of_many_wrong_variables_the_first_few_are_told_and_none_is_our_fault(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {f"other{n}": 1 for n in range(100)}
    errors = await errors_of(http, "mutation($s: Secret!) { use(secret: $s) }", s=wrong)
    assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"] * 6
    assert errors[-1]["message"].startswith("Too many errors processing variables")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ('{ hello(name "hunter2") }', {}, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected ':', found String."),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing' on type 'Query'."),
        ('{ hello(times: "hunter2") }', {}, "GRAPHQL_VALIDATION_FAILED", "Expected a value of type 'Int'."),
        (
            "mutation($s: Secret!) { use(secret: $s) }",
            {"s": {"code": {"a": "hunter2"}}},
            "BAD_USER_INPUT",
            "Variable '$s' has an invalid value at code. Expected a value of type 'String'.",
        ),
        (
            "mutation($s: Secret!) { use(secret: $s) }",
            {"s": {"times": "hunter2"}},
            "BAD_USER_INPUT",
            "Variable '$s' has an invalid value. Expected value of type 'Secret' to include required field 'code'.",
        ),
        (
            "mutation($s: Secret!) { use(secret: $s) }",
            {"s": {"code": "hunter2", "other": 1}},
            "BAD_USER_INPUT",
            "Variable '$s' has an invalid value. Expected value of type 'Secret' not to include unknown field 'other'.",
        ),
        ("{ refused }", {}, "UNAUTHENTICATED", "Sign in first."),
        ("{ broken }", {}, "INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
    ],
)
async def test_an_error_has_a_code_and_a_message_without_the_value(
    http: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    query: str,
    variables: dict[str, Any],
    code: str,
    message: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    error = (await errors_of(http, query, **variables))[0]
    assert (error["extensions"]["code"], error["message"]) == (code, message)
    ours = "\n".join(record.getMessage() for record in caplog.records)
    assert error["extensions"]["requestId"] in ours
    assert "hunter2" not in ours
    assert "123456" not in ours


async def test_an_unexpected_error_is_logged_with_its_type_and_place(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await errors_of(http, "query Mine { broken }")
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "code=INTERNAL_SERVER_ERROR path=broken operation=Mine error=ValueError" in record.getMessage()
    assert "small.py" in record.getMessage()
    assert record.exc_info is None


async def test_a_long_alias_makes_no_long_line_in_the_log(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gatehouse.graphql")
    await errors_of(http, f"{{ {'a' * 100_000}: refused }}")
    [record] = [record for record in caplog.records if record.name == "gatehouse.graphql"]
    assert len(record.getMessage()) < 500


async def test_a_failed_field_leaves_its_sisters_alone(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "{ hello refused }"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"hello": "Hello you", "refused": None}


async def test_no_more_than_five_problems_of_a_document_are_listed(http: httpx.AsyncClient) -> None:
    errors = await errors_of(http, "{ a b c d e f g h }")
    assert len(errors) <= 6


async def test_the_clients_request_id_comes_back_when_it_is_sane(http: httpx.AsyncClient) -> None:
    for given, kept in (("abc-123", True), ("a b", False), ("x" * 65, False)):
        answer = await http.post("/graphql", json={"query": "{ hello }"}, headers={"x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is kept
