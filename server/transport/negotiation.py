"""Which of our media types a client wants, from its Accept header."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
HTML = "text/html"
MOST_KEPT, LONGEST_KEPT = 200, 200


class Accepted(NamedTuple):
    """Our media types that a client takes, best first; the one it likes best, and its best of JSON."""

    types: tuple[str, ...]
    best: str | None
    json: str | None

    @classmethod
    def of(cls, types: tuple[str, ...]) -> Accepted:
        """All that is asked of these."""
        return cls(
            types, next(iter(types), None), next((kind for kind in types if kind in {RESPONSE_JSON, JSON}), None)
        )


JSON_ALONE = Accepted.of((JSON,))


def accepted(header: str | None) -> Accepted:
    """Read an Accept header. A wildcard stands for application/json, which every client can read."""
    if not header or not header.strip():
        return JSON_ALONE
    # Clients of one kind send the same; what is longer than theirs is not kept.
    return _kept(header) if len(header) <= LONGEST_KEPT else _read(header)


@lru_cache(MOST_KEPT)
def _kept(header: str) -> Accepted:
    return _read(header)


def _read(header: str) -> Accepted:
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _quality(parameters)
        if name in {"*/*", "application/*"}:
            qualities.setdefault(JSON, quality)
        elif name == "text/*":
            qualities.setdefault(EVENTS, quality)
        elif name in {RESPONSE_JSON, JSON, EVENTS, HTML}:
            qualities[name] = quality
    # Sorting is stable: among equals the one that is named first goes first.
    liked = sorted((kind for kind, q in qualities.items() if q > 0), key=lambda kind: -qualities[kind])
    return Accepted.of(tuple(liked))


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
