"""What is known of a signed-in person: plain facts as the database gives them, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID

import rules.check_up
import rules.facts
from rules.account_recovery import Recovery
from rules.check_up import CheckUp
from rules.policy import Policy


class Role(StrEnum):
    """An account role. Whoever has one is staff."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


MANAGERS = frozenset({Role.OWNER, Role.ADMIN})
MOST_SESSIONS = 100

NEVER_ENROLLED = "Only people with an account role set up MFA."
ENROLLMENT_STOPPED = (
    "Setting up MFA is stopped, since you said that its reset was not your wish. Ask an owner of your agency to reset "
    "it again, once your password is safe."
)
LINK_NEEDED = (
    "Your agency confirms this by email. Open the link in the email that you got when you signed in, then set up MFA. "
    "It works once, for 30 minutes; signing in again sends another."
)


@dataclass(frozen=True)
class TimeLimits:
    """How long a session lasts, how long unused, and how long a proof of being the person counts."""

    session_lifetime: timedelta
    session_idle: timedelta
    proof: timedelta


@rules.facts.fact
class Account:
    """An account and its policy."""

    id: UUID
    name: str
    policy: Policy


@rules.facts.fact
class Membership:
    """A role in an account, when MFA is asked of it there, and whether an exemption holds until then.

    No deadline: it is never asked, or this session's provider has asked for it, whose word the account takes.
    """

    staff_id: UUID
    role: Role
    account: Account
    deadline: datetime | None
    is_exempt: bool = False

    def is_blocking(self, now: datetime) -> bool:
        """Whether whoever is not enrolled is stopped: from the deadline's instant on."""
        return self.deadline is not None and now >= self.deadline


@rules.facts.fact
class Person:
    """Someone signed in, as of `now`, the database's clock when the row was read."""

    now: datetime
    session_id: UUID
    password_at: datetime
    amr: tuple[str, ...]
    expires_at: datetime
    second_factor_at: datetime | None
    proof_lifetime: timedelta
    id: UUID
    email: str
    is_super_admin: bool
    mfa_enabled_at: datetime | None
    backup_codes_remaining: int
    reenrollment_required_at: datetime | None
    enrollment_stopped_at: datetime | None
    enrollment_confirmed_at: datetime | None
    memberships: tuple[Membership, ...]
    # The time step of the code that their app has shown last.
    last_step: int = 0
    # Somebody asked to come back as them without it.
    recovery: Recovery | None = None

    @property
    def mfa_enabled(self) -> bool:
        """Whether the person has a factor."""
        return self.mfa_enabled_at is not None

    @property
    def check_up(self) -> CheckUp | None:
        """The yearly check-up, if it is due."""
        return rules.check_up.due(self.mfa_enabled_at, self.last_step, self.now)

    @property
    def may_enroll(self) -> bool:
        """Portal users are never enrolled; super-admins may be."""
        return bool(self.memberships) or self.is_super_admin

    @property
    def needs_enrollment_link(self) -> bool:
        """Whether this session has still to show the link of an email before it enrolls, after a reset."""
        return (
            self.reenrollment_required_at is not None
            and self.enrollment_confirmed_at is None
            and any(membership.account.policy.confirm_reset_by_email for membership in self.memberships)
        )

    @property
    def why_not_enroll(self) -> str | None:
        """What keeps the person from enrolling, in a sentence; None when nothing does."""
        if not self.may_enroll:
            return NEVER_ENROLLED
        if self.enrollment_stopped_at is not None:
            return ENROLLMENT_STOPPED
        return LINK_NEEDED if self.needs_enrollment_link else None

    @property
    def fresh_until(self) -> datetime:
        """Until when the last proof allows changes: of the second factor where there is one, of the password else."""
        proved_at = self.second_factor_at if self.mfa_enabled else self.password_at
        return proved_at + self.proof_lifetime if proved_at else self.now

    @property
    def is_fresh(self) -> bool:
        """Whether the person has shown lately that they are the one, with the second factor where there is one."""
        return self.now < self.fresh_until

    @property
    def is_fresh_beside_code(self) -> bool:
        """The same for a change that brings a code of the second factor itself."""
        return self.is_fresh or self.now < self.password_at + self.proof_lifetime

    def with_roles(self, roles: Mapping[UUID, Role]) -> Person:
        """The person as they stand in these roles, of the accounts that they had one in."""
        held = [each for each in self.memberships if each.account.id in roles]
        return replace(self, memberships=tuple(replace(each, role=roles[each.account.id]) for each in held))

    def membership_of(self, account_id: UUID) -> Membership | None:
        """The person's membership in the account, if any."""
        return self._by_account.get(account_id)

    @cached_property
    def _by_account(self) -> dict[UUID, Membership]:
        return {membership.account.id: membership for membership in self.memberships}

    def manages(self, account_id: UUID) -> bool:
        """Whether the person is an owner or admin of the account."""
        return account_id in self.managed

    def owns(self, account_id: UUID) -> bool:
        """Whether the person is an owner of the account."""
        return account_id in self.owned

    # Kept, since a page of the roster asks for them with each of its members.
    @cached_property
    def managed(self) -> frozenset[UUID]:
        """The accounts of which the person is an owner or admin."""
        return frozenset(each.account.id for each in self.memberships if each.role in MANAGERS)

    @cached_property
    def owned(self) -> frozenset[UUID]:
        """The accounts of which the person is an owner."""
        return frozenset(each.account.id for each in self.memberships if each.role is Role.OWNER)

    def may_reset(
        self,
        role: Role,
        account_id: UUID,
        elsewhere: list[UUID],
        owned_elsewhere: list[UUID],
        *,
        is_stopped: bool = False,
    ) -> str | None:
        """None, or why the person may not reset somebody with this role here, and roles and ownerships elsewhere.

        Whoever `is_stopped` has disputed the reset before.
        """
        if is_stopped and account_id not in self.owned:
            return "This person said that the last reset was not their wish. Only an owner can reset their MFA again."
        if self.mfa_enabled_at is None:
            return "Set up MFA for your own sign-in first. Then you can reset it for others."
        if role is Role.OWNER and account_id not in self.owned:
            return "Only an owner can reset an owner's MFA. Ask another owner of the account."
        if (elsewhere or owned_elsewhere) and not self._reaches(elsewhere, owned_elsewhere):
            return "This person has a role in an account that you do not manage. Ask the operator of the platform."
        return None

    def may_end_sessions(
        self, role: Role, account_id: UUID, elsewhere: list[UUID], owned_elsewhere: list[UUID]
    ) -> str | None:
        """None, or why the person may not sign out somebody with this role here, and roles and ownerships elsewhere."""
        if role is Role.OWNER and not self.owns(account_id):
            return "Only an owner can end an owner's sessions. Ask another owner of the account."
        if (elsewhere or owned_elsewhere) and not self._reaches(elsewhere, owned_elsewhere):
            return "This person has a role in an account that you do not manage. Ask the operator of the platform."
        return None

    def _reaches(self, elsewhere: list[UUID], owned_elsewhere: list[UUID]) -> bool:
        """Whether all accounts in which somebody has a role, or is an owner, are as much the person's own."""
        return self.managed.issuperset(elsewhere) and self.owned.issuperset(owned_elsewhere)

    def is_blocked_at(self, account: Account) -> bool:
        """Whether the gate is closed: reset and not enrolled again, or not enrolled past this account's deadline."""
        if self.mfa_enabled:
            return False
        if self.reenrollment_required_at is not None:
            return True
        membership = self.membership_of(account.id)
        return membership is not None and membership.is_blocking(self.now)
