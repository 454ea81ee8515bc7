"""Where a request comes from."""

from __future__ import annotations

import rules.facts

LONGEST_USER_AGENT = 400


@rules.facts.fact
class Client:
    """A browser or program and its address, as far as they are known."""

    user_agent: str | None
    ip_address: str | None


# Of whatever was asked for by no request.
NO_CLIENT = Client(None, None)


def shown_user_agent(text: str) -> str | None:
    """A user agent fit to be kept and shown; None when nothing is left."""
    shown = text if text.isprintable() else "".join(c for c in text if c.isprintable())
    return shown[:LONGEST_USER_AGENT] or None
