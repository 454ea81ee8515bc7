"""The alerts that an account's owners, and its admins where they wish, get by email: the kinds, and what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# At most one alert of a kind to one person in so long; what happens meanwhile is gathered into one.
INTERVAL = timedelta(hours=1)
MOST_LISTED = 10
# Of so many an alert knows which they are, and looks at them anew as it leaves; what is earlier is counted alone.
MOST_KNOWN = 1_000


class AlertKind(StrEnum):
    """What an alert is about."""

    MFA_DISABLED = "MFA_DISABLED"
    LAST_BACKUP_CODE_USED = "LAST_BACKUP_CODE_USED"
    LOCKED = "LOCKED"
    MFA_RESET = "MFA_RESET"
    POLICY_CHANGED = "POLICY_CHANGED"
    EXCEPTION_GIVEN = "EXCEPTION_GIVEN"
    ACCOUNT_VIEWED = "ACCOUNT_VIEWED"
    BREAK_GLASS_SIGNED_IN = "BREAK_GLASS_SIGNED_IN"
    OWNER_ADDED = "OWNER_ADDED"
    SIGN_IN_REJECTED = "SIGN_IN_REJECTED"
    # No alert, and chosen as one.
    WEEKLY_DIGEST = "WEEKLY_DIGEST"

    @property
    def headline(self) -> str:
        """What an email's subject says of it."""
        return HEADLINES[self]


HEADLINES = {
    AlertKind.MFA_DISABLED: "Somebody of your agency turned off MFA",
    AlertKind.LAST_BACKUP_CODE_USED: "Somebody of your agency used their last backup code",
    AlertKind.LOCKED: "A sign-in of your agency was locked",
    AlertKind.MFA_RESET: "The MFA of somebody of your agency was reset",
    AlertKind.POLICY_CHANGED: "The security policy of your agency was changed",
    AlertKind.EXCEPTION_GIVEN: "Somebody of your agency was excepted from MFA",
    AlertKind.ACCOUNT_VIEWED: "A platform operator looked at your agency",
    AlertKind.BREAK_GLASS_SIGNED_IN: "Somebody signed in to a break-glass account",
    AlertKind.OWNER_ADDED: "Somebody became an owner of your agency, or was invited as one",
    AlertKind.SIGN_IN_REJECTED: "A sign-in of a colleague who manages your agency was somebody else's",
    AlertKind.WEEKLY_DIGEST: "A week has begun, and something is open",
}


@dataclass(frozen=True)
class AlertSetting:
    """Whether alerts of a kind are emailed to the account's owners, and to its admins."""

    kind: AlertKind
    email: bool = True
    email_admins: bool = False


@dataclass(frozen=True)
class Wish:
    """A kind's setting as asked for; what is None stays as it is."""

    kind: AlertKind
    email: bool | None
    email_admins: bool | None

    def over(self, held: AlertSetting) -> AlertSetting:
        """What holds once the wish is granted."""
        return AlertSetting(
            self.kind,
            held.email if self.email is None else self.email,
            held.email_admins if self.email_admins is None else self.email_admins,
        )


def whole(kept: list[AlertSetting]) -> list[AlertSetting]:
    """The setting of every kind: those that are kept, and else what is usual."""
    known = {setting.kind: setting for setting in kept}
    return [known.get(kind, AlertSetting(kind)) for kind in AlertKind]
