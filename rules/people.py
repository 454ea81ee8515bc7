"""What is known of a signed-in person: plain facts as the database gives them, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from rules.policy import Policy

FRESHNESS = timedelta(hours=2)
SESSION_LIFETIME = timedelta(days=30)
SESSION_IDLE = timedelta(days=7)


class Role(StrEnum):
    """An account role. Whoever has one is staff."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


MANAGERS = frozenset({Role.OWNER, Role.ADMIN})


@dataclass(frozen=True)
class Account:
    """An account and its policy."""

    id: UUID
    name: str
    policy: Policy


@dataclass(frozen=True)
class Membership:
    """A role in an account, when MFA is asked of it there (None: never), and whether an exemption holds until then."""

    staff_id: UUID
    role: Role
    account: Account
    deadline: datetime | None
    is_exempt: bool = False

    def is_blocking(self, now: datetime) -> bool:
        """Whether whoever is not enrolled is stopped: from the deadline's instant on."""
        return self.deadline is not None and now >= self.deadline


@dataclass(frozen=True)
class Person:
    """Someone signed in, as of `now`, the database's clock when the row was read."""

    now: datetime
    session_id: UUID
    password_at: datetime
    amr: tuple[str, ...]
    expires_at: datetime
    id: UUID
    email: str
    is_super_admin: bool
    mfa_enabled_at: datetime | None
    backup_codes_remaining: int
    reenrollment_required_at: datetime | None
    memberships: tuple[Membership, ...]

    @property
    def mfa_enabled(self) -> bool:
        """Whether the person has a factor."""
        return self.mfa_enabled_at is not None

    @property
    def may_enroll(self) -> bool:
        """Portal users are never enrolled; super-admins may be."""
        return bool(self.memberships) or self.is_super_admin

    @property
    def fresh_until(self) -> datetime:
        """Until when the last password entry allows changes to MFA and policies."""
        return self.password_at + FRESHNESS

    @property
    def is_fresh(self) -> bool:
        """Whether the password was shown within the last two hours."""
        return self.now < self.fresh_until

    def membership_of(self, account_id: UUID) -> Membership | None:
        """The person's membership in the account, if any."""
        return next((m for m in self.memberships if m.account.id == account_id), None)

    def is_blocked_at(self, account: Account) -> bool:
        """Whether the gate is closed: reset and not enrolled again, or not enrolled past this account's deadline."""
        if self.mfa_enabled:
            return False
        if self.reenrollment_required_at is not None:
            return True
        membership = self.membership_of(account.id)
        return membership is not None and membership.is_blocking(self.now)
