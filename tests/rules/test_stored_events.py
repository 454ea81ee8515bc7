"""Events as they are stored today are read by whatever comes later, with the same facts."""

from __future__ import annotations

import pytest

from rules.events.base import Event
from rules.events.catalogue import EVENTS
from rules.events.stored import Stored
from tests.stored_events import HOW, is_kept, kept, whole


@pytest.mark.parametrize("row", list(kept()), ids=lambda row: row.type)
def test_a_row_that_was_ever_stored_is_read_and_written_the_same(row: Stored) -> None:
    again = Stored.of(row.read())
    assert (again.type, again.account_id, again.subject_id, again.actor_id, again.service_key) == (
        row.type,
        row.account_id,
        row.subject_id,
        row.actor_id,
        row.service_key,
    )
    assert row.data.items() <= again.data.items()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type())
def test_a_row_with_each_fact_of_an_event_is_kept(event: type[Event]) -> None:
    assert is_kept(whole(event)), HOW
