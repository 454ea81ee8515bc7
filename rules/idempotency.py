"""Idempotency keys: the same key, caller and input get the same answer for ten minutes, whatever was lost."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rules.failures import BadUserInput

LIFETIME = timedelta(minutes=10)
# Longer than a request may take. Behind it whoever asks again takes over from a process that has died.
LEASE = timedelta(seconds=20)
# While another request with the key is under way, this one looks again after so long, and gives up at the end.
LOOKS_AGAIN_AFTER_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
MOST_OF_A_PERSON = 1_000
MOST_OF_AN_ADDRESS = 5_000
MOST_OF_A_SERVICE = 20_000
# So often is told that a key came with other input: then it is worth nothing, and no oracle for what the input was.
MOST_OTHER_INPUTS = 5
MOST_BYTES = 256 * 1024
LONGEST_KEY = 255
KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
WRONG_KEY = f"An idempotencyKey has 1 to {LONGEST_KEY} visible ASCII characters, as a UUID has."
# What the answer is sealed for, and what the input's digest is made for.
ANSWER_PURPOSE, INPUT_PURPOSE = "idempotent answer", "idempotent input"


def checked(key: str) -> str:
    """The key. Raises BadUserInput."""
    if not KEY.fullmatch(key):
        raise BadUserInput(WRONG_KEY)
    return key


def place(kind: str, *who: str, key: str) -> bytes:
    """Where the answer to this caller under this key is kept: 32 bytes."""
    return hashlib.sha256(json.dumps([kind, *who, key]).encode()).digest()


def canonical(mutation: str, arguments: Mapping[str, Any], place: bytes) -> bytes:
    """Mutation and input as one text, the same for the same input at the same place."""
    given = json.dumps([mutation, arguments], sort_keys=True, default=str, ensure_ascii=False)
    return place + given.encode("utf-8", "surrogatepass")
