"""Links that work once, made just before their email leaves: the hash of a token is kept, the token nowhere."""

from __future__ import annotations

import secrets

import db.links
import rules.tokens
from db.deliveries import Claimed
from rules.events.catalogue import FURTHER_LINKS, LINKS
from rules.links import STOPPING, Link, Purpose
from workers.runtime import Runtime
from workers.verdicts import OvertakenError


def links_of(runtime: Runtime, delivery: Claimed, patience_s: float) -> dict[Purpose, str]:
    """The URLs of a delivery's links, as far as they hold.

    Raises OvertakenError when its button has none, or what it tells of waits no more, to be stopped.
    """
    kind, further = LINKS.get(delivery.stored.type), FURTHER_LINKS.get(delivery.stored.type, ())
    kinds = (kind, *further) if kind else further
    urls = {link.purpose: url for link in kinds if (url := _made(runtime, delivery, link, patience_s)) is not None}
    if any(link.purpose not in urls for link in kinds if link is kind or link.purpose in STOPPING):
        raise OvertakenError
    return urls


def _made(runtime: Runtime, delivery: Claimed, link: Link, patience_s: float) -> str | None:
    token = rules.tokens.make(rules.tokens.LINK_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    token_hash = rules.tokens.digest(rules.tokens.LINK_PREFIX, token)
    assert token_hash is not None
    if not runtime.query(db.links.mint, delivery.id, link.purpose, token_hash, link.lifetime, patience_s=patience_s):
        return None
    return link.url(runtime.settings.public_url, runtime.settings.security_url, token)
