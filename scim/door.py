"""Requests of a directory, answered: which path and method does what, and how each failure is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from scim2_models import (
    Context as Scim,
)
from scim2_models import (
    Error,
    InvalidSyntaxException,
    ListResponse,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)

import resolvers.access
import resolvers.directory
from db.directory import Entry
from resolvers.context import Context
from resolvers.directory import Given, Taken
from rules.failures import (
    Failure,
    Forbidden,
    InvalidInput,
    NotFound,
    NotPermitted,
    RateLimited,
    ServiceUnavailable,
    Unauthenticated,
)
from scim import discovery, filters, patching
from scim import user as users
from scim.discovery import LARGEST_PAGE
from scim.user import TOLERANT, User

DEFAULT_PAGE = 100
LONGEST_DETAIL = 500
LAST_PAGE = 2**31 - 1
STATUS_OF: dict[type[Failure], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotPermitted: 403,
    NotFound: 404,
    Taken: 409,
    InvalidInput: 400,
    RateLimited: 429,
    ServiceUnavailable: 503,
}
NO_BULK = "Bulk is not supported: send each operation as a request of its own."
NO_ME = "A service key is nobody: /Me is not supported."


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


class Door:
    """SCIM at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    async def admit(self, context: Context) -> None:
        """Let a directory's key through. Raises Unauthenticated, Forbidden."""
        if context.token_is_cookie:
            raise Unauthenticated("Send the service key as a bearer token.")
        await resolvers.directory.asked(context)

    async def answer(self, context: Context, **asked: Any) -> Answer:
        """Do what is asked, or say why not; a Failure is raised, as is what nobody expects."""
        try:
            return await self._answer(context, Ask(**asked))
        except (SCIMException, ValidationError, NotServed) as error:
            return refused(error)

    def refuse(self, error: Failure) -> Answer:
        """Say why nothing is done."""
        return refused(error)

    async def _answer(self, context: Context, ask: Ask) -> Answer:
        path = ask.path.strip("/").split("/")
        match path:
            case ["Users"]:
                known = {"GET": self._list, "POST": self._create}
                return await _of(ask, known)(context, ask)
            case ["Users", ".search"] | [".search"]:
                return await _of(ask, {"POST": self._search})(context, ask)
            case ["Users", user_id]:
                one = {"GET": self._get, "PUT": self._replace, "PATCH": self._patch, "DELETE": self._delete}
                return await _of(ask, one)(context, ask, resolvers.access.parse_id(user_id))
            case ["Bulk"]:
                raise NotServed(501, NO_BULK)
            case ["Me"]:
                raise NotServed(501, NO_ME)
            case ["ServiceProviderConfig" | "Schemas" | "ResourceTypes" as name, *rest]:
                return await _of(ask, {"GET": self._discover})(ask, name, "/".join(rest))
        raise NotServed(404, "There is nothing at this path.")

    async def _discover(self, ask: Ask, name: str, wanted: str) -> Answer:
        if "filter" in ask.query:
            raise NotServed(403, "What the service says of itself is not filtered.")
        if name == "ServiceProviderConfig" and not wanted:
            return Answer(200, discovery.config(self.base_url))
        kinds = {"Schemas": discovery.schemas, "ResourceTypes": discovery.resource_types}
        listed = kinds[name](self.base_url) if name in kinds else []
        if name in kinds and not wanted:
            return Answer(200, _list_of(listed, len(listed), 1))
        for each in listed:
            if str(each.get("id", "")).lower() == wanted.lower():
                return Answer(200, each)
        raise NotServed(404, "There is nothing at this path.")

    async def _list(self, context: Context, ask: Ask) -> Answer:
        names = ("filter", "startIndex", "count", "attributes", "excludedAttributes")
        return await self._found(context, {name: ask.query[name] for name in names if name in ask.query})

    async def _search(self, context: Context, ask: Ask) -> Answer:
        return await self._found(context, _object(await ask.read()))

    async def _found(self, context: Context, given: dict[str, Any]) -> Answer:
        conditions = filters.read(given.pop("filter", None))
        with TOLERANT:
            request = SearchRequest[User].model_validate(given)
        first = min(request.start_index or 1, LAST_PAGE)
        count = min(DEFAULT_PAGE if request.count is None else request.count, LARGEST_PAGE)
        if conditions.wanted is not None or conditions.contradict:
            wanted = conditions.wanted
            found = await resolvers.directory.search(context, wanted) if wanted and not conditions.contradict else []
            held = [entry for entry in found if conditions.hold(entry)]
            total, entries = len(held), held[first - 1 : first - 1 + count]
        else:
            total, entries = await resolvers.directory.page(context, conditions.active, first - 1, count)
        # A page's worth of models takes longer than others should wait.
        resources = await asyncio.to_thread(lambda: [self._dumped(entry, request) for entry in entries])
        return Answer(200, _list_of(resources, total, first))

    async def _create(self, context: Context, ask: Ask) -> Answer:
        selected, body = _selected(ask), _object(await ask.read())
        with TOLERANT:
            user = User.model_validate(body, scim_ctx=Scim.RESOURCE_CREATION_REQUEST)
            given = users.created(user)
        return self._told(await resolvers.directory.create(context, given), selected, 201)

    async def _get(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        selected = _selected(ask)
        answer = self._told(await resolvers.directory.get(context, user_id), selected)
        if ask.if_none_match and _names(ask.if_none_match, answer.headers["ETag"]):
            return Answer(304, None, answer.headers)
        return answer

    async def _replace(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        body = _object(await ask.read())
        with TOLERANT:
            user = User.model_validate(body, scim_ctx=Scim.RESOURCE_REPLACEMENT_REQUEST)
        return await self._changed(context, ask, user_id, lambda before, _: users.replaced(user, before))

    async def _patch(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        body = _object(await ask.read())

        def decide(before: Entry, shown: User) -> Given:
            return users.changed(patching.patched(shown, body), before)

        return await self._changed(context, ask, user_id, decide)

    async def _changed(
        self, context: Context, ask: Ask, user_id: UUID, decide: Callable[[Entry, User], Given]
    ) -> Answer:
        selected = _selected(ask)

        async def decided(before: Entry) -> Given:
            shown = users.shown(before, self.base_url)
            _check_version(ask, shown)
            return await asyncio.to_thread(decide, before, shown)

        return self._told(await resolvers.directory.change(context, user_id, decided), selected)

    async def _delete(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        await resolvers.directory.remove(
            context, user_id, lambda entry: _check_version(ask, users.shown(entry, self.base_url))
        )
        return Answer(204)

    def _told(self, entry: Entry, selected: ResponseParameters[Any], status: int = 200) -> Answer:
        shown = users.shown(entry, self.base_url)
        assert shown.meta is not None
        headers = {"ETag": str(shown.meta.version), "Location": str(shown.meta.location)}
        return Answer(status, _dump(shown, selected), headers)

    def _dumped(self, entry: Entry, selected: ResponseParameters[Any]) -> dict[str, Any]:
        return _dump(users.shown(entry, self.base_url), selected)


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


def _of(ask: Ask, known: Mapping[str, Callable[..., Awaitable[Answer]]]) -> Callable[..., Awaitable[Answer]]:
    if ask.method not in known:
        raise NotServed(405, f"Send {' or '.join(known)}.", ", ".join(known))
    return known[ask.method]


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="The body must be a JSON object.")
    return dict(body)


def _selected(ask: Ask) -> ResponseParameters[Any]:
    names = ("attributes", "excludedAttributes")
    with TOLERANT:
        return ResponseParameters[User].model_validate({name: ask.query[name] for name in names if name in ask.query})


def _dump(user: User, selected: ResponseParameters[Any]) -> dict[str, Any]:
    return user.model_dump(scim_ctx=Scim.RESOURCE_QUERY_RESPONSE, response_parameters=selected)


def _list_of(resources: list[dict[str, Any]], total: int, first: int) -> dict[str, Any]:
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _check_version(ask: Ask, shown: User) -> None:
    assert shown.meta is not None
    if ask.if_match is not None and not _names(ask.if_match, str(shown.meta.version)):
        raise PreconditionFailedException(detail="The resource has changed since: read it again.")


def _names(header: str, version: str) -> bool:
    """Whether the header names this version; versions are weak, whether or not it says so."""
    named = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in named or version.removeprefix("W/") in named
