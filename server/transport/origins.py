"""Whether a request that carries the session cookie was meant by our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from server.transport.graphql_request import RequestError
from server.transport.heads import heads
from settings import Settings

# What a browser says of a request that a page of another site, or of another host of ours, has caused.
OTHER_SITES = {"cross-site", "same-site"}
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
    own = {f"{parts.scheme}://{parts.netloc}".lower()}
    # Behind a proxy the scheme that we see is not the browser's. An https product is never asked over http.
    schemes = ("https",) if parts.scheme == "https" else ("http", "https")
    own |= {f"{scheme}://{connection.headers.get('host', '').lower()}" for scheme in schemes}
    return origin in own


def refuse_forged(request: Request, settings: Settings) -> None:
    """Raise RequestError (403) for a request with our cookie that another site may have caused."""
    if "cookie" not in heads(request.scope):
        return
    # Only a bearer token goes before the cookie; any other scheme leaves the cookie to decide who asks.
    has_token = request.headers.get("authorization", "").lower().startswith("bearer ")
    if settings.cookie_name not in request.cookies or has_token:
        return
    site = request.headers.get("sec-fetch-site")
    if not has_trusted_origin(request, settings) or (site in OTHER_SITES and "origin" not in request.headers):
        raise RequestError("This origin may not use the session cookie.", 403)
    # A POST is JSON by now, which is such a sign itself.
    is_shown = site == "same-origin" or any(name in request.headers for name in PREFLIGHT_HEADERS)
    if request.method == "GET" and not is_shown:
        raise RequestError("With the session cookie, send the header GraphQL-Require-Preflight: 1.", 403)
