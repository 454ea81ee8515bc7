"""Of an account recovery that waits each channel hears at once, and again each day: mail, webhook, Slack and Teams."""

from __future__ import annotations

from resolvers.webhooks import insert
from rules.chat import Format
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.account_recovery.waiting import allow, let_pass, told
from tests.client import SECRET_KEYS
from tests.line import Line, give_factors
from tests.webhooks.receiver import receiving

RING = KeyRing(parse_secret_keys(SECRET_KEYS))
BEGIN = """
WITH begun AS (
    INSERT INTO account_recoveries (user_id, email, ends_at) SELECT id, email, now() + interval '3 days'
    FROM users WHERE id = $1 RETURNING *
), told AS (
    INSERT INTO events (type, account_id, subject_id, actor_id, data) SELECT 'ACCOUNT_RECOVERY_STARTED', $2, user_id,
        user_id, jsonb_build_object('subjectEmail', email, 'until', ends_at) FROM begun RETURNING id
)
INSERT INTO account_events (account_id, event_id) SELECT $2, id FROM told
"""


async def test_each_channel_hears_at_once_and_each_day(line: Line) -> None:
    world, mia = line.world, await line.world.user_id("mia")
    await allow(world)
    await give_factors(line.database, [mia])
    async with receiving() as system, receiving() as slack, receiving() as teams:
        channels = ((system, Format.STANDARD), (slack, Format.SLACK), (teams, Format.TEAMS))
        for receiver, format_ in channels:
            await insert(line.database, RING, world.account_id, receiver.url, None, format_)
        await line.start("relay", "worker", "beat", webhook_allow_private="true")
        await line.database.execute(BEGIN, mia, world.account_id)
        for count in (1, 2, 3):

            async def have_all_heard(count: int = count) -> bool:
                return all(len(receiver.requests) == count for receiver, _ in channels)

            await line.until(have_all_heard, f"each channel has heard {count} times")
            await line.until_all("sent", 2 * count)
            if count < 3:
                await let_pass(world, 1)
    assert system.types() == ["ACCOUNT_RECOVERY_STARTED", "ACCOUNT_RECOVERY_REMINDED", "ACCOUNT_RECOVERY_REMINDED"]
    assert await told(world) == {
        "account_recovery_started": ["mia"],
        "account_recovery_started_owners": ["olive"],
        "account_recovery_reminded": ["mia"] * 2,
        "account_recovery_reminded_owners": ["olive"] * 2,
    }
