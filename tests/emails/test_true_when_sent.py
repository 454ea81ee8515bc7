"""An email says what is true when it leaves, and emails to one person leave in the order of their events."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP

from db import deliveries, outbox
from db.pool import Database
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.mfa import AuthenticatorReplaced, BackupCodesRegenerated, MfaDisabled, MfaEnabled, MfaReset
from rules.events.policy import GraceReminderSent, PolicyChanged, PolicyEnabled
from rules.events.signing_in import BackupCodeUsed
from rules.events.standing import BreakGlassSignedIn, MfaDeadlineExtended, MfaExempted
from tests.line import Line, give_factors
from tests.people import World, crowd, email, require_mfa
from tests.reminders.cast import planned, pool

__all__ = ["pool"]

HERE = Client(None, None)
ENROLL = (
    "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
    "SELECT id, '', 'test', 0, decode(repeat('00', 16), 'hex'), 'test' FROM users WHERE email = 'mia@agency.example'"
)
FORGET = "DELETE FROM factors"
MOVE = "UPDATE accounts SET grace_days = 3, grace_deadline = required_since + interval '72 hours' WHERE name = 'Agency'"
LIFT = (
    "UPDATE accounts SET required_since = NULL, grace_days = NULL, grace_deadline = NULL, announced_at = NULL "
    "WHERE name = 'Agency'"
)
LEAVE = "DELETE FROM staff WHERE email = 'mia@agency.example'"
RENAME = "UPDATE users SET email = 'mia@elsewhere.example' WHERE email = 'mia@agency.example'"
DEMOTE = "UPDATE staff SET role = 'ADMIN' WHERE email = 'olive@agency.example'"
DEMOTE_TO_MEMBER = "UPDATE staff SET role = 'MEMBER' WHERE email = 'olive@agency.example'"
END_EXCEPTION = "UPDATE staff SET excepted_until = NULL, is_exempt = false"
GIVE_ANOTHER = "UPDATE staff SET excepted_until = excepted_until + interval '1 day'"
# What was planned, what the person was at that time, and what has overtaken it by the send.
OVERTAKEN = [
    (MfaEnabled, "enrolled", FORGET),
    (MfaDisabled, "", ENROLL),
    (MfaReset, "", ENROLL),
    (BackupCodesRegenerated, "enrolled", FORGET),
    (AuthenticatorReplaced, "enrolled", FORGET),
    (BackupCodeUsed, "enrolled", RENAME),
    (PolicyEnabled, "", MOVE),
    (PolicyEnabled, "", LIFT),
    (PolicyChanged, "", MOVE),
    (PolicyEnabled, "", ENROLL),
    (PolicyEnabled, "", LEAVE),
    (BreakGlassSignedIn, "", DEMOTE),
    (AlertRaised, "", DEMOTE_TO_MEMBER),
    (MfaDeadlineExtended, "", END_EXCEPTION),
    (MfaDeadlineExtended, "", GIVE_ANOTHER),
    (MfaExempted, "", END_EXCEPTION),
    (MfaExempted, "", "UPDATE staff SET is_exempt = false"),
]


async def event_of(kind: type[Event], cast: World) -> Event:
    """Such an event about Mia, or by the agency's policy."""
    mia = await cast.user_id("mia")
    if issubclass(kind, BackupCodeUsed):
        return BackupCodeUsed(subject_id=mia, actor_id=mia, client=HERE, remaining=9)
    if issubclass(kind, AlertRaised):
        olive = await cast.user_id("olive")
        return AlertRaised(
            account_id=cast.account_id, subject_id=olive, kind=AlertKind.LOCKED, count=1, told=("Mia was locked.",)
        )
    if issubclass(kind, MfaDeadlineExtended | MfaExempted):
        until = await cast.database.fetchval(
            "UPDATE staff SET excepted_until = now() + interval '9 days', is_exempt = $2 WHERE user_id = $1 "
            "RETURNING excepted_until",
            mia,
            kind is MfaExempted,
        )
        return kind(account_id=cast.account_id, subject_id=mia, until=until, reason="On leave")
    if issubclass(kind, MfaReset):
        return MfaReset(subject_id=mia, account_id=cast.account_id)
    if issubclass(kind, BreakGlassSignedIn):
        return BreakGlassSignedIn(
            account_id=cast.account_id, subject_id=mia, actor_id=mia, subject_email=email("mia"), client=HERE
        )
    if issubclass(kind, PolicyEnabled | PolicyChanged):
        made = await require_mfa(cast.database, cast.account_id, days_ago=0, grace_days=7)
        assert made.required_since is not None
        assert made.deadline is not None
        return kind(
            account_id=cast.account_id, grace_days=7, required_since=made.required_since, deadline=made.deadline
        )
    assert issubclass(kind, MfaEnabled | MfaDisabled | BackupCodesRegenerated | AuthenticatorReplaced)
    return kind(subject_id=mia, actor_id=mia, client=HERE)


async def claimed(cast: World, pool: Database) -> set[str]:
    """Who would get a mail now, whatever the queue."""
    async with pool.connection() as connection:
        both = [await deliveries.claim(connection, queue, uuid4(), 100, 24) for queue in ("security", "bulk")]
    return {each.email for one in both for each in one}


@pytest.mark.parametrize(("kind", "before", "change"), OVERTAKEN)
async def test_what_was_overtaken_is_dropped_and_what_was_not_is_sent(
    cast: World, pool: Database, kind: type[Event], before: str, change: str
) -> None:
    if before:
        await give_factors(cast.database, [await cast.user_id("mia")])
    whom = "olive" if kind in {BreakGlassSignedIn, AlertRaised} else "mia"
    event = await event_of(kind, cast)
    await outbox.append_all(cast.database, [event])
    assert whom in await planned(cast, pool)
    assert email(whom) in await claimed(cast, pool)
    await cast.database.execute("UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL")
    await cast.database.execute(change)
    assert email(whom) not in await claimed(cast, pool)
    assert await cast.database.fetchval("SELECT state FROM deliveries WHERE email LIKE $1", f"{whom}@%") in {
        "dropped",
        None,  # with the person
    }


@pytest.mark.long
async def test_emails_to_one_person_leave_in_the_order_of_their_events_and_hold_up_nobody_else(line: Line) -> None:
    mia, adam = await line.world.user_id("mia"), await line.world.user_id("adam")
    busy = [True]

    async def refuse_mia(server: SMTP, address: str) -> str | None:
        return "450 4.2.1 The mailbox is busy" if busy and address == email("mia") else None

    line.mailbox.reply_to_rcpt = refuse_mia
    await line.start("relay", "worker", "worker", "beat")
    made = await require_mfa(line.database, line.world.account_id, days_ago=2, grace_days=7)
    assert made.required_since is not None
    assert made.deadline is not None
    reminder = GraceReminderSent(
        account_id=line.world.account_id,
        subject_id=mia,
        actor_id=adam,
        required_since=made.required_since,
        deadline=made.deadline,
        days_left=5,
        manual=True,
    )
    await outbox.append_all(line.database, [reminder])  # bulk mail, which others of hers come behind

    async def is_put_off() -> object:
        return await line.database.fetchval("SELECT last_error <> '' FROM deliveries WHERE user_id = $1", mia)

    await line.until(is_put_off, "the reminder waits")
    for remaining in (9, 8, 7):
        used = [BackupCodeUsed(subject_id=who, actor_id=who, client=HERE, remaining=remaining) for who in (mia, adam)]
        await outbox.append_all(line.database, used)

    async def adam_has_his() -> object:
        # Noted as sent, too: time that passes before would have another worker send the last again.
        sent = "SELECT count(*) = 3 FROM deliveries WHERE user_id = $1 AND state = 'sent'"
        return await line.database.fetchval(sent, adam)

    await line.until(adam_has_his, "Adam has his three")
    assert line.mailbox.subjects(email("mia")) == []
    busy.clear()
    await line.let_time_pass()
    await line.until(lambda: asyncio.sleep(0, len(line.mailbox.subjects(email("mia"))) == 4), "Mia has hers")
    assert line.mailbox.subjects(email("mia"))[0] == "5 days left to set up MFA"
    numbers = [await told(line, email(name)) for name in ("mia", "adam")]
    assert numbers == [[9, 8, 7], [9, 8, 7]]


async def told(line: Line, address: str) -> list[int]:
    """How many backup codes the person was told to have left, in the order of the mails."""
    ids = [
        int(str(mail["message-id"]).partition("delivery-")[2].partition(".")[0])
        for mail in line.mailbox.messages
        if mail["to"] == address and "backup code" in str(mail["subject"])
    ]
    rows = await line.database.fetch(
        "SELECT deliveries.id, data FROM deliveries JOIN events ON events.id = event_id WHERE deliveries.id = ANY ($1)",
        ids,
    )
    left = {row["id"]: row["data"]["remaining"] for row in rows}
    return [left[one] for one in ids]


async def test_a_crowd_that_gets_several_each_gets_them_in_order(line: Line) -> None:
    people = await crowd(line.database, line.world.account_id, 30)
    for remaining in (9, 8, 7, 6):
        await outbox.append_all(
            line.database,
            [BackupCodeUsed(subject_id=who, actor_id=who, client=HERE, remaining=remaining) for who in people],
        )
    await line.start("relay", "worker", "worker", "beat")
    await line.until_all("sent", 120)
    for number in range(30):
        assert await told(line, f"{number:06}@crowd.example") == [9, 8, 7, 6]
