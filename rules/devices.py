"""The device cookie: where somebody has signed in before, they have a budget of guesses that strangers cannot spend.

It proves nothing else. Each entry is sealed for one person, so that it counts for nobody else and tells nobody's name.
The last one is sealed for nobody: it opens before it is known who asks, and tells us alone who has signed in last.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING
from uuid import UUID

from rules.sealed import NONCE_BYTES, KeyMissingError, Sealed

if TYPE_CHECKING:
    from rules.sealing import KeyRing

PURPOSE = "device"
LIFETIME = timedelta(days=180)
DEVICE_BYTES = 16
SEEN_BYTES = 8
RANDOM_BYTES = 2 * NONCE_BYTES + DEVICE_BYTES
MOST_PEOPLE = 4
NOBODY = UUID(int=0)
LONGEST_COOKIE = 1000
# How a device is seen; a product's word for where somebody is shows nothing of them.
WITH_COOKIE, WITHOUT_COOKIE, BY_PRODUCT = "", "\nbearer", "\nproduct"
VERSION = re.compile(r"[0-9.]+")


def digest(user_agent: str | None, network: str, way: str = WITH_COOKIE) -> bytes:
    """A program, whatever its version, and its network, as one is known again that keeps no cookie.

    In an office many have the same: what was seen in one `way` is known in no other.
    """
    return sha256(f"{VERSION.sub('', user_agent or '')}\n{network}{way}".encode()).digest()


def known_as(
    ring: KeyRing, cookie: str | None, user_id: UUID, now: datetime, since: datetime | None = None
) -> str | None:
    """What the device is called for this person; None when they have not signed in on it lately, and `since`.

    Whoever knows a password has as many devices as they wish, which are not to outlive it.
    """
    device, seen_at = _seen(ring, cookie, user_id)
    is_known = now < seen_at + LIFETIME and (since is None or since <= seen_at)
    return device.hex() if is_known else None


def remember(
    ring: KeyRing, cookie: str | None, user_id: UUID, now: datetime, randomness: bytes, since: datetime | None = None
) -> str:
    """The cookie with this person first, by 40 fresh random bytes. A device keeps its name, and so its locks.

    An entry tells the second that had begun by then; the next one where it is to be known `since` an instant within.
    """
    nonce, last_nonce, fresh = (
        randomness[:NONCE_BYTES],
        randomness[NONCE_BYTES:-DEVICE_BYTES],
        randomness[-DEVICE_BYTES:],
    )
    device, before = _seen(ring, cookie, user_id)
    is_known = now < before + LIFETIME
    seen_s = max(int(now.timestamp()), int(before.timestamp()), ceil(since.timestamp()) if since else 0)
    seen = seen_s.to_bytes(SEEN_BYTES)
    own = _written(ring.seal((device if is_known else fresh) + seen, PURPOSE, user_id, nonce))
    last = _written(ring.seal(user_id.bytes + seen, PURPOSE, NOBODY, last_nonce))
    others = [
        entry for entry in _entries(cookie) if not any(_opened(ring, entry, sealed) for sealed in (user_id, NOBODY))
    ]
    return ".".join((own, *others[: MOST_PEOPLE - 1], last))


def whose(ring: KeyRing, cookie: str | None) -> UUID | None:
    """Who has signed in last on the device; None where the cookie is none of ours, which takes one look to find out."""
    entries = _entries(cookie)
    plain = _opened(ring, entries[-1], NOBODY) if entries else None
    return UUID(bytes=plain[:-SEEN_BYTES]) if plain is not None else None


def _seen(ring: KeyRing, cookie: str | None, user_id: UUID) -> tuple[bytes, datetime]:
    """The device's name for this person, and when they were last seen on it; ages ago if never."""
    for entry in _entries(cookie):
        plain = _opened(ring, entry, user_id)
        if plain is not None:
            return plain[:DEVICE_BYTES], datetime.fromtimestamp(int.from_bytes(plain[DEVICE_BYTES:]), UTC)
    return b"", datetime.fromtimestamp(0, UTC)


def _entries(cookie: str | None) -> list[str]:
    return cookie.split(".")[: MOST_PEOPLE + 1] if cookie and len(cookie) <= LONGEST_COOKIE else []


def _written(sealed: Sealed) -> str:
    return urlsafe_b64encode(sealed.data).decode().rstrip("=")


def _opened(ring: KeyRing, entry: str, user_id: UUID) -> bytes | None:
    for key_id in ring.keys:
        try:
            data = urlsafe_b64decode(entry + "=" * (-len(entry) % 4))
            return ring.open(Sealed(data, key_id), PURPOSE, user_id)
        except (ValueError, KeyMissingError):
            continue
    return None
