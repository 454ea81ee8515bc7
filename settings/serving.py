"""How the API is served: where it listens, and to whom it answers."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FilePath
from pydantic_settings import NoDecode

from settings import checks
from settings.product import Product
from settings.variables import NONE, told


class Serving(Product):
    """Where the product is served, and what may ask it."""

    host: Annotated[str, told("the address where the API listens")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535), told("the port where the API listens")] = 8000
    status_host: Annotated[str, told("the address of the status port")] = "127.0.0.1"
    status_port: Annotated[
        int,
        Field(ge=0, le=65535),
        told(
            "where each part answers `/livez`, `/readyz` and `/metrics`; `up` gives its parts consecutive ports", NONE
        ),
    ] = 0  # 0: no status port
    drain_seconds: Annotated[
        float,
        Field(ge=0, le=60),
        told("how long an API that was asked to end says so on `/readyz` before it takes no more connections"),
    ] = 0.5
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        BeforeValidator(checks.networks),
        told(
            "addresses or networks whose X-Forwarded-For is believed: behind a proxy, set it, or all clients count as "
            "one"
        ),
    ] = ()
    cors_origins: Annotated[
        str, AfterValidator(checks.origins), told("other origins that a browser may call from: `https://app.example …`")
    ] = ""
    allowed_hosts: Annotated[
        str,
        AfterValidator(checks.hosts),
        told("other host names that requests may be for, besides the public URL's and loopback"),
    ] = ""
    explorer: Annotated[bool, told("in production: the explorer, for signed-in staff only")] = False
    introspection: Annotated[bool, told("in production: introspection")] = False
    trusted_documents: Annotated[
        FilePath | None,
        told("a JSON file, SHA-256 to operation: only these run, in the explorer too, and what the pages ask"),
    ] = None

    @cached_property
    def allowed_origins(self) -> frozenset[str]:
        """Origins other than the public URL's that a browser may call from."""
        return frozenset(checks.split(self.cors_origins.lower()))

    @cached_property
    def served_hosts(self) -> frozenset[str]:
        """The host names that a request may be for."""
        own = urlsplit(self.public_url).hostname or ""
        return frozenset({own, self.host.lower(), *checks.LOOPBACK_HOSTS, *checks.split(self.allowed_hosts.lower())})
