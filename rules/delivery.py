"""How long a delivery is claimed, and how one that did not get through is tried again."""

from __future__ import annotations

from datetime import timedelta

FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 3600.0
# A claim that its sender has not renewed for so long is taken over.
CLAIM_LIFETIME = timedelta(seconds=30)


def pause_s(attempts: int, jitter: float) -> float:
    """Seconds until the next try: doubling from 15 s to 1 h with `attempts`, less up to half by `jitter` (0 to 1)."""
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 20))
    return whole * (1 - jitter / 2)
