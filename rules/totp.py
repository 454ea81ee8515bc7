"""TOTP as RFC 6238: SHA-1, 6 digits, 30 seconds, one step of tolerance either way."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from urllib.parse import quote

import pyotp
from pyotp.utils import strings_equal

import rules.typed

TOTP_PURPOSE = "totp secret"  # what a secret is sealed for
DIGITS = 6
STEP_S = 30
TOLERANCE_STEPS = 1
SECRET_BYTES = 20
SKEW_SEARCH_STEPS = 10  # 5 minutes
ENROLLMENT_LIFETIME = timedelta(minutes=15)


def step_at(now: datetime) -> int:
    """The RFC 6238 time step that `now` lies in."""
    return int(now.timestamp()) // STEP_S


def normalize(code: str) -> str | None:
    """The six digits of a typed code; None when it cannot be one."""
    digits = rules.typed.code(code)
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def matching_step(secret: bytes, code: str, now: datetime, last_step: int | None = None) -> int | None:
    """The step within tolerance whose code this is, later than `last_step`; None when there is none.

    Every candidate is computed and compared, so that the time taken tells nothing.
    """
    return _first_match(secret, code, now, range(-TOLERANCE_STEPS, TOLERANCE_STEPS + 1), last_step)


def is_past(secret: bytes, code: str, now: datetime, last_step: int) -> bool:
    """Whether the code was right up to 5 minutes ago: its step is spent, or too old to be taken.

    Of one that will be right later it says nothing: a guesser would learn what to try then.
    """
    step = _first_match(secret, code, now, range(-SKEW_SEARCH_STEPS, TOLERANCE_STEPS + 1), None)
    return step is not None and step <= max(last_step, step_at(now) - TOLERANCE_STEPS - 1)


def clock_skew_s(secret: bytes, code: str, now: datetime) -> int | None:
    """How many seconds the authenticator is ahead (negative: behind) when its code is right elsewhere within 5 min."""
    nearest_first = sorted(range(-SKEW_SEARCH_STEPS, SKEW_SEARCH_STEPS + 1), key=abs)
    step = _first_match(secret, code, now, nearest_first, None)
    return None if step is None else (step - step_at(now)) * STEP_S


def as_base32(secret: bytes) -> str:
    """The secret as an authenticator app takes it, without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def manual_entry_key(secret: bytes) -> str:
    """Base32 in groups of four for typing."""
    text = as_base32(secret)
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def provisioning_uri(secret: bytes, email: str, issuer: str) -> str:
    """The otpauth:// URI of the key-uri format, every parameter spelled out."""
    # Every mark escaped: what pyotp leaves, as a slash, would end the label where an app takes it for a path.
    label, named = f"{quote(issuer, safe='')}:{quote(email, safe='')}", quote(issuer, safe="")
    parameters = f"secret={as_base32(secret)}&issuer={named}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    return f"otpauth://totp/{label}?{parameters}"


def _first_match(
    secret: bytes, code: str, now: datetime, offsets: range | list[int], last_step: int | None
) -> int | None:
    digits = normalize(code)
    if digits is None:
        return None
    otp = pyotp.HOTP(as_base32(secret), digits=DIGITS)
    current = step_at(now)
    matches = [
        step
        for step in (current + offset for offset in offsets)
        if strings_equal(otp.at(step), digits) and (last_step is None or step > last_step)
    ]
    return matches[0] if matches else None
