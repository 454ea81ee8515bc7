"""Many parts at once."""

from __future__ import annotations

from collections import Counter

from tests.line import Line
from tests.people import crowd

PEOPLE = 300


async def test_two_relays_two_beats_and_four_workers_send_no_mail_twice(line: Line) -> None:
    people = await crowd(line.database, line.world.account_id, PEOPLE)
    await line.happen(*people[:100])
    await line.start("relay", "relay", "worker", "worker", "worker", "worker", "beat", "beat")
    await line.happen(*people[100:])
    await line.until_all("sent", PEOPLE)
    assert Counter(str(message["to"]) for message in line.mailbox.messages) == {
        f"{number:06}@crowd.example": 1 for number in range(PEOPLE)
    }
    assert len({message["message-id"] for message in line.mailbox.messages}) == PEOPLE
