"""Recovery passes: how long each holds, and the session that it starts."""

from __future__ import annotations

from datetime import timedelta

PASS_LIFETIME = timedelta(minutes=60)
SESSION_LIFETIME = timedelta(minutes=30)
# How somebody was recognised by one, for which RFC 8176 has no word.
AMR = ("recovery_pass",)
