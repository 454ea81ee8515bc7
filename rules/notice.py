"""The "MFA Required" banner: the most urgent one over all of a person's accounts."""

from __future__ import annotations

from datetime import datetime

import rules.facts
import rules.policy
from rules.people import Account, Person

TITLE = "MFA Required"
ACTION_LABEL = "Set it up now"
LEAD = "Your agency requires MFA for all staff."
BLOCKING_LINE = "Set it up now to continue accessing your account."
RESET_MESSAGE = f"An admin reset your MFA. {BLOCKING_LINE}"


@rules.facts.fact
class Notice:
    """One banner; `account` is None after an admin reset."""

    account: Account | None
    message: str
    deadline: datetime
    days_remaining: int

    @property
    def blocking(self) -> bool:
        """Whether the person is stopped until enrolled."""
        return self.days_remaining == 0


def for_person(person: Person) -> Notice | None:
    """The most urgent notice; None when nothing is asked of the person."""
    if person.mfa_enabled or not person.may_enroll:
        return None
    if person.reenrollment_required_at is not None:
        return Notice(None, RESET_MESSAGE, person.reenrollment_required_at, 0)
    asking = [
        (membership.deadline, membership.account)
        for membership in person.memberships
        if membership.deadline is not None and not membership.is_exempt
    ]
    if not asking:
        return None
    deadline, account = min(asking, key=lambda pair: (pair[0], pair[1].id))
    # A request may have begun a moment before the policy that it then reads.
    days = rules.policy.days_remaining(deadline, max(person.now, account.policy.required_since or person.now))
    return Notice(account, _message(days), deadline, days)


def _message(days: int) -> str:
    if days == 0:
        return f"{LEAD} {BLOCKING_LINE}"
    return f"{LEAD} You have {days} {'day' if days == 1 else 'days'} to set it up."
