"""Links that work once, made just before their email leaves: the hash of a token is kept, the token nowhere."""

from __future__ import annotations

import secrets

from db import links
from db.deliveries import Claimed
from rules import tokens
from rules.events.catalogue import LINKS
from workers.runtime import Runtime


class OvertakenError(Exception):
    """The mail's link would not hold any more: nobody has any use of it."""


def link_of(runtime: Runtime, delivery: Claimed, patience_s: float) -> str | None:
    """The URL of a delivery's link; None when its email has none. Raises OvertakenError."""
    link = LINKS.get(delivery.stored.type)
    if link is None:
        return None
    token = tokens.make(tokens.LINK_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.LINK_PREFIX, token)
    assert token_hash is not None
    if not runtime.query(links.mint, delivery.id, link.purpose, token_hash, link.lifetime, patience_s=patience_s):
        raise OvertakenError
    return link.url(runtime.settings.public_url, token)
