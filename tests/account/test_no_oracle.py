"""Nobody learns by any mutation whether an id that is not theirs is one that something has."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.client import Client
from tests.mutations import MUTATIONS, known_things, operation
from tests.people import World

IDS = ("accountId", "staffId", "webhookId", "deliveryId")
WITH_IDS = sorted(name for name in MUTATIONS if any(f"{id_}:" in operation(name, {}) for id_ in IDS))


async def outcome(client: Client, name: str, known: dict[str, object]) -> object:
    """What the mutation comes to."""
    answer = await client.raw(operation(name, known))
    errors = [(error["extensions"]["code"], error["message"]) for error in answer.get("errors", [])]
    return errors or answer["data"]


@pytest.mark.parametrize("who", ["nobody", "mia", "sam"])
async def test_a_made_up_id_is_answered_as_one_that_is_there(world: World, who: str) -> None:
    assert len(WITH_IDS) > 20
    client = world.client() if who == "nobody" else await world.enrolled(who)
    known = await known_things(world)
    staff = str(uuid4())
    made_up: dict[str, object] = {id_: str(uuid4()) for id_ in IDS}
    made_up |= {"staffId": staff, "staffIds": [staff], "deliveryId": "987654321"}
    for name in WITH_IDS:
        told = await outcome(client, name, known)
        assert await outcome(client, name, made_up) == told, name
        assert await outcome(client, name, made_up | {"accountId": known["accountId"]}) == told, name
