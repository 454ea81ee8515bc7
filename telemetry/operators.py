"""Who works at the command line: the user of the operating system, as the audit log names them."""

from __future__ import annotations

import os
import pwd
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("operator", default=None)


def current() -> str | None:
    """The operator that this code runs for; None when no operator's command does."""
    return _current.get()


def begin() -> None:
    """From now on an operator's command runs."""
    _current.set(_name())


def _name() -> str:
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run under a number alone
        name = f"user {os.geteuid()}"
    # Nobody but root can say here to have been somebody else before.
    before = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    return f"{before[:60]} as {name}" if before and before != name else name
