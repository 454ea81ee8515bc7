"""Signing in at an OpenID provider: what binds the answer to the browser that asked, and what can go wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import rules.addresses
from rules.sealed import KeyMissingError, Sealed

if TYPE_CHECKING:
    from rules.sealing import KeyRing

PURPOSE = "oidc"
LIFETIME = timedelta(minutes=10)
# By so much a provider's clock may be ahead.
SKEW = timedelta(minutes=1)
NOBODY = UUID(int=0)
SECRET_BYTES = 32
RANDOM_BYTES = 3 * SECRET_BYTES
LONGEST_COOKIE = 4000
# Of the path to go on to as it is kept: sealed beside all else it stays within what browsers keep, name and attributes
# of the cookie included.
MOST_BYTES_WANTED = 2400
NAMED_BY = 16  # digits of the state's digest
EXCHANGE_S = 10.0
MFA = "mfa"
# What a session's `amr` says of whoever has come by a provider.
AMR = "oidc"


@dataclass(frozen=True)
class ProviderConfig:
    """A provider as the settings name it."""

    name: str
    issuer: str
    client_id: str
    client_secret: str

    @property
    def title(self) -> str:
        """What it is called on a button."""
        return self.name.replace("_", " ").title()


@dataclass(frozen=True)
class Returned:
    """What the browser brings back."""

    code: str | None
    state: str
    iss: str | None
    error: str | None


@dataclass(frozen=True)
class Pending:
    """A sign-in that has been begun at a provider; kept sealed in the browser alone."""

    provider: str
    state: str
    nonce: str
    verifier: str
    wanted: str
    begun_at: float
    # Whether they are to show there anew who they are, whatever session they have.
    is_fresh: bool = False


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    email: str | None
    is_verified: bool
    amr: tuple[str, ...]
    # When they have shown it last who they are; None where it does not tell.
    auth_time: float | None = None

    @property
    def verified_email(self) -> str | None:
        """The address, as it is kept here, where the provider has seen to it that it is theirs."""
        return rules.addresses.normalized(self.email) if self.email is not None and self.is_verified else None

    @property
    def has_second_factor(self) -> bool:
        """Whether the provider says that it has asked for more than one factor (RFC 8176)."""
        return MFA in self.amr


@dataclass(frozen=True)
class Vouched:
    """What a provider has said of somebody beside who they are.

    `mfa_by` names it when it has asked for a second factor itself; `shown_at` is when they last showed it who they are.
    """

    mfa_by: str | None
    shown_at: datetime


class SignInProblem(Exception):
    """Signing in at the provider comes to nothing; `code` says why to the page, the message to the log.

    `wanted` is where whoever has begun it wanted to go, where that is known.
    """

    def __init__(self, code: str, detail: str = "", wanted: str | None = None) -> None:
        super().__init__(detail or code)
        self.code = code
        self.wanted = wanted


FAILED, UNVERIFIED, UNKNOWN, TAKEN, REFUSED = "failed", "unverified", "unknown", "taken", "refused"
REMOVED, UNPROVED = "removed", "unproved"
SENTENCES = {
    FAILED: "Signing in at {provider} did not work. Try again.",
    UNVERIFIED: "{provider} has not verified your email address. Verify it there, or sign in with your password.",
    UNKNOWN: "Nobody here has the email address that you use at {provider}. Ask an owner of your agency to invite you.",
    TAKEN: "Somebody else has signed in here with this email address at {provider}. Sign in with your password.",
    REFUSED: "You cannot sign in here by {provider}. Ask an owner of your agency.",
    REMOVED: "Signing in by {provider} was removed from your sign-in here. Sign in otherwise and allow it again on "
    "your security page, or ask an owner of your agency.",
    UNPROVED: "{provider} does not tell that you have just signed in there. Confirm with your password here. If you "
    "have none, choose “Forgot password?” to set one.",
}


def title_of(known: Iterable[ProviderConfig], issuer: str) -> str:
    """What people call the issuer: as on its button, or by its address where it has none any more."""
    return next((each.title for each in known if each.issuer == issuer), issuer)


def begin(provider: str, wanted: str, now: datetime, randomness: bytes, *, is_fresh: bool = False) -> Pending:
    """A sign-in with secrets of its own, by 96 fresh random bytes."""
    parts = [randomness[n * SECRET_BYTES : (n + 1) * SECRET_BYTES] for n in range(3)]
    state, nonce, verifier = (urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return Pending(provider, state, nonce, verifier, wanted, now.timestamp(), is_fresh)


def sealed(ring: KeyRing, pending: Pending, nonce: bytes) -> str:
    """What the cookie holds of it, which `opened` reads."""
    # The version before knows no other parts.
    parts = {name: value for name, value in asdict(pending).items() if name != "is_fresh" or value}
    data = ring.seal(_written(parts), PURPOSE, NOBODY, nonce)
    return urlsafe_b64encode(data.data).decode().rstrip("=")


def is_kept(wanted: str) -> bool:
    """Whether the cookie has room for this path."""
    return len(_written(wanted)) <= MOST_BYTES_WANTED


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def kept_as(name: str, state: str) -> str:
    """What the cookie of this state is called, so that each tab of a browser has its own."""
    return f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:NAMED_BY]}"


def crowded_out(name: str, cookies: Mapping[str, str], newest: str) -> list[str]:
    """The names of those begun before that have no room beside the newest, since servers bound what a browser sends.

    All of them together take what one may. Browsers name their oldest first.
    """
    room, gone = LONGEST_COOKIE - len(newest), []
    is_ours = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{NAMED_BY}}}").fullmatch
    for kept, value in reversed(list(cookies.items())):
        if is_ours(kept):
            room -= len(value)
            if room < 0:
                gone.append(kept)
    return gone


def opened(ring: KeyRing, cookie: str | None, provider: str, state: str, now: datetime) -> Pending:
    """What this browser has begun at this provider under this state. Raises SignInProblem."""
    for key_id in ring.keys if cookie and len(cookie) <= LONGEST_COOKIE else ():
        try:
            data = urlsafe_b64decode(f"{cookie}{'=' * (-len(cookie or '') % 4)}")
            pending = Pending(**json.loads(ring.open(Sealed(data, key_id), PURPOSE, NOBODY)))
        except (ValueError, TypeError, KeyMissingError):  # or it was kept by a version that knows other parts
            continue
        is_ours = hmac.compare_digest(pending.state.encode(), state.encode()) and pending.provider == provider
        if is_ours and now.timestamp() < pending.begun_at + LIFETIME.total_seconds():
            return pending
    raise SignInProblem(FAILED, "this browser has begun no such sign-in, or too long ago")


def vouched(provider: ProviderConfig, identity: Identity, pending: Pending, now: datetime, proof: timedelta) -> Vouched:
    """What the provider has said of them, of whom a proof counts for so long. Raises SignInProblem.

    To come back by a session there shows nothing: whoever sits down at an unlocked computer does it by two presses. So
    the proof is as old as the provider says, and has just run out where it says what cannot be. One that says nothing
    is believed to have asked: most tell nothing by default, and whoever has no password would never set up MFA.
    """
    told = identity.auth_time
    if told is None:
        shown_at = now
    elif 0 <= told <= (now + SKEW).timestamp():
        shown_at = min(datetime.fromtimestamp(told, UTC), now)
    else:
        shown_at = now - proof
    if pending.is_fresh and shown_at + proof <= now:
        raise SignInProblem(UNPROVED)
    return Vouched(provider.name if identity.has_second_factor else None, shown_at)


def sentence(code: str, provider: str) -> str | None:
    """What the page says."""
    told = SENTENCES.get(code)
    return told and told.format(provider=provider)
