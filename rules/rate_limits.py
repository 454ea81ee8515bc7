"""Where a client that is refused stands, in the fields of the IETF's draft-ietf-httpapi-ratelimit-headers."""

from __future__ import annotations

from datetime import timedelta

Fields = dict[str, str]


def at_once(most: int, wait_s: int) -> Fields:
    """Refused for having too many requests under way at once; there may be room after `wait_s`."""
    return {
        "RateLimit-Policy": f'"at-once";q={most};qu="concurrent-requests"',
        "RateLimit": f'"at-once";r=0;t={wait_s}',
    }


def tries(most: int, span: timedelta, wait: timedelta) -> Fields:
    """Refused for having tried too often within the span; another try is looked at after `wait`."""
    return {
        "RateLimit-Policy": f'"tries";q={most};w={_whole_seconds(span)}',
        "RateLimit": f'"tries";r=0;t={_whole_seconds(wait)}',
    }


def _whole_seconds(span: timedelta) -> int:
    """Rounded up: whoever waits so long has waited long enough."""
    return -int(-span.total_seconds() // 1)
