"""A mail server that refuses, stalls or goes away: what is tried again, what has failed, and what is nobody's fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from tests.commands import command
from tests.line import Line, remind_mia
from tests.people import crowd, email
from tests.ports import own_port
from tests.stubborn import stubborn

OTHERS = 5


async def delivery(line: Line, name: str) -> dict[str, Any]:
    """The person's one delivery, and in how many seconds it is due."""
    row = await line.database.fetchrow(
        "SELECT *, extract(epoch FROM next_attempt_at - now())::float8 AS due_in_s FROM deliveries WHERE email = $1",
        email(name),
    )
    assert row is not None
    return dict(row)


async def tell_mia_and_others(line: Line) -> None:
    others = await crowd(line.database, line.world.account_id, OTHERS)
    await line.happen(await line.world.user_id("mia"), *others)


async def until_put_off(line: Line) -> None:
    """Return once Mia's mail, the only one, waits for its second try."""

    async def is_put_off() -> bool:
        rows = await line.database.fetch("SELECT state, attempts FROM deliveries")
        return [(row["state"], row["attempts"]) for row in rows] == [("pending", 1)]

    await line.until(is_put_off, "the mail waits")


async def refuse_mia(line: Line, reply: str) -> None:
    """Answer `reply` to the first recipient that is Mia."""
    left = [reply]

    async def refuse(server: SMTP, address: str) -> str | None:
        return left.pop() if address == email("mia") and left else None

    line.mailbox.reply_to_rcpt = refuse
    await line.start("relay", "worker", "beat")
    await tell_mia_and_others(line)
    await line.mailbox.wait_for(OTHERS)


async def test_a_450_is_tried_again_later_and_holds_up_nobody_else(line: Line) -> None:
    await refuse_mia(line, "450 4.2.1 The mailbox is busy")

    async def is_put_off() -> bool:
        return (await line.states()) == {"sent": OTHERS, "pending": 1}

    await line.until(is_put_off, "one mail waits")
    put_off = await delivery(line, "mia")
    assert put_off["last_error"] == "450 4.2.1 The mailbox is busy"
    assert put_off["attempts"] == 1
    assert 5 < put_off["due_in_s"] <= 15
    await line.let_time_pass()
    await line.until_all("sent", OTHERS + 1)
    assert len(line.mailbox.messages) == OTHERS + 1


async def test_a_refusal_that_no_database_can_hold_fails_that_mail_and_holds_up_nobody_else(line: Line) -> None:
    await refuse_mia(line, "550 5.1.1 No such\0user")

    async def has_failed() -> bool:
        return (await line.states()) == {"sent": OTHERS, "failed": 1}

    await line.until(has_failed, "one mail has failed")
    assert (await delivery(line, "mia"))["last_error"] == "550 5.1.1 No such\ufffduser"


async def test_a_550_has_failed_in_the_servers_words_until_an_operator_tries_again(
    line: Line, database_url: str
) -> None:
    await refuse_mia(line, "550 5.1.1 No such user here")

    async def has_failed() -> bool:
        return (await line.states()) == {"sent": OTHERS, "failed": 1}

    await line.until(has_failed, "one delivery has failed")
    assert (await delivery(line, "mia"))["last_error"] == "550 5.1.1 No such user here"
    listed = await asyncio.to_thread(command, "deliveries", "list", "--failed", database_url=database_url)
    assert f"mfa_enabled to {email('mia')}, 1 tried: 550 5.1.1 No such user here" in listed.stdout
    tried = await asyncio.to_thread(command, "deliveries", "retry", "--all", database_url=database_url)
    assert tried.stdout == "1 deliveries and 0 events will be tried again.\n"
    await line.until_all("sent", OTHERS + 1)


async def test_a_421_ends_the_batch_and_fails_nothing(line: Line) -> None:
    refused = asyncio.Event()

    async def refuse_the_first(server: SMTP, address: str) -> str | None:
        if refused.is_set():
            return None
        refused.set()
        return "421 4.3.2 Shutting down"

    line.mailbox.reply_to_rcpt = refuse_the_first
    await line.start("relay", "worker", "beat")
    await tell_mia_and_others(line)

    async def are_put_off() -> bool:
        return refused.is_set() and "pending" in await line.states()

    await line.until(are_put_off, "mails wait")
    await line.let_time_pass()
    await line.until_all("sent", OTHERS + 1)
    assert len(line.mailbox.messages) == OTHERS + 1


async def test_a_refusal_after_the_message_counts_like_one_before(line: Line) -> None:
    replies = ["554 5.6.0 Not like this", "451 4.3.0 Try again"]

    async def refuse(server: SMTP, envelope: Envelope) -> str | None:
        return replies.pop() if replies else None

    line.mailbox.reply_to_data = refuse
    await line.start("relay", "worker", "beat")
    await line.happen(await line.world.user_id("mia"))
    await until_put_off(line)
    await line.let_time_pass()
    await line.until_all("failed", 1)
    assert (await delivery(line, "mia"))["last_error"] == "554 5.6.0 Not like this"
    assert line.mailbox.messages == []


@pytest.mark.parametrize("is_reminder", [False, True], ids=["security mail", "a reminder"])
async def test_a_mail_handed_over_without_an_answer_goes_out_once_more_unless_it_is_a_reminder(
    line: Line, is_reminder: bool
) -> None:
    ids = []

    async def take_it_and_be_gone(server: SMTP, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        ids.append(next(one for one in envelope.content.split(b"\r\n") if one.lower().startswith(b"message-id:")))
        transport = server.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()

    line.mailbox.reply_to_data = take_it_and_be_gone
    await line.start("relay", "worker", "beat")
    if is_reminder:
        await remind_mia(line)
    else:
        await line.happen(await line.world.user_id("mia"))

    async def counts_as_sent() -> bool:
        await line.let_time_pass()
        return await line.states() == {"sent": 1}

    await line.until(counts_as_sent, "it counts as sent")
    assert len(ids) == (1 if is_reminder else 2)
    assert len(set(ids)) == 1


async def test_a_connection_dropped_after_the_message_is_tried_again_under_the_same_id(line: Line) -> None:
    ids = []

    async def drop_the_first(server: SMTP, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        ids.append(next(one for one in envelope.content.split(b"\r\n") if one.lower().startswith(b"message-id:")))
        if len(ids) == 1:
            transport = server.transport
            assert isinstance(transport, asyncio.Transport)
            transport.abort()

    line.mailbox.reply_to_data = drop_the_first
    await line.start("relay", "worker", "beat")
    await line.happen(await line.world.user_id("mia"))
    await until_put_off(line)
    await line.let_time_pass()
    await line.until_all("sent", 1)
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_a_server_that_is_down_fails_nobody(line: Line) -> None:
    port = own_port()
    await line.start("relay", "worker", "beat", smtp_url=f"smtp://127.0.0.1:{port}")
    await tell_mia_and_others(line)

    async def is_put_off() -> bool:
        states = await line.states()
        return states == {"pending": OTHERS + 1} and (await delivery(line, "mia"))["attempts"] >= 1

    await line.until(is_put_off, "all mails wait")
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(line.mailbox, hostname="localhost", ident="test"), "127.0.0.1", port
    )
    await line.let_time_pass()
    await line.until_all("sent", OTHERS + 1)
    server.close()


@pytest.mark.long
async def test_a_server_that_says_nothing_for_too_long_is_tried_again(line: Line) -> None:
    silent = [True]

    async def be_silent_once(server: SMTP, address: str) -> None:
        if silent:
            silent.clear()
            await asyncio.sleep(60)

    line.mailbox.reply_to_rcpt = be_silent_once
    await line.start("relay", "worker", "beat")
    await line.happen(await line.world.user_id("mia"))
    await until_put_off(line)
    assert (await delivery(line, "mia"))["last_error"].endswith("timed out")
    await line.let_time_pass()
    await line.until_all("sent", 1)


async def test_a_slow_server_gets_each_mail_once(line: Line) -> None:
    async def think(server: SMTP, envelope: Envelope) -> None:
        await asyncio.sleep(0.5)

    line.mailbox.reply_to_data = think
    await line.start("relay", "worker", "worker", "beat")
    await tell_mia_and_others(line)
    await line.until_all("sent", OTHERS + 1)
    assert len(line.mailbox.messages) == OTHERS + 1


@pytest.mark.long
async def test_a_server_that_looks_through_a_mail_for_long_gets_it_once(line: Line) -> None:
    async def look_through(server: SMTP, envelope: Envelope) -> None:
        await asyncio.sleep(35)

    line.mailbox.reply_to_data = look_through
    await line.start("relay", "worker", "beat")
    await line.happen(await line.world.user_id("mia"))
    await line.until_all("sent", 1)
    assert (await delivery(line, "mia"))["attempts"] == 1


@pytest.mark.parametrize(
    "refusal",
    [
        "500 What is that?",
        "501 Not like this",
        "502 Not here",
        "503 Log in first",
        "504 Not that",
        "530 Authentication required",
        "535 Authentication failed",
        "550 relaying denied",
        "553 sorry, that domain isn't in my list of allowed rcpthosts",
        "554 5.7.1 Not from this address",
    ],
)
async def test_a_refusal_that_is_about_us_fails_nobody(line: Line, refusal: str) -> None:
    await refuse_mia(line, refusal)

    async def is_put_off() -> bool:
        return (await line.states()) == {"sent": OTHERS, "pending": 1}

    await line.until(is_put_off, "one mail waits")
    assert (await delivery(line, "mia"))["last_error"] == refusal
    await line.let_time_pass()
    await line.until_all("sent", OTHERS + 1)


async def test_what_a_server_says_of_everybody_fails_nobody_until_it_takes_others(line: Line) -> None:
    refusing = [True]

    async def refuse_all(server: SMTP, address: str) -> str | None:
        return f"550 5.1.1 <{address}>: no such user" if refusing or address == email("mia") else None

    line.mailbox.reply_to_rcpt = refuse_all
    await line.start("relay", "worker", "beat")
    await tell_mia_and_others(line)

    async def are_put_off() -> object:
        return await line.states() == {"pending": OTHERS + 1} and await line.database.fetchval(
            "SELECT bool_and(last_error LIKE '550 %') FROM deliveries"
        )

    await line.until(are_put_off, "all wait, those that had failed, too")
    refusing.clear()

    async def only_hers_has_failed() -> bool:
        await line.let_time_pass()  # hers may be the first, which is then put off once more
        return await line.states() == {"sent": OTHERS, "failed": 1}

    await line.until(only_hers_has_failed, "hers alone has failed")


@pytest.mark.parametrize("address", ["mia@münchen.example", "mia@xn--mnchen-3ya.example"])
async def test_an_international_domain_is_reached_through_a_server_that_knows_ascii_alone(
    line: Line, address: str
) -> None:
    async with stubborn("", "hang") as server:
        await line.database.execute("UPDATE users SET email = $1 WHERE email = $2", address, email("mia"))
        settings = {"smtp_url": server.url, "public_url": "https://mfa.agency.example"}
        await line.start("relay", "worker", **settings)
        await line.happen(await line.database.fetchval("SELECT id FROM users WHERE email = $1", address))
        await line.until_all("sent", 1)
    assert server.recipients == ["mia@xn--mnchen-3ya.example"]
    assert server.names == ["mfa.agency.example"]
    assert b"To: mia@xn--mnchen-3ya.example\r\n" in server.taken[0]
