"""Answers that are cut off at any byte: whoever asks again with the same key gets the codes, and nothing is doubled.

The suite does it with a few people; GATEHOUSE_TEST_CUT_OFF=1000 with as many as that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from db.pool import Database
from tests.alerts.hearing import settle
from tests.idempotency.keyed import begin, cookie_of, mutation, new_key, send
from tests.people import PASSWORD, Factor, World, crowd
from tests.reminders.cast import pool

__all__ = ["pool"]

PEOPLE = int(os.environ.get("GATEHOUSE_TEST_CUT_OFF", "8"))
AT_ONCE = 4
MOST_CUTS = 3


async def exchange(world: World, cookie: str, body: bytes, cut_at: int | None) -> bytes:
    """Send a request over a connection that ends once so many bytes have come; what came until then."""
    address = urlsplit(world.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: gatehouse={cookie}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    came = b""
    while (cut_at is None or len(came) < cut_at) and (more := await reader.read(cut_at - len(came) if cut_at else -1)):
        came += more
    writer.transport.abort()
    return came


def cookie_in(came: bytes, before: str) -> str:
    """The cookie that a browser has after this: what a whole head has set, or else the one of before."""
    head, separator, _ = came.partition(b"\r\n\r\n")
    jar = SimpleCookie()
    for line in head.decode().split("\r\n") if separator else []:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            jar.load(value)
    return jar["gatehouse"].value if "gatehouse" in jar else before


async def enroll(world: World, address: str, chance: random.Random) -> list[str]:
    """Let the person enroll over a bad line; the codes that they are shown at last."""
    browser = world.client()
    await send(browser, "signIn", None, email=address, password=PASSWORD, useCookie=True)
    app = Factor((await begin(browser))["manualEntryKey"].replace(" ", ""), [])
    given = {"code": await app.code(), "idempotencyKey": new_key()}
    body = json.dumps({"query": mutation("verifyAndEnableMfa"), "variables": {"input": given}}).encode()
    cookie = cookie_of(browser.http)
    await browser.http.aclose()
    for _ in range(chance.randint(1, MOST_CUTS)):
        # An answer has some 1,400 bytes: 0 is gone before a byte has come.
        came = await exchange(world, cookie, body, chance.randint(0, 1_300))
        cookie = cookie_in(came, cookie)
    answer = await exchange(world, cookie, body, None)
    codes: list[str] = json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["verifyAndEnableMfa"]["backupCodes"]
    return codes


async def test_nobody_is_without_codes_and_no_event_or_mail_is_doubled(world: World, pool: Database) -> None:
    seed = random.randrange(1_000_000)
    chance, free = random.Random(seed), asyncio.Semaphore(AT_ONCE)
    await crowd(world.database, world.account_id, PEOPLE)

    async def one(number: int) -> list[str]:
        async with free:
            return await enroll(world, f"{number:06}@crowd.example", chance)

    shown = await asyncio.gather(*map(one, range(PEOPLE)))
    assert [len(set(codes)) for codes in shown] == [10] * PEOPLE, f"seed {seed}"
    assert len({code for codes in shown for code in codes}) == 10 * PEOPLE
    # The codes that were shown are those that hold: one of each set signs in.
    for number, codes in enumerate(shown):
        client = world.client()
        opened = await send(client, "signIn", None, email=f"{number:06}@crowd.example", password=PASSWORD)
        answer = {"challengeToken": opened["challengeToken"], "code": {"backupCode": chance.choice(codes)}}
        assert (await send(client, "completeMfaChallenge", None, **answer))["__typename"] == "SignedIn", f"seed {seed}"
        await client.http.aclose()
    events = Counter((each["type"], each["subject_id"]) for each in await world.events())
    assert {times for (type_, _), times in events.items() if type_ == "MFA_ENABLED"} == {1}
    assert sum(type_ == "MFA_ENABLED" for type_, _ in events) == PEOPLE
    assert not {type_ for type_, _ in events} & {"CODE_REJECTED", "CODE_REPLAYED", "MFA_CHALLENGE_LOCKED"}
    await settle(world, pool)
    mailed = await world.database.fetch("SELECT email, message FROM deliveries")
    doubled = {each: times for each, times in Counter(map(tuple, mailed)).items() if times > 1}
    assert doubled == {}
    assert sum(message == "mfa_enabled" for _, message in map(tuple, mailed)) == PEOPLE
