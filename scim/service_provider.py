"""Requests of a directory, answered: which path and method does what, and how each failure is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from scim2_models import Context as Scim
from scim2_models import ResponseParameters, SCIMException, SearchRequest

import resolvers.access
import resolvers.directory
from db.directory import Entry
from resolvers.context import Context
from resolvers.directory import Given
from rules.failures import Failure, Unauthenticated
from scim import answers, discovery, filters, patching
from scim import user as users
from scim.answers import Answer, Ask, NotServed
from scim.discovery import LARGEST_PAGE
from scim.user import TOLERANT, User

DEFAULT_PAGE = 100
LAST_PAGE = 2**31 - 1
NO_BULK = "Bulk is not supported: send each operation as a request of its own."
NO_ME = "A service key is nobody: /Me is not supported."


class ServiceProvider:
    """The service provider, as RFC 7644 calls it, at `base_url`."""

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
            return answers.refused(error)

    def refuse(self, error: Failure) -> Answer:
        """Say why nothing is done."""
        return answers.refused(error)

    async def _answer(self, context: Context, ask: Ask) -> Answer:
        path = ask.path.strip("/").split("/")
        match path:
            case ["Users"]:
                known = {"GET": self._list, "POST": self._create}
                return await answers.handler_of(ask, known)(context, ask)
            case ["Users", ".search"] | [".search"]:
                return await answers.handler_of(ask, {"POST": self._search})(context, ask)
            case ["Users", user_id]:
                one = {"GET": self._get, "PUT": self._replace, "PATCH": self._patch, "DELETE": self._delete}
                return await answers.handler_of(ask, one)(context, ask, resolvers.access.parse_id(user_id))
            case ["Bulk"]:
                raise NotServed(501, NO_BULK)
            case ["Me"]:
                raise NotServed(501, NO_ME)
            case ["ServiceProviderConfig" | "Schemas" | "ResourceTypes" as name, *rest]:
                return await answers.handler_of(ask, {"GET": self._discover})(ask, name, "/".join(rest))
        raise NotServed(404, "There is nothing at this path.")

    async def _discover(self, ask: Ask, name: str, wanted: str) -> Answer:
        if "filter" in ask.query:
            raise NotServed(403, "What the service says of itself is not filtered.")
        if name == "ServiceProviderConfig" and not wanted:
            return Answer(200, discovery.config(self.base_url))
        kinds = {"Schemas": discovery.schemas, "ResourceTypes": discovery.resource_types}
        listed = kinds[name](self.base_url) if name in kinds else []
        if name in kinds and not wanted:
            return Answer(200, answers.list_of(listed, len(listed), 1))
        for each in listed:
            if str(each.get("id", "")).lower() == wanted.lower():
                return Answer(200, each)
        raise NotServed(404, "There is nothing at this path.")

    async def _list(self, context: Context, ask: Ask) -> Answer:
        names = ("filter", "startIndex", "count", "attributes", "excludedAttributes")
        return await self._found(context, {name: ask.query[name] for name in names if name in ask.query})

    async def _search(self, context: Context, ask: Ask) -> Answer:
        return await self._found(context, answers.object_of(await ask.read()))

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
        return Answer(200, answers.list_of(resources, total, first))

    async def _create(self, context: Context, ask: Ask) -> Answer:
        selected, body = answers.selection(ask), answers.object_of(await ask.read())
        with TOLERANT:
            user = User.model_validate(body, scim_ctx=Scim.RESOURCE_CREATION_REQUEST)
            given = users.created(user)
        return self._told(await resolvers.directory.create(context, given), selected, 201)

    async def _get(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        selected = answers.selection(ask)
        answer = self._told(await resolvers.directory.get(context, user_id), selected)
        if ask.if_none_match and answers.names_version(ask.if_none_match, answer.headers["ETag"]):
            return Answer(304, None, answer.headers)
        return answer

    async def _replace(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        body = answers.object_of(await ask.read())
        with TOLERANT:
            user = User.model_validate(body, scim_ctx=Scim.RESOURCE_REPLACEMENT_REQUEST)
        return await self._changed(context, ask, user_id, lambda before, _: users.replaced(user, before))

    async def _patch(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        body = answers.object_of(await ask.read())

        def decide(before: Entry, shown: User) -> Given:
            return users.changed(patching.patched(shown, body), before, patching.touches(body, "emails"))

        return await self._changed(context, ask, user_id, decide)

    async def _changed(
        self, context: Context, ask: Ask, user_id: UUID, decide: Callable[[Entry, User], Given]
    ) -> Answer:
        selected = answers.selection(ask)

        async def decided(before: Entry) -> Given:
            shown = users.shown(before, self.base_url)
            answers.check_version(ask, shown)
            return await asyncio.to_thread(decide, before, shown)

        return self._told(await resolvers.directory.change(context, user_id, decided), selected)

    async def _delete(self, context: Context, ask: Ask, user_id: UUID) -> Answer:
        await resolvers.directory.remove(
            context, user_id, lambda entry: answers.check_version(ask, users.shown(entry, self.base_url))
        )
        return Answer(204)

    def _told(self, entry: Entry, selected: ResponseParameters[Any], status: int = 200) -> Answer:
        shown = users.shown(entry, self.base_url)
        assert shown.meta is not None
        headers = {"ETag": str(shown.meta.version), "Location": str(shown.meta.location)}
        return Answer(status, answers.dump(shown, selected), headers)

    def _dumped(self, entry: Entry, selected: ResponseParameters[Any]) -> dict[str, Any]:
        return answers.dump(users.shown(entry, self.base_url), selected)
