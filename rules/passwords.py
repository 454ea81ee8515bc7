"""Passwords: argon2id, and what a new one must be, as NIST SP 800-63B-4 §3.1.1.2 has it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

import rules.foreign_hashes
import rules.typed
from rules.foreign_hashes import UnknownHashError
from rules.slow_hash import HASH_COST, HashCost

MIN_LENGTH = 8
MIN_LENGTH_ALONE = 15  # where nothing but the password stands before the person's sign-in
MAX_LENGTH = 1000
PRODUCT = "Gatehouse"
SHORTEST_WORD = 3
OURS = "$argon2id$"
MOST_MEMORY_KIB = 256 * 1024
MOST_PASSES = 32


def problem_with(password: str, *, email: str, products: Iterable[str] = (), is_alone: bool = True) -> str | None:
    """Say in one sentence why `password` cannot be taken; None when it can.

    `products` are the names that the product goes by; `is_alone` says that no second factor is asked of the person.
    """
    password = rules.typed.password(password)
    least = MIN_LENGTH_ALONE if is_alone else MIN_LENGTH
    if len(password) < least:
        return f"The password must have at least {least} characters."
    if len(password) > MAX_LENGTH:
        return f"The password must have at most {MAX_LENGTH:,} characters."
    folded = password.casefold()
    if _is_common(folded):
        return "This password is among the most common ones, which are guessed first. Choose another."
    rest = _without(folded, _words(email, products))
    if rest != folded and (len(rest) < MIN_LENGTH or _is_common(rest)):
        return "This password is made of your email or of the product's name. Choose another."
    return None


def hash_password(password: str, cost: HashCost = HASH_COST) -> str:
    """Hash with a new salt. Slow: keep it off the event loop."""
    return _hasher(cost).hash(rules.typed.password(password))


def nobodys_hash(cost: HashCost = HASH_COST) -> str:
    """The hash of no password: what an unknown email is checked against, so that it costs the same time."""
    return _hasher(cost).hash("\0nobody")


def matches(password: str, password_hash: str) -> bool:
    """Whether `password` is the one hashed. Slow: keep it off the event loop."""
    if len(password) > MAX_LENGTH:
        password = ""
    # Older hashes were made of the text as it came.
    return any(_matches(form, password_hash) for form in dict.fromkeys((rules.typed.password(password), password)))


def needs_rehash(password: str, password_hash: str, cost: HashCost = HASH_COST) -> bool:
    """Whether the hash of this right password may have been made otherwise than today: parameters, or form of text."""
    is_ours = password_hash.startswith(OURS)
    return not is_ours or _hasher(cost).check_needs_rehash(password_hash) or rules.typed.password(password) != password


def from_elsewhere(password_hash: str) -> str:
    """A hash that another product made, as we keep it until its owner signs in. Raises UnknownHashError."""
    # Django writes its own name of the algorithm before the whole hash.
    text = password_hash.removeprefix("argon2") if password_hash.startswith("argon2$") else password_hash
    if not text.startswith(OURS):
        rules.foreign_hashes.checker(text)
        return text
    try:
        parameters = extract_parameters(text)
    except InvalidHashError:
        raise UnknownHashError("it is not whole") from None
    if parameters.memory_cost > MOST_MEMORY_KIB or parameters.time_cost * parameters.parallelism > MOST_PASSES:
        raise UnknownHashError("its cost is out of bounds")
    return text


@cache
def _hasher(cost: HashCost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1)


def _matches(password: str, password_hash: str) -> bool:
    try:
        if not password_hash.startswith(OURS):
            return rules.foreign_hashes.checker(password_hash)(password.encode())
        return _hasher(HASH_COST).verify(from_elsewhere(password_hash), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError, UnknownHashError):
        return False


def _is_common(folded: str) -> bool:
    """Whether it is on the list, also when repeated, or up to three characters repeated, or one run up or down."""
    unit = _unit(folded)
    return _is_run(folded) or folded in _common() or len(unit) <= SHORTEST_WORD or unit in _common()


def _is_run(folded: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    if folded.isdecimal():
        steps = {-1 if step == 9 else 1 if step == -9 else step for step in steps}  # 0 stands beside 9
    return steps in ({1}, {-1})


def _unit(text: str) -> str:
    """The shortest text that `text` is a repetition of."""
    return text[: (text + text).find(text, 1)]


@cache
def _common() -> frozenset[str]:
    # Half a megabyte of Python that only whoever sets a password needs.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _words(email: str, products: Iterable[str]) -> list[str]:
    names = [email, *re.split(r"[@.+_-]", email), *products, PRODUCT]
    words = {word.casefold() for name in names for word in (name, name.replace(" ", "")) if len(word) >= SHORTEST_WORD}
    return sorted(words, key=lambda word: (-len(word), word))


def _without(text: str, words: list[str]) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
