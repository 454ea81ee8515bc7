"""How much, how long and how loud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from rules.people import TimeLimits
from settings import checks
from settings.texts import flag, one_of, whole
from settings.variables import told


@dataclass(frozen=True, kw_only=True, repr=False)
class Limits:
    """What may be had at once, how long it holds, and how long it is kept."""

    webhook_allow_private: bool = told("webhooks may call private and loopback addresses: for development", False, flag)

    pool_size: int = told("database connections of an API process", 10, whole(1, 200))
    worker_concurrency: int = told("threads of a worker", 4, whole(2, 64))
    reminder_thresholds: tuple[int, ...] = told(
        "on which days before the deadline people are reminded", (7, 3, 1), checks.days
    )
    session_lifetime_days: int = told("how many days a session lasts at most", 30, whole(1, 365))
    session_idle_days: int = told("how many days it lasts unused", 7, whole(1, 365))
    proof_minutes: int = told(
        "how long a password, and the second factor, just shown allows changes", 15, whole(1, 1440)
    )
    delivery_retention_days: int = told(
        "how many days emails that have ended are kept on record, as long as their events at most", 90, whole(1)
    )
    event_retention_days: int = told(
        "how many days events, the audit log, are kept, 8 at least, but those set aside; `0`: for ever", 0, whole(0)
    )
    delivery_retry_hours: int = told("how many hours an email is tried", 24, whole(1, 168))
    log_level: str = told(
        "how much is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`",
        "INFO",
        one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    )
    log_format: str | None = told(
        "`json`, one object a line, or `console`",
        None,
        one_of("json", "console"),
        unset="`console` on a terminal, else `json`",
    )

    @cached_property
    def time_limits(self) -> TimeLimits:
        """How long sessions and proofs hold."""
        return TimeLimits(
            timedelta(days=self.session_lifetime_days),
            timedelta(days=self.session_idle_days),
            timedelta(minutes=self.proof_minutes),
        )
