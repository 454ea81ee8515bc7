"""How much, how long and how loud."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from rules.people import TimeLimits
from settings import checks
from settings.variables import told


class Limits(BaseSettings):
    """What may be had at once, how long it holds, and how long it is kept."""

    webhook_allow_private: Annotated[
        bool, told("webhooks may call private and loopback addresses: for development")
    ] = False

    pool_size: Annotated[int, Field(ge=1, le=200), told("database connections of an API process")] = 10
    worker_concurrency: Annotated[int, Field(ge=2, le=64), told("threads of a worker")] = 4
    reminder_thresholds: Annotated[
        tuple[int, ...],
        NoDecode,
        BeforeValidator(checks.days),
        told("on which days before the deadline people are reminded"),
    ] = (7, 3, 1)
    session_lifetime_days: Annotated[int, Field(ge=1, le=365), told("how many days a session lasts at most")] = 30
    session_idle_days: Annotated[int, Field(ge=1, le=365), told("how many days it lasts unused")] = 7
    proof_minutes: Annotated[
        int, Field(ge=1, le=1440), told("how long a password, and the second factor, just shown allows changes")
    ] = 15
    delivery_retention_days: Annotated[
        int, Field(ge=1), told("how many days emails that have ended are kept on record")
    ] = 90
    event_retention_days: Annotated[
        int, Field(ge=0), told("how many days events, the audit log, are kept; `0`: for ever")
    ] = 0
    delivery_retry_hours: Annotated[int, Field(ge=1, le=168), told("how many hours an email is tried")] = 24
    log_level: Annotated[
        str,
        Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$"),
        told("how much is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`"),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "console"] | None,
        told("`json`, one object a line, or `console`", "`console` on a terminal, else `json`"),
    ] = None

    @cached_property
    def time_limits(self) -> TimeLimits:
        """How long sessions and proofs hold."""
        return TimeLimits(
            timedelta(days=self.session_lifetime_days),
            timedelta(days=self.session_idle_days),
            timedelta(minutes=self.proof_minutes),
        )
