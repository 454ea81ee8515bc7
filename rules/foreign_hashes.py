"""Password hashes that other products made: bcrypt, scrypt and PBKDF2 as libraries and Django write them.

They are verified until their owners sign in, and then replaced by ours. What would take too long or too much memory
is no hash that we take. bcrypt is loaded where somebody has such a hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_HASH = 500
MOST_BCRYPT_COST = 15
MOST_ITERATIONS = 5_000_000
MOST_MEMORY_BYTES = 256 * 1024 * 1024
BCRYPT_BYTES = 72  # what bcrypt looks at of a password

BCRYPT = re.compile(r"(bcrypt\$|bcrypt_sha256\$)?(\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53})")
SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)")
DJANGO_SCRYPT = re.compile(r"scrypt\$(\d+)\$([^$]+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/=]+)")
WERKZEUG_SCRYPT = re.compile(r"scrypt:(\d+):(\d+):(\d+)\$([^$]+)\$([0-9a-f]+)")
DJANGO_PBKDF2 = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(\d+)\$([^$]+)\$([A-Za-z0-9+/=]+)")

Check = Callable[[bytes], bool]


class UnknownHashError(Exception):
    """The text is no hash that we can verify; the message says why, without the text."""


def checker(text: str) -> Check:
    """Whether a password's bytes are the ones hashed, as a function. Raises UnknownHashError."""
    if len(text) > LONGEST_HASH:
        raise UnknownHashError("it is too long")
    for pattern, read in READERS:
        if found := pattern.fullmatch(text):
            try:
                return read(*found.groups())
            except (binascii.Error, ValueError, OverflowError):
                raise UnknownHashError("it is not whole") from None
    raise UnknownHashError("it is neither argon2id, bcrypt, scrypt nor Django's PBKDF2")


def _bcrypt(prefix: str | None, kept: str, cost: str) -> Check:
    if not 4 <= int(cost) <= MOST_BCRYPT_COST:
        raise UnknownHashError("its cost is out of bounds")

    import bcrypt

    def is_right(password: bytes) -> bool:
        if prefix == "bcrypt_sha256$":
            password = hashlib.sha256(password).hexdigest().encode()
        try:
            return bcrypt.checkpw(password[:BCRYPT_BYTES], kept.encode())
        except ValueError:  # a null character, which bcrypt knows no way with
            return False

    return is_right


@dataclass(frozen=True)
class _Scrypt:
    n: int
    r: int
    p: int
    salt: bytes
    kept: bytes

    def __post_init__(self) -> None:
        is_power = self.n > 1 and self.n & (self.n - 1) == 0
        if not is_power or not self.kept or 128 * self.n * self.r > MOST_MEMORY_BYTES or not 1 <= self.p <= 16:
            raise UnknownHashError("its cost is out of bounds")

    def __call__(self, password: bytes) -> bool:
        made = hashlib.scrypt(
            password,
            salt=self.salt,
            n=self.n,
            r=self.r,
            p=self.p,
            maxmem=MOST_MEMORY_BYTES * 2,
            dklen=len(self.kept),
        )
        return hmac.compare_digest(made, self.kept)


def _scrypt(log_n: str, r: str, p: str, salt: str, kept: str) -> Check:
    return _Scrypt(1 << int(log_n), int(r), int(p), _base64(salt), _base64(kept))


def _django_scrypt(n: str, salt: str, r: str, p: str, kept: str) -> Check:
    return _Scrypt(int(n), int(r), int(p), salt.encode(), _base64(kept))


def _werkzeug_scrypt(n: str, r: str, p: str, salt: str, kept: str) -> Check:
    return _Scrypt(int(n), int(r), int(p), salt.encode(), bytes.fromhex(kept))


def _django_pbkdf2(name: str, iterations: str, salt: str, kept: str) -> Check:
    rounds, expected = int(iterations), _base64(kept)
    if not 1 <= rounds <= MOST_ITERATIONS or not expected:
        raise UnknownHashError("its cost is out of bounds")

    def is_right(password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(name, password, salt.encode(), rounds, len(expected))
        return hmac.compare_digest(made, expected)

    return is_right


def _base64(text: str) -> bytes:
    """With or without padding, and with the dot that passlib writes for a plus."""
    text = text.rstrip("=").replace(".", "+")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


READERS: tuple[tuple[re.Pattern[str], Callable[..., Check]], ...] = (
    (BCRYPT, _bcrypt),
    (SCRYPT, _scrypt),
    (DJANGO_SCRYPT, _django_scrypt),
    (WERKZEUG_SCRYPT, _werkzeug_scrypt),
    (DJANGO_PBKDF2, _django_pbkdf2),
)
