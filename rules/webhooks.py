"""Webhooks as Standard Webhooks has them: what may be called, how it is signed, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from base64 import b64encode
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from rules.failures import InvalidInput

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES = 32
SECRET_PURPOSE = "webhook secret"  # noqa: S105 - what its key is derived for
LONGEST_URL = 2000
MOST_WEBHOOKS = 20
# How long the secret before goes on signing beside a new one.
OVERLAP = timedelta(hours=24)
# How long a delivery is tried, and an endpoint may fail before it is switched off.
RETRIED_FOR = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
CLAIM_LIFETIME = timedelta(seconds=60)
# So often later events of a person wait for an earlier one.
ORDERED_ATTEMPTS = 5
MOST_SHOWN_ATTEMPTS = 100
TEST = "TEST"

# Where IPv6 holds an IPv4 address that a router may send on to: NAT64 (twice), IPv4-compatible.
_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))


def checked_url(url: str, *, production: bool, allow_private: bool) -> str:
    """The URL of an endpoint, stripped. Raises InvalidInput."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidInput("url", "This is no URL.") from None
    if parts.scheme not in ({"https"} if production else {"https", "http"}) or not host or port == 0:
        raise InvalidInput("url", f"Give a URL that begins with https://{'' if production else ' or http://'}.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInput("url", "The URL may hold neither a user, nor a password, nor a fragment.")
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput("url", f"The URL may have up to {LONGEST_URL:,} characters, of ASCII and without spaces.")
    if not allow_private and _is_private_name(host):
        raise InvalidInput("url", "Gatehouse calls no private, loopback or link-local address.")
    return url


def is_public(address: str) -> bool:
    """Whether this IP address may be called: a public one, and none that stands for a private one."""
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        embedded = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if any(parsed in network for network in _EMBEDDING):
            embedded = IPv4Address(int(parsed) & 0xFFFF_FFFF)
        if parsed.is_site_local or (embedded is not None and not is_public(str(embedded))):
            return False
        if embedded is not None:
            return True
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def headers(message_id: str, timestamp: int, body: bytes, secrets: list[bytes]) -> dict[str, str]:
    """The three headers; signed by every secret that holds, newest first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [f"v1,{b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}" for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def shown_secret(secret: bytes) -> str:
    """A secret as the verifiers' libraries take it."""
    return SECRET_PREFIX + b64encode(secret).decode()


def written(payload: dict[str, Any]) -> bytes:
    """A payload as it is sent and signed."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def host_of(url: str) -> str:
    """Where a URL leads, without its path, which may hold a secret."""
    return urlsplit(url).netloc


def _is_private_name(host: str) -> bool:
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return _is_private_number(host)


def _is_private_number(host: str) -> bool:
    """Whether it is one of the short, octal or hexadecimal forms that resolvers take for an address."""
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        return False
