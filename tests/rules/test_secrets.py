"""Sealing, backup codes, tokens and passwords: what is kept of a secret."""

from __future__ import annotations

import secrets
from uuid import UUID

import pytest
from argon2.low_level import Type, hash_secret_raw

from rules import backup_codes, passwords, tokens
from rules.sealed import KeyMissingError, Sealed
from rules.sealing import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32
OWNER, OTHER = UUID(int=1), UUID(int=2)
NONCE = b"0" * 12


def test_the_newest_key_seals_and_an_old_one_still_opens() -> None:
    sealed = KeyRing({"old": OLD}).seal(b"secret", "totp", OWNER, NONCE)
    ring = KeyRing({"new": NEW, "old": OLD})
    assert ring.open(sealed, "totp", OWNER) == b"secret"
    assert ring.seal(b"secret", "totp", OWNER, NONCE).key_id == "new"


@pytest.mark.parametrize(("purpose", "owner"), [("other", OWNER), ("totp", OTHER)])
def test_what_was_sealed_for_another_purpose_or_person_does_not_open(purpose: str, owner: UUID) -> None:
    ring = KeyRing({"a": NEW})
    with pytest.raises(KeyMissingError):
        ring.open(ring.seal(b"secret", "totp", OWNER, NONCE), purpose, owner)


def test_a_relabelled_key_or_a_flipped_bit_does_not_open() -> None:
    ring = KeyRing({"a": NEW, "b": NEW})
    sealed = ring.seal(b"secret", "totp", OWNER, NONCE)
    with pytest.raises(KeyMissingError):
        ring.open(Sealed(sealed.data, "b"), "totp", OWNER)
    with pytest.raises(KeyMissingError):
        ring.open(Sealed(sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]), "a"), "totp", OWNER)


def test_a_purpose_has_a_signing_key_of_its_own_under_each_key_that_is_held() -> None:
    ring = KeyRing({"a": NEW, "b": OLD})
    signatures = {ring.signer(purpose, key_id).sign(b"x") for purpose in ("one", "two") for key_id in ("a", "b")}
    assert len(signatures) == 4
    assert ring.signer("one", "a").sign(b"x") == KeyRing({"a": NEW}).signer("one", "a").sign(b"x")
    with pytest.raises(KeyMissingError, match="Key c is not in GATEHOUSE_SECRET_KEYS"):
        ring.signer("one", "c")


def test_a_set_is_ten_different_codes_of_eight_letters_and_digits_that_look_like_no_other() -> None:
    codes = backup_codes.generate(secrets.randbelow)
    assert len(set(codes)) == 10
    assert all(len(code) == 8 and set(code) <= set("abcdefghjkmnpqrstuvwxyz23456789") for code in codes)


@pytest.mark.parametrize(
    "typed",
    [
        "abcd1234",
        " ABCD1234 ",
        "abcd-1234",
        "ab cd 12 34",
        "AbCd–1234",
        "abcd—12‑34",
        "abcd−1234",
        "ab\u200bcd١٢٣٤",
        "ａｂｃｄ１２３４",
    ],
)
def test_case_spaces_and_dashes_of_a_typed_code_do_not_matter(typed: str) -> None:
    assert backup_codes.normalize(typed) == "abcd1234"


@pytest.mark.parametrize("typed", ["", "abcd123", "abcd12345", "abcd123ä", "abcd_123", "••••••••", "abcd123\0"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert backup_codes.normalize(typed) is None


def test_a_digest_depends_on_code_salt_and_server_key() -> None:
    ring, other = KeyRing({"a": NEW}), KeyRing({"a": OLD})
    salt = b"s" * 16
    digests = {
        backup_codes.digest(ring, "abcd1234", salt, "a"),
        backup_codes.digest(ring, "abcd1235", salt, "a"),
        backup_codes.digest(ring, "abcd1234", b"t" * 16, "a"),
        backup_codes.digest(other, "abcd1234", salt, "a"),
    }
    assert len(digests) == 4
    assert backup_codes.digest(ring, "abcd1234", salt, "a") in digests


def test_a_token_is_found_by_its_hash_under_its_own_prefix_only() -> None:
    token = tokens.make(tokens.SESSION_PREFIX, b"x" * 32)
    assert token.startswith("gh_s_")
    assert len(tokens.digest(tokens.SESSION_PREFIX, token) or b"") == 32
    assert tokens.digest(tokens.CHALLENGE_PREFIX, token) is None
    assert tokens.digest(tokens.SESSION_PREFIX, "gh_s_" + "x" * 95) is not None
    assert tokens.digest(tokens.SESSION_PREFIX, "gh_s_" + "x" * 96) is None
    assert tokens.digest(tokens.SESSION_PREFIX, "gh_s_ä") is None


def test_what_is_kept_of_an_issued_token_is_what_it_is_found_by() -> None:
    token, kept = tokens.issue(tokens.LINK_PREFIX, b"x" * tokens.TOKEN_BYTES)
    assert kept == tokens.digest(tokens.LINK_PREFIX, token)
    assert tokens.TOKEN_BYTES * 8 == 256


@pytest.mark.parametrize(("is_alone", "least"), [(True, 15), (False, 8)])
def test_a_password_has_so_many_characters_at_least_and_1000_at_most(is_alone: bool, least: int) -> None:
    def problem(length: int) -> str | None:
        text = ("kqzvwxjyhgfu" * 100)[:length]
        return passwords.problem_with(text, email="mia@agency.example", is_alone=is_alone)

    assert problem(least - 1) == f"The password must have at least {least} characters."
    assert problem(least) is None
    assert problem(1000) is None
    assert problem(1001) == "The password must have at most 1,000 characters."


@pytest.mark.parametrize(("word", "is_taken"), [("oak", False), ("ok", True)])
def test_a_product_of_two_letters_is_no_word_that_a_password_may_not_be_made_of(word: str, is_taken: bool) -> None:
    problem = passwords.problem_with(f"{word}kqzvwxj", email="x@y.example", products=[word], is_alone=False)
    assert (problem is None) is is_taken


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("abcdefghijklmnop", False),
        ("ponmlkjihgfedcba", False),
        ("abcdefghijklmnoq", True),
        ("1234567890123456", False),
        ("0987654321098765", False),
        ("1357913579135792", True),
        ("passwordpassword", False),
        ("PasswordPassword", False),
        ("correcthorsebattery", True),
        ("1" * 15, False),
        ("abababababababab", False),
        ("xyzxyzxyzxyzxyz", False),
        ("kqzvkqzvkqzvkqzv", True),
        ("mia@agency.example12345678", False),
        ("mia@agency.examplekqzvwxj", False),
        ("mia@agency.examplekqzvwxjy", True),
    ],
)
def test_a_password_is_neither_a_common_one_nor_a_run_nor_a_repetition_nor_ones_own_words(
    password: str, is_taken: bool
) -> None:
    assert (passwords.problem_with(password, email="mia@agency.example") is None) is is_taken


def test_a_password_of_the_greatest_length_matches_and_a_longer_one_never() -> None:
    longest = "kqzvwxjyhg" * 100
    assert passwords.matches(longest, passwords.hash_password(longest))
    assert not passwords.matches(longest + "x", passwords.hash_password(longest + "x"))


def test_a_password_matches_its_own_hash_only() -> None:
    hashed = passwords.hash_password("correct horse")
    assert passwords.matches("correct horse", hashed)
    assert not passwords.matches("correct hors", hashed)
    assert not passwords.matches("\ud800", hashed)
    assert not passwords.matches("", passwords.nobodys_hash())


def test_a_hash_of_lesser_parameters_is_to_be_renewed() -> None:
    weak = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21l$" + "A" * 43
    assert passwords.needs_rehash("correct horse", weak)
    assert not passwords.needs_rehash("correct horse", passwords.hash_password("correct horse"))


def test_guessing_a_password_or_a_backup_code_costs_what_owasp_asks() -> None:
    """The Password Storage Cheat Sheet: argon2id with m = 19 MiB, t = 2, p = 1 at least."""
    assert passwords.hash_password("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.nobodys_hash().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    ring, salt = KeyRing({"a": NEW}), b"s" * 16
    hashed = hash_secret_raw(b"abcd1234", salt, 2, 19456, 1, 32, Type.ID)
    assert backup_codes.digest(ring, "abcd1234", salt, "a") == ring.authenticate(hashed, backup_codes.PURPOSE, "a")
