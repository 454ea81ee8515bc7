"""Resets of MFA that wait for a second owner or admin: for whom, how long, and who decides of them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

REQUEST_LIFETIME = timedelta(hours=24)
PENDING = "Another owner or admin must approve this reset within 24 hours. The person and the owners are told by email."
NOT_ONES_OWN = "You asked for this reset yourself. Another owner or admin decides of it."
NOT_ABOUT_ONESELF = "This reset is yours. Another owner or admin decides of it."
NOT_TOLD_YET = "The emails about this reset have not left yet. Try again in a moment."
GOES_ROUND_APPROVAL = (
    "Resets of this person need a second owner or admin, and a recovery pass would go round them. Ask for a reset."
)
OWNERS_CHOOSE = "Only an owner of the account may choose whose resets need a second owner or admin."


class ResetApproval(StrEnum):
    """Whose resets a second owner or admin must approve."""

    NOBODY = "NOBODY"
    OWNERS_AND_ADMINS = "OWNERS_AND_ADMINS"
    EVERYONE = "EVERYONE"


def never_approved(approval: ResetApproval, owners: int, admins: int, members: int) -> int:
    """Of how many no reset could ever be approved: it takes one who asks and one who approves, beside the person.

    For an owner both are owners.
    """
    if approval is ResetApproval.NOBODY:
        return 0
    managers = owners + admins
    stuck = (owners if owners < 3 else 0) + (admins if managers < 3 else 0)
    return stuck + (members if approval is ResetApproval.EVERYONE and managers < 2 else 0)
