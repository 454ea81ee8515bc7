"""Invitations: who may invite whom as what, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.failures import InvalidInput, NotPermitted, TooManyAttempts
from rules.people import Role

PAUSE = timedelta(minutes=1)


def require_permission(own_role: Role, *roles: Role) -> None:
    """An admin neither makes an owner nor touches one. Raises NotPermitted."""
    if own_role is not Role.OWNER and Role.OWNER in roles:
        raise NotPermitted("Only an owner may invite an owner or take that back.")


def require_pause(invited_at: datetime | None, now: datetime, email: str) -> None:
    """Whoever has come is invited no more, whoever was invited not again within a minute.

    Raises InvalidInput, TooManyAttempts.
    """
    if invited_at is None:
        raise InvalidInput("email", f"{email} is staff of this account already.")
    if now < invited_at + PAUSE:
        raise TooManyAttempts(invited_at + PAUSE, f"{email} was invited a moment ago. Wait a minute, then try again.")
