"""/sign-in/with/NAME: to a provider, and back with its answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

import resolvers.providers
import rules.oidc
from resolvers.sign_in import ChallengeOpened, SignedIn
from rules.failures import RateLimited
from rules.oidc import ProviderConfig, Returned, SignInProblem
from server.context import RequestContext
from server.transport.admission import REFUSED, Admission
from server.transport.graphql_request import RequestError, refuse_unusable_text
from settings import Settings
from web.next_path import own_path
from web.pages import Pages

if TYPE_CHECKING:
    from oidc.provider import Provider

HOME = "/account/security"
LONGEST_PARAMETER = 4000

logger = logging.getLogger("gatehouse.providers")


def callback_url(settings: Settings, provider: ProviderConfig) -> str:
    """Where the provider sends people back to."""
    return f"{settings.public_url.rstrip('/')}/sign-in/with/{provider.name}/callback"


class SignInWith:
    """The routes of all providers."""

    def __init__(
        self,
        settings: Settings,
        make_context: Callable[[HTTPConnection], RequestContext],
        admission: Admission,
        pages: Pages,
    ) -> None:
        self.settings = settings
        self.pages = pages
        self.make_context = make_context
        self.admission = admission

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to put into the application."""
        return [
            Route("/sign-in/with/{name}", self._begin, methods=["GET"]),
            Route("/sign-in/with/{name}/callback", self._finish, methods=["GET"]),
        ]

    async def _begin(self, request: Request) -> Response:
        context, provider = self.make_context(request), self._provider(request)
        if provider is None:
            return self.pages.nothing(request)
        asked_for = own_path(request.query_params.get("next"))
        # Too long a one is left out, not the sign-in.
        wanted = asked_for if asked_for and rules.oidc.is_kept(asked_for) else HOME
        try:
            with self.admission.work(context):
                begun = await resolvers.providers.begin(
                    context, provider, wanted, is_fresh="fresh" in request.query_params
                )
        except SignInProblem as problem:
            return self._problem(provider, problem, wanted)
        except RateLimited as error:
            return self.pages.refused(request, str(error), REFUSED)
        response = RedirectResponse(begun.url, 303)
        former, lifetime_s = self.settings.provider_cookie_name, int(rules.oidc.LIFETIME.total_seconds())
        # The version before may be the one to which they come back, and knows this name alone.
        is_for_both = 2 * len(begun.cookie) <= rules.oidc.LONGEST_COOKIE
        for name in rules.oidc.crowded_out(former, request.cookies, begun.cookie * (1 + is_for_both)):
            self._set_cookie(response, name, "", 0)
        self._set_cookie(response, self._kept_as(begun.state), begun.cookie, lifetime_s)
        if is_for_both:
            self._set_cookie(response, former, begun.cookie, lifetime_s)
        elif former in request.cookies:
            self._set_cookie(response, former, "", 0)
        return response

    async def _finish(self, request: Request) -> Response:
        context, provider = self.make_context(request), self._provider(request)
        if provider is None:
            return self.pages.nothing(request)
        try:
            returned = _returned(request)
        except SignInProblem as problem:
            return self._problem(provider, problem, HOME)
        name, former = self._kept_as(returned.state), self.settings.provider_cookie_name
        kept = request.cookies.get(name) or request.cookies.get(former)
        try:
            with self.admission.work(context):
                outcome, wanted = await resolvers.providers.finish(context, provider, returned, kept)
        except SignInProblem as problem:
            response = self._problem(provider, problem, problem.wanted or HOME)
        except RateLimited as error:
            return self.pages.refused(request, str(error), REFUSED)
        else:
            response = self._to_wanted(context, outcome, wanted)
        # It has served, whatever came of it.
        self._set_cookie(response, name, "", 0)
        if former in request.cookies:
            self._set_cookie(response, former, "", 0)
        return response

    def _provider(self, request: Request) -> Provider | None:
        found: Provider | None = request.app.state.service.providers.get(request.path_params["name"])
        return found

    def _kept_as(self, state: str) -> str:
        return rules.oidc.kept_as(self.settings.provider_cookie_name, state)

    def _to_wanted(self, context: RequestContext, outcome: SignedIn | ChallengeOpened, wanted: str) -> RedirectResponse:
        if isinstance(outcome, ChallengeOpened):
            # Behind the #, which browsers send to nobody; the page takes it out of the address at once.
            response = self._to_page({"next": wanted}, f"#challenge={outcome.token}")
        else:
            response = RedirectResponse(wanted, 303)
        for name, value in context.response_headers:
            response.headers.append(name, value)
        return response

    def _problem(self, provider: Provider, problem: SignInProblem, wanted: str) -> RedirectResponse:
        logger.info("code=%s provider=%s why=%s", problem.code, provider.config.name, problem)
        return self._to_page({"problem": problem.code, "provider": provider.config.name, "next": wanted})

    def _to_page(self, query: dict[str, str], fragment: str = "") -> RedirectResponse:
        page = self.settings.sign_in_url
        return RedirectResponse(f"{page}{'&' if '?' in page else '?'}{urlencode(query)}{fragment}", 303)

    def _set_cookie(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        secure = "; Secure" if self.settings.cookie_is_secure else ""
        response.headers.append(
            "set-cookie", f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
        )


def _returned(request: Request) -> Returned:
    """The provider's answer. Raises SignInProblem for what none sends."""
    given = request.query_params
    try:
        for value in given.values():
            refuse_unusable_text(value)
    except RequestError:
        raise SignInProblem(rules.oidc.FAILED, "the answer holds unusable text") from None
    is_twice = any(len(given.getlist(name)) > 1 for name in ("code", "state", "iss", "error"))
    if is_twice or "state" not in given or any(len(value) > LONGEST_PARAMETER for value in given.values()):
        raise SignInProblem(rules.oidc.FAILED, "the answer is none that a provider sends")
    return Returned(given.get("code"), given["state"], given.get("iss"), given.get("error"))
