"""Errors on their way out: each with its code and request id, the unexpected ones masked, nothing secret logged."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from rules.failures import Refusal
from server.transport.documents import Documents, documents_for
from server.transport.executor import PlainExecutor
from server.transport.input_messages import for_argument, without_token
from settings import Settings

ONE_OF_MESSAGE = "Exactly one of the input's fields must be given, and not as null."
INTERNAL_MESSAGE = "Something went wrong on our side."
LONGEST_LOGGED_PATH = 256
NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,255}")

logger = logging.getLogger("gatehouse.graphql")


class GatehouseSchema(strawberry.Schema):
    """A schema whose documents are limited and cached and whose errors are fit to be sent, on every transport."""

    settings: Settings | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"execution_context_class": PlainExecutor, **kwargs})

    @cached_property
    def documents(self) -> Documents:
        """The documents of this schema, as strict as the settings that the endpoint brings want them."""
        return documents_for(self._schema, self.settings or Settings())

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """What the schema was built with, after the documents."""
        return [self.documents.extension(), *super().get_extensions(sync)]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Replace the errors, in place, by what a client may see."""
        context = execution_context.context if execution_context else None
        operation = execution_context.operation_name if execution_context else None
        errors[:] = mask(errors, getattr(context, "request_id", ""), operation)


def mask(errors: Sequence[GraphQLError], request_id: str, operation: str | None = None) -> list[GraphQLError]:
    """Log the errors and return what a client may see of them."""
    return [_mask_one(error, request_id, operation) for error in errors]


def _mask_one(error: GraphQLError, request_id: str, operation: str | None) -> GraphQLError:
    if "requestId" in (error.extensions or {}):
        return error
    code, message = _code_and_message(error)
    _log(code, error, request_id, operation)
    return GraphQLError(
        message,
        error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, "requestId": request_id},
    )


def _code_and_message(error: GraphQLError) -> tuple[str, str]:
    cause = _cause(error)
    if isinstance(cause, Refusal):
        return cause.code, str(cause)
    if isinstance(cause, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED", without_token(cause.message)
    if isinstance(cause, GraphQLError) and "code" in (cause.extensions or {}):
        return str((cause.extensions or {})["code"]), cause.message
    # graphql-core has no type for a value that does not fit, only this beginning.
    if isinstance(cause, StrawberryInputCoercionError):
        return "BAD_USER_INPUT", ONE_OF_MESSAGE
    if isinstance(cause, GraphQLError) and error.message.startswith(("Variable ", "Argument ")):
        return "BAD_USER_INPUT", for_argument(error.message)
    return "INTERNAL_SERVER_ERROR", INTERNAL_MESSAGE


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _log(code: str, error: GraphQLError, request_id: str, operation: str | None) -> None:
    # A client may name an operation that no document has: anything but a name stays out of the log.
    name = operation if operation and NAME.fullmatch(operation) else "-"
    path = ".".join(str(part) for part in error.path or ())[:LONGEST_LOGGED_PATH] or "-"
    if code == "INTERNAL_SERVER_ERROR":
        log_unexpected(_cause(error), request_id, f"path={path} operation={name}")
    else:
        logger.info("request_id=%s code=%s path=%s operation=%s", request_id, code, path, name)


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
