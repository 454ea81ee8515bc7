"""What an address counts as, and what is around it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address


def household_of(key: str) -> str | None:
    """What the /56 around an IPv6 address's key counts as."""
    return _network_of(key) if key.endswith("/64") else None


@lru_cache(10_000)
def _network_of(key: str) -> str:
    return f"network:{IPv6Network(key.removeprefix('address:')).supernet(new_prefix=56)}"


def address_key(address: str | None) -> str:
    """What an address counts as: an IPv6 one as its /64, which is one line's."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return f"address:{address}"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv6Address):
        return f"address:{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return f"address:{parsed}"
