"""The explorer: GraphiQL for a browser at /graphql, from this origin alone and under a strict policy."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import cached_property
from html import escape
from pathlib import Path

import strawberry
from graphql import introspection_from_schema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from settings import Settings
from web.explorer_assets import WEB, AssetsUnavailable, assets_folder, fetch

RETRY_S = 2
OURS = {"explorer.js", "explorer.css", "examples.graphql"}
FETCHED = {"react.js", "react-dom.js", "graphiql.js", "graphiql.css"}
SCHEMA = "schema.json"
TYPES = {".js": "text/javascript", ".css": "text/css", ".graphql": "text/plain", ".json": "application/json"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

logger = logging.getLogger("gatehouse.explorer")


class Explorer:
    """The page and its files, which are fetched when somebody first opens it.

    In production only those whom `may_explore` names get more than a sign-in form.
    """

    def __init__(
        self, settings: Settings, schema: strawberry.Schema, may_explore: Callable[[Request], Awaitable[bool]]
    ) -> None:
        self.settings = settings
        self.schema = schema
        self.may_explore = may_explore
        self.problem: str | None = None
        self.fetching: asyncio.Task[None] | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the page's files; the page itself is the endpoint's."""
        return [Route("/graphql/assets/{name}", self._asset)] if self.is_on else []

    @property
    def is_on(self) -> bool:
        """Off in production, unless a setting turns it on."""
        return self.settings.explorer or not self.settings.production

    async def page(self, request: Request) -> Response | None:
        """The page for a browser's visit, or None where there is no explorer."""
        if not self.is_on:
            return None
        if not await self._is_open_to(request):
            return _page("sign-in", "Sign in as staff to explore.")
        if self.folder.is_dir():
            return _page("ready")
        problem, self.problem = self.problem, None
        if problem:
            return _page("failed", f"The explorer's files could not be fetched. {problem} Reload to try again.")
        if self.fetching is None or self.fetching.done():
            self.fetching = asyncio.create_task(self._fetch())
        response = _page("waiting", "The explorer's files are being fetched for the first time: a few seconds more.")
        response.headers["Refresh"] = str(RETRY_S)
        return response

    async def close(self) -> None:
        """Give up fetching."""
        if self.fetching:
            self.fetching.cancel()
            await asyncio.gather(self.fetching, return_exceptions=True)

    @property
    def folder(self) -> Path:
        """Where the fetched files are."""
        return assets_folder(self.settings.data_dir)

    @cached_property
    def introspection(self) -> bytes:
        """What an introspection query would answer, which may be switched off."""
        return json.dumps(introspection_from_schema(self.schema._schema)).encode()

    async def _fetch(self) -> None:
        try:
            await fetch(self.settings.data_dir)
        except (AssetsUnavailable, OSError) as error:
            self.problem = str(error) if isinstance(error, AssetsUnavailable) else "The data folder is not writable."
            logger.warning("The explorer has no files: %s", self.problem)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in OURS | FETCHED | {SCHEMA}:
            raise HTTPException(404)
        if name in {SCHEMA, "examples.graphql"} and not await self._is_open_to(request):
            raise HTTPException(404)
        if name == SCHEMA:
            return Response(self.introspection, media_type=TYPES[".json"])
        path = (WEB if name in OURS else self.folder) / name
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            raise HTTPException(404) from None
        # Fetched files never change under their name and version; ours may with the next release.
        caching = "private, max-age=86400" if name in FETCHED else "no-cache"
        return Response(content, media_type=TYPES[path.suffix], headers={"Cache-Control": caching})

    async def _is_open_to(self, request: Request) -> bool:
        return not self.settings.production or await self.may_explore(request)


def _page(mode: str, message: str = "") -> Response:
    values = {"mode": mode, "message": escape(message), "nonce": secrets.token_urlsafe(16)}
    html = (WEB / "explorer.html").read_text()
    for name, value in values.items():
        html = html.replace(f"{{{{ {name} }}}}", value)
    policy = POLICY.format(nonce=values["nonce"])
    return HTMLResponse(html, headers={"Content-Security-Policy": policy, "Vary": "Accept"})
