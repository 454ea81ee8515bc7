"""A request's headers, read once for all who look at them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

KEPT = "gatehouse.heads"


def heads(scope: Scope) -> Mapping[str, str]:
    """The headers by their names in lower case; of one that came several times, the first."""
    found: dict[str, str] | None = scope.get(KEPT)
    if found is None:
        found = {}
        for name, value in scope["headers"]:
            found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        scope[KEPT] = found
    return found


def with_head(scope: Scope, name: str, value: str) -> Scope:
    """The scope with one header more; what was read of the old ones is not of it."""
    added = {**scope, "headers": [*scope["headers"], (name.encode(), value.encode())]}
    added.pop(KEPT, None)
    return added
