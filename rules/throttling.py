"""How many failures of which guess are allowed in how long.

A failure is charged before the guess is looked at and given back when it was right, so parallel guesses buy nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from uuid import UUID

CHALLENGE_ATTEMPTS = 5
CHALLENGE_LIFETIME = timedelta(minutes=5)
MOST_CHALLENGES = 20  # of one person and one place at once; another one takes the oldest's
# Where a challenge is opened but on a device that is known.
STRANGERS, PRODUCTS, PROVIDERS = "stranger", "product", "provider"
LOCK_MAIL_INTERVAL = timedelta(hours=1)
VIEW_INTERVAL = timedelta(hours=1)

DAY = timedelta(hours=24)
LOCK = timedelta(minutes=15)
KNOWN_ADDRESSES = 1_000  # kept as parsed


@dataclass(frozen=True)
class Limits:
    """`lock`: so many failures within the span close the entry for the span; a budget frees up one by one.

    A success clears none of them: whoever knows the password would else have it cleared by the owner's own sign-ins.
    """

    lock: tuple[int, timedelta]
    budgets: tuple[tuple[int, timedelta], ...] = ()


SECOND_FACTOR_KEY = "mfa:"  # the person's id comes behind it
SECOND_FACTOR = Limits(lock=(10, LOCK), budgets=((30, DAY), (100, timedelta(days=30))))
# Of one email's password: by whoever has shown to be the person before, and by anybody else at one address.
PROVEN = Limits(lock=(10, LOCK))
STRANGER = Limits(lock=(10, LOCK))
# Once one of the tallies below is full. Never none: the person themselves may be such a stranger.
WATCHED_STRANGER = Limits(lock=(1, LOCK))


@dataclass(frozen=True)
class Tally:
    """So many failures of strangers within the span, and each of them has one guess at a time instead of ten."""

    most: int
    span: timedelta


EMAIL_TALLY = Tally(100, DAY)
NETWORK_TALLY = Tally(30, LOCK)  # one email's, of an IPv6 /56, as large as a provider gives to one household
ADDRESS_TALLY = Tally(900, LOCK)  # for whatever email: one office may make many, one guesser has to slow down

# Links to set a password. From one address for one email; from one address for all.
RESET = Limits(lock=(5, timedelta(minutes=15)), budgets=((10, timedelta(hours=24)),))
RESET_ADDRESS = Limits(lock=(50, timedelta(minutes=15)))
# For one email over all addresses, so long as those sent before still hold: nobody can be kept from having one.
RESET_EMAIL = Limits(lock=(1000, timedelta(minutes=30)), budgets=((3, timedelta(minutes=30)),))
# Links to enroll after a reset, of one person, so long as those sent before still hold.
ENROLLMENT_LINK = Limits(lock=(1000, timedelta(minutes=30)), budgets=((3, timedelta(minutes=30)),))
# Tokens from one address that belong to no link. One that does is never refused for it.
WRONG_LINK = Limits(lock=(50, LOCK))
# Of one inviter, over all accounts.
INVITATIONS = Limits(lock=(500, timedelta(hours=24)))
# Of one person to one account, taken back in between or not: each is a mail.
INVITATIONS_OF_ONE = Limits(lock=(10, timedelta(hours=24)))

# After so long nothing that was charged counts any more, whatever the limits.
LONGEST_SPAN = timedelta(days=31)


@dataclass(frozen=True)
class Charge:
    """A charged attempt: where, at which instant, how many more failures there may be, and how many were today."""

    keys: tuple[str, ...]
    at: datetime
    remaining: int
    count: int = 0

    @property
    def key(self) -> str:
        """What is closed when none remains."""
        return self.keys[-1]


def is_told(count: int) -> bool:
    """Whether the audit log tells of a day's nth failure: the 1st, 2nd, 4th, 8th and so on, so that none floods it."""
    return count > 0 and count & (count - 1) == 0


def second_factor_key(user_id: UUID) -> str:
    """The throttle of one person's code entry, over all challenges and operations."""
    return f"{SECOND_FACTOR_KEY}{user_id}"


def first_code_key(session_id: UUID) -> str:
    """The throttle of the first codes of new apps in one session that could begin with one without a second factor."""
    return f"{SECOND_FACTOR_KEY}first:{session_id}"


def session_key(user_id: UUID) -> str:
    """The throttle of one person's password as tried in their live sessions."""
    return f"session:{user_id}"


def device_key(user_id: UUID, device: str) -> str:
    """The throttle of one person's password as tried on a device that they have signed in on before."""
    return f"device:{user_id}:{device}"


def password_key(email: str, address: str | None) -> str:
    """The throttle of one email's password as tried from one client address."""
    return f"password:{email[:254]}:{source(address)}"


def network_key(email: str, address: str | None) -> str | None:
    """The tally of one email's password over an IPv6 /56; None in IPv4."""
    network = _network(address, 56)
    return network and f"network:{email[:254]}:{network}"


def email_key(email: str) -> str:
    """The tally of one email's password over all client addresses."""
    return f"email:{email[:254]}"


def address_key(address: str | None) -> str:
    """The tally of one client address over all emails."""
    return f"address:{_household(address)}"


def reset_key(email: str, address: str | None) -> str:
    """The throttle of asking for one email's new password from one client address."""
    return f"reset:{email[:254]}:{source(address)}"


def reset_email_key(email: str) -> str:
    """The throttle of the emails with a new password's link to one address."""
    return f"reset-email:{email[:254]}"


def reset_address_key(address: str | None) -> str:
    """The throttle of one client address's asking for new passwords, whosever."""
    return f"reset-address:{_household(address)}"


def enrollment_link_key(user_id: UUID) -> str:
    """The throttle of the emails with one person's link to enroll."""
    return f"enrollment-link:{user_id}"


def recovery_key(user_id: UUID, address: str | None) -> str:
    """The throttle of asking from one client address to come back as this person without a second factor."""
    return f"recovery:{user_id}:{source(address)}"


def recovery_address_key(address: str | None) -> str:
    """The throttle of one client address's asking for that, as whoever."""
    return f"recovery-address:{_household(address)}"


def recovery_link_key(user_id: UUID) -> str:
    """The throttle of the emails with one person's link to begin it."""
    return f"recovery-link:{user_id}"


def wrong_link_key(address: str | None) -> str:
    """The throttle of one client address's tokens that belong to no link."""
    return f"link:{_household(address)}"


def invitations_key(user_id: UUID) -> str:
    """The throttle of one person's inviting."""
    return f"invitations:{user_id}"


def invited_key(account_id: UUID, user_id: UUID) -> str:
    """The throttle of one person's invitations to one account."""
    return f"invited:{account_id}:{user_id}"


def lock_mail_key(user_id: UUID, kind: str) -> str:
    """When the person was last told of a lock of this kind by email."""
    return f"mailed:{kind}:{user_id}"


def view_key(user_id: UUID, account_id: UUID) -> str:
    """When the account was last told that this platform operator looks at it."""
    return f"viewed:{user_id}:{account_id}"


def source(address: str | None) -> str:
    """The address, or its /64 in IPv6, all of which one client can call from."""
    parsed = _parsed(address or "")
    if parsed is None:
        return (address or "")[:64]
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def _household(address: str | None) -> str:
    """The address, or its /56 in IPv6: what a provider gives to one customer."""
    return _network(address, 56) or source(address)


def _network(address: str | None, prefix: int) -> str | None:
    parsed = _parsed(address or "")
    if parsed is None or isinstance(parsed, IPv4Address) or parsed.ipv4_mapped:
        return None
    return str(IPv6Network((int(parsed), prefix), strict=False))


@lru_cache(maxsize=KNOWN_ADDRESSES)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """What the text says; a sign-in asks for it seven times."""
    try:
        return ip_address(address)
    except ValueError:
        return None
