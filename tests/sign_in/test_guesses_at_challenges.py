"""A guess at a challenge is charged to it and to its person's code entry at once, by the limits of any other guess."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.client import Client
from tests.operations import COMPLETE
from tests.people import World


async def guess(client: Client, token: str) -> str:
    """What one wrong code is answered with."""
    answer: str = (await client.do(COMPLETE, token=token, code={"totp": "000000"}))["__typename"]
    return answer


async def test_parallel_guesses_at_many_challenges_are_looked_at_ten_times_at_most(world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    challenges = [await world.challenge("mia") for _ in range(4)]
    answers = await asyncio.gather(*(guess(client, token) for client, token in challenges for _ in range(5)))
    assert Counter(answers) == {"InvalidCode": 10, "TooManyAttempts": 10}
    assert await world.database.fetchval("SELECT sum(attempts) FROM challenges") == 10
    assert len(await world.events("MFA_CHALLENGE_LOCKED")) == 1


async def test_thirty_wrong_codes_in_a_day_close_every_challenge(world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    await world.database.execute(
        "INSERT INTO throttles (key, failures) SELECT 'mfa:' || $1, ARRAY(SELECT now() - interval '20 hours' "
        "+ n * interval '1 minute' FROM generate_series(1, 29) AS n)",
        str(await world.user_id("mia")),
    )
    client, token = await world.challenge("mia")
    assert await guess(client, token) == "InvalidCode"
    assert await guess(client, token) == "TooManyAttempts"
