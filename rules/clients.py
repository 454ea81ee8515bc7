"""Where a request comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """A browser or program and its address, as far as they are known."""

    user_agent: str | None
    ip_address: str | None
