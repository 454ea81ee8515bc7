"""Whether a request that carries the session cookie was meant by our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from server.transport.graphql_request import RequestError
from settings import Settings

# A cross-site form or link can set none of these without a preflight, which we refuse.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with")


def has_trusted_origin(connection: HTTPConnection, settings: Settings) -> bool:
    """False when a browser says that a page of another origin asks."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    origin = origin.lower()
    if origin in settings.allowed_origins:
        return True
    parts = urlsplit(settings.public_url)
    # Behind a proxy the scheme that we see is not the browser's, so our own host is compared without it.
    own = {f"{parts.scheme}://{parts.netloc}".lower()}
    own |= {f"{scheme}://{connection.headers.get('host', '').lower()}" for scheme in ("http", "https")}
    return origin in own


def refuse_forged(request: Request, settings: Settings) -> None:
    """Raise RequestError (403) for a request with our cookie that another site may have caused."""
    if settings.cookie_name not in request.cookies or "authorization" in request.headers:
        return
    if not has_trusted_origin(request, settings):
        raise RequestError("This origin may not use the session cookie.", 403)
    # A POST is JSON by now, which is such a sign itself.
    if request.method == "GET" and not any(name in request.headers for name in PREFLIGHT_HEADERS):
        raise RequestError("With the session cookie, send the header GraphQL-Require-Preflight: 1.", 403)
