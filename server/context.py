"""From an HTTP request or WebSocket to the resolvers' context: the token, the client, and the session cookie."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from uuid import UUID

from starlette.requests import HTTPConnection

import rules.clients
import rules.devices
import rules.languages
from resolvers.context import Context, Service
from rules.clients import Client
from rules.failures import Forbidden, Unauthenticated
from rules.languages import COOKIE
from rules.service_keys import Right
from server.transport.addresses import address_key
from server.transport.heads import heads
from settings import Settings

HOP = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+")

logger = logging.getLogger("gatehouse.api")


@dataclass
class RequestContext(Context):
    """A context whose session cookie follows what the resolvers do."""

    settings: Settings | None = None

    @property
    def address_key(self) -> str:
        """What the client's address counts as."""
        return address_key(self.client.ip_address)

    @property
    def session_key(self) -> bytes | None:
        """The digest of what may be a session's token, or a service key."""
        return self._service_key_hash if self._service_token is not None else self.token_hash

    @property
    def device_key(self) -> str | None:
        """Whoever has signed in last on this device, by its cookie."""
        person = rules.devices.whose(self.service.ring, self.device_cookie)
        return f"device:{person}" if person else None

    async def person_key(self) -> str | None:
        """The person of a live session, or the service of a live key, as work is counted."""
        if self.is_service:
            try:
                return f"service:{(await self.service_key(*Right)).id}"
            except (Unauthenticated, Forbidden):
                return None
        person = await self.person_or_none()
        return f"person:{person.id}" if person else None

    def sign_in_as(self, token: str, *, use_cookie: bool) -> None:
        """Set the cookie when asked for."""
        super().sign_in_as(token, use_cookie=use_cookie)
        if use_cookie:
            self._set_session_cookie(token, self.service.limits.session_lifetime)

    def know_device(self, user_id: UUID, now: datetime, since: datetime | None = None) -> None:
        """Set the device cookie, too; it outlives signing out."""
        super().know_device(user_id, now, since)
        if self.takes_cookies and self.device_cookie:
            assert self.settings is not None
            self._set_cookie(self.settings.device_cookie_name, self.device_cookie, rules.devices.LIFETIME)

    def sign_out(self) -> None:
        """Clear the session cookie, whether or not this request came with it."""
        super().sign_out()
        self._set_session_cookie("", timedelta(0))

    def _set_session_cookie(self, value: str, lifetime: timedelta) -> None:
        assert self.settings is not None
        self._set_cookie(self.settings.cookie_name, value, lifetime)

    def _set_cookie(self, name: str, value: str, lifetime: timedelta) -> None:
        assert self.settings is not None
        secure = "; Secure" if self.settings.cookie_is_secure else ""
        max_age_s = int(lifetime.total_seconds())
        cookie = f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
        self.response_headers.append(("set-cookie", cookie))


def context_for(connection: HTTPConnection, service: Service, settings: Settings, request_id: str) -> RequestContext:
    """The context of one request; a bearer token goes before the cookie."""
    bearer = bearer_token(connection)
    cookies = connection.cookies if "cookie" in heads(connection.scope) else {}
    is_http = connection.scope["type"] == "http"
    return RequestContext(
        service=service,
        client=Client(_user_agent(connection), client_address(connection, settings)),
        request_id=request_id,
        token=bearer or cookies.get(settings.cookie_name),
        takes_cookies=is_http,
        token_is_cookie=not bearer and is_http,
        device_cookie=cookies.get(settings.device_cookie_name),
        language=rules.languages.chosen(cookies.get(COOKIE), heads(connection.scope).get("accept-language")),
        settings=settings,
    )


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token of an Authorization: Bearer header."""
    scheme, _, token = heads(connection.scope).get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def client_address(connection: HTTPConnection, settings: Settings) -> str | None:
    """The client's address: the nearest one in X-Forwarded-For that is no trusted proxy, or the peer's own."""
    peer: str | None = client[0] if (client := connection.scope.get("client")) else None
    if "x-forwarded-for" not in heads(connection.scope):
        return peer
    # A proxy may add a line of its own below what the client sent.
    chain = ",".join(connection.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in chain.split(",") if hop.strip()]
    address = _address(peer or "")
    if hops and address and not _is_within(address, settings.trusted_proxies):
        _warn_of_proxy(peer or "")
    while hops and address and _is_within(address, settings.trusted_proxies):
        address = _address(hops.pop())
    # What a trusted proxy passes on and is no address counts as the proxy's own.
    return str(address) if address else peer


def _is_within(address: IPv4Address | IPv6Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, without the port or the brackets that some proxies add."""
    found = HOP.fullmatch(text)
    try:
        return ip_address(found[1] or found[2]) if found else ip_address(text)
    except ValueError:
        return None


MOST_PROXIES_TOLD = 20
_told: set[str] = set()


def _warn_of_proxy(peer: str) -> None:
    """Say once of each proxy that it is not believed."""
    if peer not in _told and len(_told) < MOST_PROXIES_TOLD:
        _told.add(peer)
        logger.warning(
            "X-Forwarded-For comes from %s, which GATEHOUSE_TRUSTED_PROXIES does not name: all who come through it "
            "count as one client.",
            peer,
        )


def _user_agent(connection: HTTPConnection) -> str | None:
    return rules.clients.shown_user_agent(heads(connection.scope).get("user-agent", ""))
