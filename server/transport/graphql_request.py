"""What a client may send: JSON that is sound enough to look at, and the four parameters of a GraphQL request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any, NamedTuple, NoReturn

MAX_JSON_DEPTH = 32
LONGEST_OPERATION_NAME = 256
MOST_BATCHED = 100
# A union would be made anew at each look, and asked in ten times the time.
TEXT, OBJECT = (str, NoneType), (dict, NoneType)


class RequestError(Exception):
    """A request that is answered before any operation is chosen; `message` is for the client.

    A `batch` of so many is answered as one: an array, in which each operation gets the same refusal.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        *,
        code: str = "BAD_USER_INPUT",
        headers: Mapping[str, str] | None = None,
        batch: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.batch = batch


class Params(NamedTuple):
    """One GraphQL request: a document's text or hash, variables, the operation to run, and whether to tell the cost."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    document_hash: str | None
    asks_cost: bool = False


def params_of(value: object) -> Params:
    """Read a decoded JSON body. Raises RequestError when a parameter is of the wrong type."""
    if isinstance(value, list):
        message = "Batching is not supported: send one operation in each request."
        raise RequestError(message, batch=min(max(len(value), 1), MOST_BATCHED))
    if not isinstance(value, dict):
        raise RequestError("The body must be a JSON object with a query.")
    query, name = value.get("query"), value.get("operationName")
    variables, extensions = value.get("variables"), value.get("extensions")
    if not isinstance(query, TEXT):
        raise RequestError("query must be a string.")
    if not isinstance(name, TEXT) or len(name or "") > LONGEST_OPERATION_NAME:
        raise RequestError("operationName must be a string, the name of an operation in the query.")
    if not isinstance(variables, OBJECT):
        raise RequestError("variables must be an object.")
    if not isinstance(extensions, OBJECT):
        raise RequestError("extensions must be an object.")
    asks_cost = (extensions or {}).get("cost") is True
    return Params(query, variables, name or None, _document_hash(value, extensions or {}), asks_cost)


def params_of_url(values: Mapping[str, str]) -> Params:
    """Read the parameters of a URL, in which variables and extensions are JSON. Raises RequestError."""
    read: dict[str, object] = {
        name: values[name] for name in ("query", "operationName", "documentId") if name in values
    }
    read |= {name: parse_json(values[name]) for name in ("variables", "extensions") if values.get(name)}
    _refuse_unusable(read)
    return params_of(read)


def parse_json(raw: bytes | str) -> Any:
    """Decode JSON. Raises RequestError for what is malformed, too deep, or could not be stored.

    Of two members of one name the last counts, as in JavaScript: RFC 8259 leaves it open; refusing costs each object.
    """
    try:
        # Some write a byte order mark before their JSON.
        text = raw.decode() if isinstance(raw, bytes) else raw  # by utf-8-sig it takes ten times as long
        value = DECODER.decode(text.removeprefix("\ufeff"))
    except UnicodeDecodeError:
        raise RequestError("The JSON is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise RequestError("The JSON is malformed, or has a number or a nesting that is too large.") from None
    # What was UTF-8 gets what could not be stored by an escape alone, and so few brackets nest no deeper.
    if isinstance(raw, str) or "\\u" in text or text.count("{") + text.count("[") >= MAX_JSON_DEPTH:
        _refuse_unusable(value)
    return value


def _document_hash(value: dict[str, Any], extensions: dict[str, Any]) -> str | None:
    persisted = extensions.get("persistedQuery")
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else value.get("documentId")
    if not isinstance(found, TEXT):
        raise RequestError("A document's hash must be a string.")
    return found.lower().removeprefix("sha256:") if found else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# json.loads makes one anew each time.
DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _refuse_unusable(value: object) -> None:
    """Refuse nesting beyond MAX_JSON_DEPTH, and text that PostgreSQL or UTF-8 cannot hold."""
    level: list[object] = [value]
    for _ in range(MAX_JSON_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                refuse_unusable_text(item)
            elif isinstance(item, dict):
                below += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                below += item
        if not below:
            return
        level = below
    raise RequestError(f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep.")


def refuse_unusable_text(text: str) -> None:
    """Refuse the NUL character and lone surrogates."""
    if "\0" in text:
        raise RequestError("Text must not hold the NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError("Text must not hold half of a surrogate pair.") from None
