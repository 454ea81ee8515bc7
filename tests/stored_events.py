"""A row of each event as the database keeps it, with every fact that it may have.

Rows stay for years, and whatever is changed later must still read them: lines are added here, and none is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from uuid import UUID

from rules.events.base import WHO, Event
from rules.events.catalogue import EVENTS, samples
from rules.events.samples import IN_A_WEEK
from rules.events.stored import Stored

KEPT = Path(__file__).parent / "rules" / "stored_events.jsonl"
# How a missing one is added: a line for each event of which no line has all the facts.
HOW = "Run `uv run python -m tests.stored_events`, and commit what it adds."
# The facts that no preview has.
FURTHER_FACTS = {
    "amr": "pwd otp mfa",
    "earlier_ids": (5, 6),
    "event_ids": (7, 8),
    "previous_deadline": IN_A_WEEK,
    "previous_joiner_days": 3,
    "requester_email": "adam@example.com",
}


def whole(event: type[Event]) -> Stored:
    """The row of an event that knows all that it can know."""
    known: dict[str, Any] = dict(FURTHER_FACTS)
    for sample in samples(event).values():
        known |= {
            each.name: value
            for each in fields(event)
            if (value := getattr(sample, each.name)) not in (None, ()) and not known.get(each.name)
        }
    facts = {each.name for each in fields(event)} - WHO
    return Stored.of(event(**{name: known[name] for name in facts | WHO & known.keys()}))


def kept() -> Iterator[Stored]:
    """The rows of this day and of all days before."""
    for line in KEPT.read_text().splitlines():
        row = json.loads(line)
        yield Stored(**row | {name: UUID(row[name]) for name in WHO & row.keys() if row[name] is not None})


def is_kept(wanted: Stored) -> bool:
    """Whether a row of this event has all of these facts."""
    return any(row.type == wanted.type and row.data.keys() >= wanted.data.keys() for row in kept())


def main() -> None:
    """Add the rows that are missing."""
    missing = [row for row in map(whole, EVENTS) if not is_kept(row)]
    with KEPT.open("a") as file:
        file.writelines(json.dumps(asdict(row), default=str) + "\n" for row in missing)


if __name__ == "__main__":
    main()
