"""The account's policy: the deadline, the days remaining, and what saving would change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import rules.facts
from rules.failures import ChangedMeanwhile, InvalidInput
from rules.resets import ResetApproval

DAY = timedelta(hours=24)
DEFAULT_GRACE_DAYS = 7
MAX_GRACE_DAYS = 30


class RequiredOf(StrEnum):
    """Of whom MFA is required."""

    EVERYONE = "EVERYONE"
    OWNERS_AND_ADMINS = "OWNERS_AND_ADMINS"


@dataclass(frozen=True)
class Wanted:
    """A policy to be saved; `grace_days` is None for none, and what else is None stays as it is."""

    grace_days: int | None
    joiner_days: int | None = None
    required_of: RequiredOf | None = None


@rules.facts.fact
class Policy:
    """The requirement as it stands; `required_since`, `grace_days` and `deadline` are None while it is off.

    `joiner_days` is what somebody who joins later gets at least.
    """

    required_since: datetime | None
    grace_days: int | None
    deadline: datetime | None
    updated_at: datetime
    joiner_days: int = 0
    required_of: RequiredOf = RequiredOf.EVERYONE
    # Whether whoever was reset enrolls only by a link out of an email, too.
    confirm_reset_by_email: bool = False
    # Whose resets a second owner or admin must approve.
    reset_approval: ResetApproval = ResetApproval.NOBODY

    @property
    def is_on(self) -> bool:
        """Whether MFA is required of the account's staff."""
        return self.required_since is not None


def days_remaining(deadline: datetime, now: datetime) -> int:
    """Days of 24 hours left, rounded up; 0 exactly from the deadline on."""
    return max(0, math.ceil((deadline - now) / DAY))


def wanted_grace_days(require_mfa: bool, grace_period_days: int | None, held: int | None) -> int | None:
    """The grace days that the input asks for; None when the requirement is to be off. Raises InvalidInput.

    Without days those that hold are kept, and a requirement that is turned on begins with 7.
    """
    if not require_mfa:
        if grace_period_days is not None:
            raise InvalidInput("gracePeriodDays", "A grace period can only be given while the requirement is on.")
        return None
    kept = DEFAULT_GRACE_DAYS if held is None else held
    days = kept if grace_period_days is None else grace_period_days
    if not 0 <= days <= MAX_GRACE_DAYS:
        raise InvalidInput("gracePeriodDays", f"The grace period must be 0 to {MAX_GRACE_DAYS} days.")
    return days


def check_joiner_days(joiner_days: int | None) -> None:
    """Raises InvalidInput unless it is 0 to 30 days, or not given."""
    if joiner_days is not None and not 0 <= joiner_days <= MAX_GRACE_DAYS:
        raise InvalidInput("joinerDays", f"The days of those who join later must be 0 to {MAX_GRACE_DAYS}.")


def check_seen(policy: Policy, seen: datetime | None) -> None:
    """Raises ChangedMeanwhile if the policy that the caller has seen is another one; None: whatever holds."""
    if seen is not None and _as_told(seen) != _as_told(policy.updated_at):
        raise ChangedMeanwhile


def _as_told(instant: datetime) -> datetime:
    """Clients are told milliseconds, and no two policies of an account are of the same one."""
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)


def is_change(policy: Policy, wanted: Wanted) -> bool:
    """Whether saving it would change what is required of whom."""
    return (
        wanted.grace_days != policy.grace_days
        or wanted.joiner_days not in {None, policy.joiner_days}
        or wanted.required_of not in {None, policy.required_of}
    )


def asks_sooner(before: Policy, after: Policy) -> bool:
    """Whether a requirement that was changed may ask it of somebody sooner than before, or of more people."""
    if before.deadline is None or after.deadline is None:
        return False
    return (
        after.deadline < before.deadline
        or after.joiner_days < before.joiner_days
        or (before.required_of, after.required_of) == (RequiredOf.OWNERS_AND_ADMINS, RequiredOf.EVERYONE)
    )
