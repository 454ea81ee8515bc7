"""The pages for people: the shells of /sign-in, /account/security, /settings/security, /set-password,
/new-app, /not-me, /not-my-session, /not-wanted, /come-back and /not-my-recovery.

A shell holds nothing about anybody: its modules ask the GraphQL API, with the session's cookie, as any client would.
The server looks at the session only to send people to the page that fits, and to answer 404 where the API says
NOT_FOUND.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from urllib.parse import quote

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

import languages.templates
import rules.languages
import rules.oidc
from rules.branding import Accent
from rules.events.catalogue import SHOWN
from rules.languages import COOKIE
from settings import Settings
from web import texts
from web.next_path import own_path, sign_in_path
from web.static_files import StaticFiles, takes_gzip

COMPRESSION = 6
LOGO_PATH = "/assets/logo"
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True)
class Visitor:
    """Who is signed in: the accounts that they are owner or admin of, and whether they are a super-admin."""

    manages: tuple[str, ...]
    is_super_admin: bool

    def account_to_show(self, asked_for: str | None) -> str | None:
        """The account whose security page to show, "" when it is still to be named; None when there is none."""
        if self.is_super_admin:
            return asked_for or next(iter(self.manages), "")
        if asked_for is None:
            return next(iter(self.manages), None)
        return asked_for if asked_for.lower() in self.manages else None


class Pages:
    """The pages; `visitor` tells who is signed in, None when nobody is.

    Whose session a recovery pass began is nobody to them, but `is_recovering`, which leads to the one page for that.
    """

    def __init__(
        self,
        settings: Settings,
        visitor: Callable[[Request], Awaitable[Visitor | None]],
        is_recovering: Callable[[Request], Awaitable[bool]],
    ) -> None:
        self.settings = settings
        self.visitor = visitor
        self.is_recovering = is_recovering
        self.files = StaticFiles({"brand.css": _brand(settings.accent_color)})
        self.templates = cache(self._templates)

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the pages and their files; without pages, / leads to the endpoint."""
        if not self.settings.pages:
            return [Route("/", self._endpoint)]
        return [
            Route("/", self._home),
            Route("/sign-in", self._sign_in),
            Route("/new-app", self._new_app),
            Route("/account/security", self._account),
            Route("/settings/security", self._agency),
            Route("/settings/security/events", self._events),
            Route("/set-password", self._set_password),
            Route("/not-me", self._not_me),
            Route("/not-my-session", self._not_my_session),
            Route("/not-wanted", self._not_wanted),
            Route("/come-back", self._come_back),
            Route("/not-my-recovery", self._not_my_recovery),
            Route(LOGO_PATH, self._logo),
            self.files.route,
        ]

    def nothing(self, request: Request) -> Response:
        """That there is nothing at this address."""
        if not self.settings.pages:
            return PlainTextResponse("There is nothing at this address.\n", 404)
        return self._page(request, "not_found.html", 404)

    def refused(self, request: Request, sentence: str, headers: Mapping[str, str]) -> Response:
        """That a sign-in is too much now, with a way to try again."""
        said = languages.told(sentence, _language_of(request))
        if not self.settings.pages:
            return PlainTextResponse(f"{said}\n", 429, headers)
        return self._page(request, "refused.html", 429, headers, sentence=said)

    async def _endpoint(self, request: Request) -> Response:
        return RedirectResponse("/graphql")

    async def _home(self, request: Request) -> Response:
        return _to("/account/security" if await self.visitor(request) else "/sign-in")

    async def _sign_in(self, request: Request) -> Response:
        wanted = own_path(request.query_params.get("next")) or "/account/security"
        given = request.query_params
        provider = next((each for each in self.settings.oidc if each.name == given.get("provider")), None)
        problem = rules.oidc.sentence(given.get("problem", ""), provider.title) if provider else None
        problem = problem and languages.told(problem, _language_of(request))
        # Whoever is signed in, and has come back from a provider with nothing, is told so.
        if not problem and await self.visitor(request):
            return _to(wanted if not wanted.startswith("/sign-in") else "/account/security")
        if await self.is_recovering(request):
            return _to(f"/new-app?next={quote(wanted, safe='/')}")
        return self._page(request, "sign_in.html", wanted=wanted, problem=problem)

    async def _new_app(self, request: Request) -> Response:
        wanted = own_path(request.query_params.get("next")) or "/account/security"
        if not await self.is_recovering(request):
            return _to(sign_in_path(wanted))
        return self._page(request, "new_app.html", wanted=wanted)

    async def _account(self, request: Request) -> Response:
        if not await self.visitor(request):
            return _to(sign_in_path(_path_of(request)))
        return self._page(request, "account.html")

    async def _agency(self, request: Request) -> Response:
        visitor = await self.visitor(request)
        if visitor is None:
            return _to(sign_in_path(_path_of(request)))
        account_id = visitor.account_to_show(request.query_params.get("account"))
        if account_id is None:
            return self.nothing(request)
        return self._page(request, "agency.html", account_id=account_id)

    async def _events(self, request: Request) -> Response:
        """What a webhook may be told of: too much to come with the page for the few who choose of it."""
        said = languages.texts(_language_of(request), texts.DOMAIN).gettext
        events = [(event.type(), said(event.description)) for event in SHOWN]
        return JSONResponse(events, headers={"Vary": "Accept-Language, Cookie"})

    async def _set_password(self, request: Request) -> Response:
        return self._page(request, "set_password.html")

    async def _not_me(self, request: Request) -> Response:
        return self._page(request, "not_me.html", disowns="reset")

    async def _not_my_session(self, request: Request) -> Response:
        return self._page(request, "not_me.html", disowns="sign-in")

    async def _not_wanted(self, request: Request) -> Response:
        return self._page(request, "not_me.html", disowns="waiting")

    async def _come_back(self, request: Request) -> Response:
        return self._page(request, "come_back.html")

    async def _not_my_recovery(self, request: Request) -> Response:
        return self._page(request, "not_me.html", disowns="recovery")

    async def _logo(self, request: Request) -> Response:
        file = self.settings.logo_file
        if file is None:
            return self.nothing(request)
        headers = {"Cache-Control": "public, max-age=3600"}
        return Response(file.read_bytes(), media_type=LOGO_TYPES[file.suffix.lower()], headers=headers)

    def _page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        more_headers: Mapping[str, str] = MappingProxyType({}),
        **values: object,
    ) -> Response:
        content = self.templates(_language_of(request)).get_template(template).render(values).encode()
        headers = {
            "Content-Security-Policy": POLICY,
            "Vary": "Accept-Encoding, Accept-Language, Cookie",
            **more_headers,
        }
        # A shell holds no secret that its compressed length could tell.
        if takes_gzip(request):
            content = gzip.compress(content, COMPRESSION)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(content, status, headers=headers)

    def _templates(self, language: str) -> Environment:
        """The templates in a language, with what is the same on every page."""
        environment = languages.templates.environment("web", texts.DOMAIN, language)
        environment.globals.update(
            language=language,
            texts_of=cache(lambda entry: texts.translated(self.files.sources_of(entry), language)),
            asset=self.files.url,
            needed_by=self.files.needed_by,
            product=self.settings.product,
            logo=LOGO_PATH if self.settings.logo_file else None,
            providers=self.settings.oidc,
        )
        return environment


def _language_of(request: Request) -> str:
    """The person's language, as their browser keeps it, or the one that it prefers."""
    return rules.languages.chosen(request.cookies.get(COOKIE), request.headers.get("accept-language"))


def _brand(colour: str) -> str:
    """The stylesheet of an accent colour."""
    accent = Accent.of(colour)
    light = f":root {{ --accent: {accent.light}; --on-accent: {accent.on_light}; }}"
    dark = f":root {{ --accent: {accent.dark}; --on-accent: {accent.on_dark}; }}"
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n"


def _to(path: str) -> Response:
    # 303: whatever was sent, what follows is a page to read.
    return RedirectResponse(path, 303)


def _path_of(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
