"""How the API is served: where it listens, and to whom it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from settings import checks
from settings.product import Product
from settings.texts import file, flag, seconds, text, whole
from settings.variables import NONE, told

PORT = whole(0, 65535)


def port_of(value: str) -> int:
    """A port; what stands there without anybody having set it is told by whom it was."""
    try:
        return PORT(value)
    except ValueError as error:
        if not value.startswith("tcp://"):
            raise
        cause = "Kubernetes sets it to tcp://… for a Service of that name, unless the pod has enableServiceLinks: false"
        raise ValueError(f"{error}; {cause}") from None


@dataclass(frozen=True, kw_only=True, repr=False)
class Serving(Product):
    """Where the product is served, and what may ask it."""

    host: str = told("the address where the API listens", "127.0.0.1", str)
    port: int = told("the port where the API listens", 8000, port_of)
    status_host: str = told("the address of the status port", "127.0.0.1", str)
    status_port: int = told(
        "where each part answers `/livez`, `/readyz` and `/metrics`; `up` gives its parts consecutive ports",
        0,  # no status port
        port_of,
        unset=NONE,
    )
    drain_seconds: float = told(
        "how long an API that was asked to end says so on `/readyz` before it takes no more connections",
        0.5,
        seconds(0, 60),
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = told(
        "addresses or networks whose X-Forwarded-For is believed: behind a proxy, set it, or all clients count as one",
        (),
        checks.networks,
    )
    cors_origins: str = told(
        "other origins that a browser may call from: `https://app.example …`", "", text(checks.origins)
    )
    allowed_hosts: str = told(
        "other host names that requests may be for, besides the public URL's and loopback", "", text(checks.hosts)
    )
    explorer: bool = told("in production: the explorer, for signed-in staff only", False, flag)
    introspection: bool = told("in production: introspection", False, flag)
    trusted_documents: Path | None = told(
        "a JSON file, SHA-256 to operation: only these run, in the explorer too, and what the pages ask", None, file()
    )

    @cached_property
    def allowed_origins(self) -> frozenset[str]:
        """Origins other than the public URL's that a browser may call from."""
        return frozenset(checks.split(self.cors_origins.lower()))

    @cached_property
    def served_hosts(self) -> frozenset[str]:
        """The host names that a request may be for."""
        own = urlsplit(self.public_url).hostname or ""
        return frozenset({own, self.host.lower(), *checks.LOOPBACK_HOSTS, *checks.split(self.allowed_hosts.lower())})
