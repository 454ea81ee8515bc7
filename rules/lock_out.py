"""The lock-out forecast: who could not come back today if they lost their phone, and why."""

from __future__ import annotations

from enum import StrEnum

# So many backup codes left, or fewer, are few: the person's own page says so, too.
FEW_CODES = 3


class LockOutReason(StrEnum):
    """Why somebody could not come back, or not for long."""

    NO_CODES = "NO_CODES"
    FEW_CODES = "FEW_CODES"
    CODES_NOT_SAVED = "CODES_NOT_SAVED"
    ONLY_OWNER = "ONLY_OWNER"
