"""Errors on their way out: each with its code and request id, the unexpected ones masked, nothing secret logged."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

import languages
from rules.failures import Refusal
from rules.languages import ENGLISH
from server.transport.input_messages import TOO_MANY, for_argument, without_token
from telemetry import requests

ONE_OF_MESSAGE = "Exactly one of the input's fields must be given, and not as null."
INTERNAL_CODE = "INTERNAL_SERVER_ERROR"
INTERNAL_MESSAGE = "Something went wrong on our side."
LONGEST_LOGGED_PATH = 256
# Of one request; with more it would be the requests that decide how fast the log grows.
MOST_LOGGED = 5
NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,255}")

logger = logging.getLogger("gatehouse.graphql")


def mask(
    errors: Sequence[GraphQLError], request_id: str, operation: str | None = None, language: str = ENGLISH
) -> list[GraphQLError]:
    """Log the first errors and return what a client may see of all."""
    fresh = [error for error in errors if "requestId" not in (error.extensions or {})]
    # What nobody expected is told before what clients do every day.
    for error in sorted(fresh, key=lambda each: _code_and_message(each)[0] != INTERNAL_CODE)[:MOST_LOGGED]:
        _log(_code_and_message(error)[0], error, request_id, operation)
    if len(fresh) > MOST_LOGGED:
        logger.info("request_id=%s and %s more errors", request_id, len(fresh) - MOST_LOGGED)
    return [_mask_one(error, request_id, language) for error in errors]


def _mask_one(error: GraphQLError, request_id: str, language: str) -> GraphQLError:
    if "requestId" in (error.extensions or {}):
        return error
    code, message = _code_and_message(error)
    requests.ended(code)
    masked = GraphQLError(
        languages.told(message, language), path=error.path, extensions={"code": code, "requestId": request_id}
    )
    masked.nodes, masked.locations = error.nodes, error.locations
    return masked


def _code_and_message(error: GraphQLError) -> tuple[str, str]:
    cause = _cause(error)
    if isinstance(cause, Refusal):
        return cause.code, str(cause)
    if isinstance(cause, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED", without_token(cause.message)
    if isinstance(cause, GraphQLError) and "code" in (cause.extensions or {}):
        return str((cause.extensions or {})["code"]), cause.message
    # graphql-core has no type for a value that does not fit, only these beginnings.
    if isinstance(cause, StrawberryInputCoercionError):
        return "BAD_USER_INPUT", ONE_OF_MESSAGE
    if isinstance(cause, GraphQLError) and error.message.startswith(("Variable ", "Argument ", TOO_MANY)):
        return "BAD_USER_INPUT", for_argument(error.message)
    return INTERNAL_CODE, INTERNAL_MESSAGE


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _log(code: str, error: GraphQLError, request_id: str, operation: str | None) -> None:
    # A client may name an operation that no document has: anything but a name stays out of the log.
    name = operation if operation and NAME.fullmatch(operation) else "-"
    path = ".".join(str(part) for part in error.path or ())[:LONGEST_LOGGED_PATH] or "-"
    if code == INTERNAL_CODE:
        log_unexpected(_cause(error), request_id, f"path={path} operation={name}")
    else:
        # The pool says why, once a second: no need to be told by every request.
        level = logging.DEBUG if code == "SERVICE_UNAVAILABLE" else logging.INFO
        logger.log(level, "request_id=%s code=%s path=%s operation=%s", request_id, code, path, name)


def log_unexpected(error: BaseException, request_id: str, where: str) -> None:
    """Log where an unexpected error came from; its message and values may be secret and stay out."""
    frames = " < ".join(
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    logger.error(
        "request_id=%s code=INTERNAL_SERVER_ERROR %s error=%s frames=%s",
        request_id,
        where,
        type(error).__qualname__,
        frames,
    )


def payload(data: Any, errors: Sequence[GraphQLError] | None) -> dict[str, Any]:
    """A result as it is sent; without `data` when the operation never ran."""
    if data is None and errors and all(error.path is None for error in errors):
        return {"errors": [error.formatted for error in errors]}
    if errors:
        return {"errors": [error.formatted for error in errors], "data": data}
    return {"data": data}
