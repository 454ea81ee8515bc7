"""Password hashes that other products made: each verified against one made by its own library or by the standard."""

from __future__ import annotations

import base64
import hashlib

import bcrypt
import pytest
from argon2 import PasswordHasher

from rules import passwords
from rules.foreign_hashes import UnknownHashError

PASSWORD = "correct horse bättery"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=64)


RAW = PASSWORD.encode()
SALT = b"sixteen bytes so"
HASHES = {
    "argon2id": PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD),
    "Django's argon2": "argon2" + PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD),
    "bcrypt": bcrypt.hashpw(RAW, bcrypt.gensalt(4)).decode(),
    "PHP's bcrypt": bcrypt.hashpw(RAW, bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "Django's bcrypt": "bcrypt$" + bcrypt.hashpw(RAW, bcrypt.gensalt(4)).decode(),
    "Django's bcrypt_sha256": "bcrypt_sha256$"
    + bcrypt.hashpw(hashlib.sha256(RAW).hexdigest().encode(), bcrypt.gensalt(4)).decode(),
    "scrypt": f"$scrypt$ln=4,r=8,p=1${b64(SALT)}${b64(scrypt(PASSWORD, SALT, 16, 8, 1))}".replace("=", "").replace(
        "ln4,r8,p1", "ln=4,r=8,p=1"
    ),
    "Django's scrypt": f"scrypt$16$salty$8$1${b64(scrypt(PASSWORD, b'salty', 16, 8, 1))}",
    "Werkzeug's scrypt": f"scrypt:16:8:1$salty${scrypt(PASSWORD, b'salty', 16, 8, 1).hex()}",
    "Django's pbkdf2_sha256": f"pbkdf2_sha256$1000$salty${b64(hashlib.pbkdf2_hmac('sha256', RAW, b'salty', 1000))}",
    "Django's pbkdf2_sha1": f"pbkdf2_sha1$1000$salty${b64(hashlib.pbkdf2_hmac('sha1', RAW, b'salty', 1000))}",
}
# RFC 7914, section 12: password "pleaseletmein", salt "SodiumChloride", N = 16384, r = 8, p = 1.
RFC_7914 = (
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
)


@pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
def test_the_right_password_is_taken_and_the_hash_is_to_be_renewed(text: str) -> None:
    kept = passwords.from_elsewhere(text)
    assert passwords.matches(PASSWORD, kept)
    assert not passwords.matches("correct horse battery", kept)
    assert not passwords.matches("", kept)
    assert passwords.needs_rehash(PASSWORD, kept)


def test_the_vector_of_the_standard_is_verified() -> None:
    kept = passwords.from_elsewhere(f"scrypt:16384:8:1$SodiumChloride${RFC_7914}")
    assert passwords.matches("pleaseletmein", kept)


def test_bcrypt_looks_at_72_bytes_as_it_always_has() -> None:
    long = "x" * 100
    kept = passwords.from_elsewhere(bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode())
    assert passwords.matches(long, kept)
    assert not passwords.matches("x\0y", kept)


ARGON2 = "$argon2id$v=19$m={},t={},p={}$c29tZXNhbHRzb21l$" + "A" * 43
PBKDF2 = "pbkdf2_sha256${}$salty$" + "A" * 44


@pytest.mark.parametrize(
    ("dearest", "too_dear"),
    [
        (ARGON2.format(262_144, 1, 1), ARGON2.format(262_145, 1, 1)),
        (ARGON2.format(1024, 32, 1), ARGON2.format(1024, 33, 1)),
        (ARGON2.format(1024, 16, 2), ARGON2.format(1024, 17, 2)),
        ("$2b$15$" + "a" * 53, "$2b$16$" + "a" * 53),
        ("$2b$04$" + "a" * 53, "$2b$03$" + "a" * 53),
        ("scrypt$262144$salty$8$1$AAAA", "scrypt$262144$salty$9$1$AAAA"),
        ("scrypt$16$salty$8$16$AAAA", "scrypt$16$salty$8$17$AAAA"),
        ("scrypt$16$salty$8$1$AAAA", "scrypt$16$salty$8$0$AAAA"),
        ("scrypt$2$salty$8$1$AAAA", "scrypt$1$salty$8$1$AAAA"),
        (PBKDF2.format(5_000_000), PBKDF2.format(5_000_001)),
        (PBKDF2.format(1), PBKDF2.format(0)),
        ("pbkdf2_sha256$1$" + "s" * 440 + "$" + "A" * 43, "pbkdf2_sha256$1$" + "s" * 441 + "$" + "A" * 43),
    ],
)
def test_costs_and_length_are_taken_up_to_the_bound(dearest: str, too_dear: str) -> None:
    assert passwords.from_elsewhere(dearest) == dearest
    with pytest.raises(UnknownHashError):
        passwords.from_elsewhere(too_dear)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$2b$04$short",
        "$2b$31$" + "a" * 53,
        "$argon2id$v=19$m=1024,t=1$broken",
        "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21l$" + "A" * 43,
        "scrypt$16777216$salty$8$1$AAAA",
        "scrypt$17$salty$8$1$AAAA",
        "$scrypt$ln=60,r=8,p=1$AAAA$AAAA",
        "pbkdf2_sha256$0$salty$AAAA",
        "pbkdf2_sha256$99999999999$salty$AAAA",
        "pbkdf2_md5$1000$salty$AAAA",
        "pbkdf2_sha256$1000$salty$" + "A" * 600,
        "sha1$salty$AAAA",
    ],
)
def test_what_is_no_hash_or_would_cost_too_much_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(UnknownHashError) as refused:
        passwords.from_elsewhere(text)
    assert len(text) < 6 or text not in str(refused.value)
    assert not passwords.matches("correct horse", text)
