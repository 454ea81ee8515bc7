"""Exceptions from an account's MFA requirement: who may be given one, until when, and in which words.

When a member is stopped is decided in the database, by mfa_deadline and mfa_state: every view of it reads those.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import rules.typed
from rules.failures import InvalidInput, NotPermitted
from rules.people import Role

LONGEST_EXCEPTION = timedelta(days=90)
LONGEST_REASON = 500
MOST_AT_ONCE = 500


class ExceptionKind(StrEnum):
    """What an exception is: more time with the banner, or nothing asked until it ends."""

    EXTENDED = "EXTENDED"
    EXEMPTED = "EXEMPTED"


def checked_reason(reason: str) -> str:
    """The words, trimmed and on one line. Raises InvalidInput."""
    words = rules.typed.one_line(reason)
    if not words:
        raise InvalidInput("reason", "Say why, for the record.")
    if len(words) > LONGEST_REASON:
        raise InvalidInput("reason", f"The reason must have at most {LONGEST_REASON} characters.")
    return words


def check_end(until: datetime, now: datetime) -> None:
    """Raises InvalidInput unless `until` lies ahead, by 90 days at most."""
    if until <= now:
        raise InvalidInput("until", "The exception must end in the future.")
    if until > now + LONGEST_EXCEPTION:
        raise InvalidInput("until", f"An exception lasts {LONGEST_EXCEPTION.days} days at most.")


def check_author(author_id: UUID, author_role: Role, user_id: UUID, is_break_glass: bool) -> None:
    """Raises NotPermitted when this author may not give this person that exception."""
    if author_id == user_id:
        raise NotPermitted("Nobody excepts themselves. Another owner or admin can.")
    if is_break_glass and author_role is not Role.OWNER:
        raise NotPermitted("Only an owner may mark a break-glass account.")


def check_end_of_mark(author_role: Role) -> None:
    """Raises NotPermitted for whoever could else keep the owners from hearing of each sign-in."""
    if author_role is not Role.OWNER:
        raise NotPermitted("Only an owner may change or end the exception of a break-glass account.")
