"""What a request of a directory asks for, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from scim2_models import Context as Scim
from scim2_models import (
    Error,
    InvalidSyntaxException,
    ListResponse,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
)

from resolvers.directory import Taken
from rules.failures import (
    Failure,
    Forbidden,
    InvalidInput,
    NotFound,
    NotPermitted,
    RateLimited,
    ServiceUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from scim.user import TOLERANT, User

LONGEST_DETAIL = 500
STATUS_OF: dict[type[Failure], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotPermitted: 403,
    NotFound: 404,
    Taken: 409,
    InvalidInput: 400,
    RateLimited: 429,
    TooManyAttempts: 429,
    ServiceUnavailable: 503,
}


@dataclass(frozen=True)
class Ask:
    """A request: its path below the base, and what came with it. `read` gives the body's JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    read: Callable[[], Awaitable[Any]]
    if_match: str | None
    if_none_match: str | None


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


class NotServed(Exception):
    """A method that the path does not know, or something that is not there."""

    def __init__(self, status: int, detail: str, allow: str = "") -> None:
        super().__init__(detail)
        self.status, self.allow = status, allow


def refused(error: Exception) -> Answer:
    """How a failure is told."""
    headers: dict[str, str] = {}
    if isinstance(error, ValidationError):
        told = Error.from_validation_errors(error)[0]
    elif isinstance(error, SCIMException):
        told = error.to_error()
    elif isinstance(error, NotServed):
        told = Error(status=error.status, detail=str(error))
        headers = {"Allow": error.allow} if error.allow else {}
    else:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 400)
        kinds = {409: "uniqueness", 400: "invalidValue"}
        told = Error(status=status, scim_type=kinds.get(status), detail=str(error))
    told.detail = (told.detail or "")[:LONGEST_DETAIL]
    return Answer(told.status or 400, told.model_dump(), headers)


def handler_of(ask: Ask, known: Mapping[str, Callable[..., Awaitable[Answer]]]) -> Callable[..., Awaitable[Answer]]:
    """What the asked method does here. Raises NotServed."""
    if ask.method not in known:
        raise NotServed(405, f"Send {' or '.join(known)}.", ", ".join(known))
    return known[ask.method]


def object_of(body: Any) -> dict[str, Any]:
    """The body, which must be an object. Raises InvalidSyntaxException."""
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="The body must be a JSON object.")
    return dict(body)


def selection(ask: Ask) -> ResponseParameters[Any]:
    """Which attributes are asked for. Raises ValidationError."""
    names = ("attributes", "excludedAttributes")
    with TOLERANT:
        return ResponseParameters[User].model_validate({name: ask.query[name] for name in names if name in ask.query})


def dump(user: User, selected: ResponseParameters[Any]) -> dict[str, Any]:
    """A user as JSON, with the attributes that are asked for."""
    return user.model_dump(scim_ctx=Scim.RESOURCE_QUERY_RESPONSE, response_parameters=selected)


def list_of(resources: list[dict[str, Any]], total: int, first: int) -> dict[str, Any]:
    """A page of a list, whose first is number `first` of `total`."""
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def check_version(ask: Ask, shown: User) -> None:
    """Refuse a change of what is another version than If-Match names. Raises PreconditionFailedException."""
    assert shown.meta is not None
    if ask.if_match is not None and not names_version(ask.if_match, str(shown.meta.version)):
        raise PreconditionFailedException(detail="The resource has changed since: read it again.")


def names_version(header: str, version: str) -> bool:
    """Whether the header names this version; versions are weak, whether or not it says so."""
    named = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in named or version.removeprefix("W/") in named
