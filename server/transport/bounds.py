"""How much one document may hold, by who sends it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """How much one document may hold."""

    chars: int
    tokens: int
    definitions: int
    fields: int
    aliases: int
    repeats: int
    cost: int
    hint: str


SIGNED_IN = Bounds(256 * 1024, 6_000, 100, 3_000, 120, 30, 50_000, "ask for fewer fields or smaller pages")
# Somebody without a session signs in, completes a challenge, follows a link, or reads the schema.
# What it would cost to answer does not count: who asks for a page with a session that has ended is told to sign in.
STRANGER = Bounds(16 * 1024, 2_500, 60, 1_200, 20, 10, SIGNED_IN.cost, "sign in, or ask for less")


class TooLarge(Exception):
    """A limit is passed; the message is for the client."""
