"""Opaque cursors for keyset pages, bound to what they page through: a made-up or borrowed one is refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from rules.failures import BadUserInput
from rules.sealing import KeyRing

PURPOSE = "cursor"
TAG_BYTES = 12
LONGEST_CURSOR = 1000


def encode(ring: KeyRing, scope: str, position: list[str]) -> str:
    """A cursor for the row at `position` of what `scope` names."""
    text = json.dumps(position, ensure_ascii=False).encode()
    return urlsafe_b64encode(_tag(ring, ring.newest, scope, text) + text).decode()


def decode(ring: KeyRing, scope: str, cursor: str) -> list[str]:
    """The position of a cursor that was made for this scope. Raises BadUserInput."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii")) if len(cursor) <= LONGEST_CURSOR else b""
    except ValueError:
        raw = b""
    tag, text = raw[:TAG_BYTES], raw[TAG_BYTES:]
    # Decoding skips what is not base64, and whatever stands behind its end.
    is_exact = urlsafe_b64encode(raw).decode() == cursor
    if not text or not is_exact or all(tag != _tag(ring, key_id, scope, text) for key_id in ring.keys):
        raise BadUserInput("The cursor is not one that this list gave out.")
    position: list[str] = json.loads(text)
    return position


def _tag(ring: KeyRing, key_id: str, scope: str, text: bytes) -> bytes:
    return ring.authenticate(scope.encode() + b"\0" + text, PURPOSE, key_id)[:TAG_BYTES]
