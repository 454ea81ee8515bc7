"""How many failures of which guess are allowed in how long.

A failure is charged before the guess is looked at and given back when it was right, so parallel guesses buy nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address
from uuid import UUID

CHALLENGE_ATTEMPTS = 5
CHALLENGE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Limits:
    """`lock`: so many failures within the span close the entry for the span; a budget frees up one by one.

    A success clears none of them: whoever knows the password would else have it cleared by the owner's own sign-ins.
    """

    lock: tuple[int, timedelta]
    budgets: tuple[tuple[int, timedelta], ...] = ()


SECOND_FACTOR = Limits(
    lock=(10, timedelta(minutes=15)),
    budgets=((30, timedelta(hours=24)), (100, timedelta(days=30))),
)
PASSWORD = Limits(lock=(10, timedelta(minutes=15)), budgets=((50, timedelta(hours=24)),))
# Over all addresses: high enough that a stranger cannot cheaply keep the person out.
EMAIL = Limits(lock=(100, timedelta(minutes=15)))
# One office behind one address, many people: enough for them, too few to try one password on everyone.
ADDRESS = Limits(lock=(1000, timedelta(minutes=15)))

# Links to set a password. From one address for one email; from one address for all.
RESET = Limits(lock=(5, timedelta(minutes=15)), budgets=((10, timedelta(hours=24)),))
RESET_ADDRESS = Limits(lock=(50, timedelta(minutes=15)))
# For one email over all addresses, so long as those sent before still hold: nobody can be kept from having one.
RESET_EMAIL = Limits(lock=(1000, timedelta(minutes=30)), budgets=((3, timedelta(minutes=30)),))
# Of one inviter, over all accounts.
INVITATIONS = Limits(lock=(500, timedelta(hours=24)))

# After so long nothing that was charged counts any more, whatever the limits.
LONGEST_SPAN = timedelta(days=31)


@dataclass(frozen=True)
class Charge:
    """A charged attempt: where, at which instant, and how many more failures there may be."""

    key: str
    at: datetime
    remaining: int


def second_factor_key(user_id: UUID) -> str:
    """The throttle of one person's code entry, over all challenges and operations."""
    return f"mfa:{user_id}"


def password_key(email: str, address: str | None) -> str:
    """The throttle of one email's password as tried from one client address."""
    return f"password:{email[:254]}:{_source(address)}"


def email_key(email: str) -> str:
    """The throttle of one email's password over all client addresses."""
    return f"email:{email[:254]}"


def address_key(address: str | None) -> str:
    """The throttle of one client address over all emails."""
    return f"address:{_source(address)}"


def reset_key(email: str, address: str | None) -> str:
    """The throttle of asking for one email's new password from one client address."""
    return f"reset:{email[:254]}:{_source(address)}"


def reset_email_key(email: str) -> str:
    """The throttle of the emails with a new password's link to one address."""
    return f"reset-email:{email[:254]}"


def reset_address_key(address: str | None) -> str:
    """The throttle of one client address's asking for new passwords, whosever."""
    return f"reset-address:{_source(address)}"


def invitations_key(user_id: UUID) -> str:
    """The throttle of one person's inviting."""
    return f"invitations:{user_id}"


def _source(address: str | None) -> str:
    """The address, or its /64 in IPv6, all of which one client can call from."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return (address or "")[:64]
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
