"""What texts of settings may be. Each check returns the value, or raises ValueError that tells what it must be."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import SplitResult, urlsplit

MAIL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[(IPv6:)?[0-9A-Fa-f.:]+\]")
HOST_NAME = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}")
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
LONGEST_NAME = 60


def one_of_schemes(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value and parts_of(value).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return value

    return check


def parts_of(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # its text may hold the password
        raise ValueError("must be a URL") from None


def has_host(url: str) -> bool:
    """Whether the URL names a host, and its port, if any, is one."""
    parts = parts_of(url)
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def with_host(url: str) -> str:
    if url and not has_host(url):
        raise ValueError("must name a host, and a port only as a number, as in SCHEME://HOST:PORT")
    return url


def is_safe(url: str) -> bool:
    """Whether what is said there stays between its ends: by TLS, or within this machine."""
    parts = parts_of(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS


def origins(value: str) -> str:
    for origin in split(value.lower()):
        parts = parts_of(origin)
        is_bare = origin == f"{parts.scheme}://{parts.netloc}" and not {"*", "@"} & set(origin)
        if parts.scheme not in {"http", "https"} or not is_bare or not has_host(origin):
            raise ValueError("must be origins as in https://app.example, each without path or *")
    return value


def hosts(value: str) -> str:
    for host in split(value.lower()):
        if not HOST_NAME.fullmatch(host):
            raise ValueError("must be host names or addresses without a port, as in gatehouse.internal 10.0.0.7")
    return value


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(text, strict=False) for text in split(value))
    except ValueError:
        raise ValueError("must be addresses or networks, as in 10.0.0.7 or 172.16.0.0/12") from None


def mailbox(value: str) -> str:
    from email.policy import default

    try:
        header = default.header_factory("From", value)
        (address,) = header.addresses
        is_right = bool(address.domain) and not header.defects
    except (ValueError, IndexError):  # the standard library's parser trips over "me@"
        is_right = False
    if not is_right:
        raise ValueError("must be one address, as in Gatehouse <no-reply@agency.example>")
    return value


def mail_name(value: str) -> str:
    if value and not MAIL_NAME.fullmatch(value):
        raise ValueError("must be a host name, as in mail.agency.example, or an address, as in [192.0.2.1]")
    return value


def secret_keys(value: str) -> str:
    if value:
        parse_secret_keys(value)
    return value


def parse_secret_keys(value: str) -> dict[str, bytes]:
    """Read 'id:base64,id:base64' (32 bytes each, newest first) into an ordered mapping."""
    keys: dict[str, bytes] = {}
    for part in value.split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key_id or len(key) != 32 or key_id in keys:
            raise ValueError("must be id:KEY[,id:KEY…], each KEY 32 bytes in base64, newest first")
        keys[key_id] = key
    return keys


def split(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.replace(",", " ").split() if part)


def days(value: str) -> tuple[int, ...]:
    days = split(value)
    if not all(day.isdecimal() and 1 <= int(day) <= 30 for day in days):
        raise ValueError("must be whole days from 1 to 30, as in 7,3,1")
    return tuple(sorted({int(day) for day in days}, reverse=True))


def app_name(value: str) -> str:
    if not 1 <= len(value) <= LONGEST_NAME or ":" in value:
        raise ValueError(f"must have 1 to {LONGEST_NAME} characters, and no colon")
    return value


def product_name(value: str) -> str:
    if len(value) > LONGEST_NAME:
        raise ValueError(f"must have {LONGEST_NAME} characters at most")
    return value


def colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError("must be a colour as in #1849a9")
    return value.lower()
