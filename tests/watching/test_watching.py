"""Subscriptions over WebSocket and server-sent events: what changes, as it changes, to whoever may see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import asyncpg
import pytest

import resolvers.watching
from rules.clients import Client
from rules.links import Purpose
from server.context import RequestContext
from tests.account.acts import move_deadline, remind, reset, save
from tests.account.operations import CONFIRM
from tests.client import SERVED, settings_for
from tests.coming_in.links import link_to
from tests.operations import DISABLE_TYPE, SIGN_OUT, WATCH_MEMBERS, WATCH_PROGRESS, WATCH_SETTING_UP, WATCH_VIEWER
from tests.people import World, crowd, email, require_mfa
from tests.waiting import LIMIT_S, soon, until
from tests.watching.watch import until_followed, watching


async def test_the_progress_comes_at_once_and_after_every_change(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    async with watching(world, olive, WATCH_PROGRESS) as watch:
        start = {"staffCount": 3, "enrolledCount": 1, "pendingCount": 2, "blockedCount": 0}
        assert await watch.next() == start
        await world.enroll(mia)
        assert await watch.next() == start | {"enrolledCount": 2, "pendingCount": 1}
        await reset(olive, world, "mia")
        assert await watch.next() == start | {"pendingCount": 1, "blockedCount": 1}


async def test_the_token_may_come_in_the_first_message(world: World) -> None:
    async with watching(world, await world.sign_in("olive"), WATCH_PROGRESS, in_first_message=True) as watch:
        assert (await watch.next())["enrolledCount"] == 0


async def test_what_changes_once_the_socket_is_open_is_told_however_late_the_subscription_is_come_to(
    world: World,
) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")

    async def enroll() -> None:
        await world.enroll(mia)

    async with watching(world, olive, WATCH_MEMBERS, once_open=enroll) as watch:
        assert (await watch.next())["email"] == email("mia")


async def test_who_has_watched_over_a_socket_and_subscribes_again_is_told_of_what_comes_then(world: World) -> None:
    olive, mia, adam = await world.sign_in("olive"), await world.sign_in("mia"), await world.sign_in("adam")
    watchers = SERVED[world.base_url].state.service.hub._watchers
    async with watching(world, olive, WATCH_MEMBERS) as watch:
        await until(lambda: watchers, "it watches")
        await world.enroll(mia)
        assert (await watch.next())["email"] == email("mia")
        await watch.socket.send(json.dumps({"id": "1", "type": "complete"}))
        await until(lambda: not watchers, "it watches no more")
        await watch.subscribe(world, WATCH_MEMBERS)
        await until(lambda: watchers, "it watches again")
        await world.enroll(adam)
        assert (await watch.next())["email"] == email("adam")


async def test_where_too_much_changed_since_the_opening_another_subscription_begins_anew(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await crowd(world.database, world.account_id, 1_100)

    async def change_all() -> None:
        await world.database.execute(
            "WITH added AS (INSERT INTO events (type, subject_id) "
            "SELECT 'STAFF_ROLE_CHANGED', user_id FROM staff WHERE account_id = $1 RETURNING id) "
            "INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM added",
            world.account_id,
        )

    async with watching(world, olive, WATCH_MEMBERS, once_open=change_all) as watch:
        with pytest.raises(RuntimeError, match="RATE_LIMITED"):
            await watch.next()
        assert json.loads(await soon(watch.socket.recv()))["type"] == "complete"
        await watch.subscribe(world, WATCH_MEMBERS)
        watchers = SERVED[world.base_url].state.service.hub._watchers
        await until(lambda: any(each.failure is None for each in watchers), "it watches")
        await world.enroll(mia)
        assert (await watch.next())["email"] == email("mia")


async def test_a_sign_in_is_no_change_of_the_progress(world: World) -> None:
    olive = await world.sign_in("olive")
    async with watching(world, olive, WATCH_PROGRESS) as watch:
        await watch.next()
        await world.sign_in("mia")
        assert await watch.is_silent()


async def test_the_progress_comes_when_a_deadline_passes(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    await save(olive, world, True)
    async with watching(world, olive, WATCH_PROGRESS) as watch:
        await watch.next()
        await move_deadline(world, "now() + interval '5 s'")
        assert await watch.is_silent(0.5)
        assert await watch.next() == {"staffCount": 3, "enrolledCount": 1, "pendingCount": 0, "blockedCount": 2}
        assert await watch.is_silent()


async def let_exception_end(world: World) -> None:
    """Let Mia's exception end in a moment, by time alone."""
    await world.database.execute(
        "UPDATE staff SET excepted_until = now() + interval '0.5 s' WHERE excepted_until IS NOT NULL"
    )


async def excepted(world: World) -> None:
    """Let Mia have more time, whose agency's deadline has passed."""
    await require_mfa(world.database, world.account_id, days_ago=3, grace_days=1)
    await world.database.execute(
        "UPDATE staff SET excepted_until = now() + interval '30 days' WHERE email = $1", email("mia")
    )


async def test_whoever_watches_hears_when_an_exception_ends(world: World) -> None:
    olive = await world.enrolled("olive")
    await excepted(world)
    async with watching(world, olive, WATCH_MEMBERS) as members:
        await until_followed(world)
        async with watching(world, olive, WATCH_PROGRESS) as counts:
            before = await counts.next()
            assert (before["pendingCount"], before["blockedCount"]) == (1, 1)
            await let_exception_end(world)
            after = await counts.next()
            assert (after["pendingCount"], after["blockedCount"]) == (0, 2)
        told = await members.next()
        assert (told["email"], told["mfaState"]) == (email("mia"), "BLOCKED")
        assert await members.is_silent()


async def test_the_viewer_hears_when_their_own_exception_ends(world: World) -> None:
    await excepted(world)
    mia = await world.sign_in("mia")
    async with watching(world, mia, WATCH_VIEWER) as watch:
        assert (await watch.next())["mfaNotice"] == {"daysRemaining": 30}
        await let_exception_end(world)
        await world.sign_in("mia")  # she is looked at again, then or before it ends
        while (await watch.next())["mfaNotice"] != {"daysRemaining": 0}:
            pass


async def test_each_changed_member_is_told_of(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    async with watching(world, olive, WATCH_MEMBERS) as watch:
        await until_followed(world)
        await world.enroll(mia)
        expected = {"email": email("mia"), "mfaState": "ENABLED", "role": "MEMBER", "canResetMfa": True}
        assert await watch.next() == expected
        await reset(olive, world, "mia")
        assert await watch.next() == expected | {"mfaState": "BLOCKED", "canResetMfa": False}


async def test_a_member_who_signs_in_or_is_reminded_has_not_changed(world: World) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True)
    async with watching(world, olive, WATCH_MEMBERS) as watch:
        await until_followed(world)
        await world.sign_in("mia")
        await remind(olive, world, "mia")
        assert await watch.is_silent()


async def test_the_viewer_is_told_of_their_own_mfa_and_of_policies_that_bind_them(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    async with watching(world, mia, WATCH_VIEWER) as watch:
        start = {"email": email("mia"), "mfa": {"enabled": False}, "mfaNotice": None}
        assert await watch.next() == start
        await save(olive, world, True)
        assert await watch.next() == start | {"mfaNotice": {"daysRemaining": 7}}
        await world.enroll(mia)
        assert await watch.next() == start | {"mfa": {"enabled": True}}


async def test_the_viewer_is_told_of_their_address_and_of_what_keeps_them_from_setting_up_mfa(world: World) -> None:
    await world.database.execute("UPDATE accounts SET confirm_reset_by_email = true")
    mia = await world.sign_in("mia")
    await world.database.execute(
        "UPDATE users SET reenrollment_required_at = now() WHERE id = $1", await world.user_id("mia")
    )
    token, other = await link_to(world, email("mia"), Purpose.ENROLLMENT), "mia@other.example"
    async with watching(world, mia, WATCH_SETTING_UP) as watch:
        told = {"email": email("mia"), "mfa": {"emailLinkRequired": True, "enrollmentStopped": False}}
        assert await watch.next() == told
        assert (await mia.do(CONFIRM, token=token))["__typename"] == "MfaEnrollmentConfirmed"
        assert await watch.next() == told | {"mfa": {"emailLinkRequired": False, "enrollmentStopped": False}}
        await world.database.execute("UPDATE users SET enrollment_stopped_at = now() WHERE email = $1", email("mia"))
        await something_happens(world)
        assert await watch.next() == told | {"mfa": {"emailLinkRequired": False, "enrollmentStopped": True}}
        await world.database.execute("UPDATE users SET email = $2 WHERE email = $1", email("mia"), other)
        await something_happens(world, other)
        assert (await watch.next())["email"] == other


async def something_happens(world: World, address: str = email("mia")) -> None:
    """Let an event concern Mia."""
    await world.database.execute(
        "INSERT INTO events (type, subject_id) SELECT 'EMAIL_CHANGED', id FROM users WHERE email = $1", address
    )


async def test_the_viewer_is_told_of_what_is_undone_as_soon_as_it_was_told(world: World) -> None:
    mia = await world.sign_in("mia")
    service, settings = SERVED[world.base_url].state.service, settings_for("")
    context = RequestContext(service, Client(None, None), "", mia.token, settings=settings)
    await context.person()  # as she was when she asked
    await world.let_have_mfa("mia")
    watch = resolvers.watching.viewer_changed(context)
    assert isinstance(watch, AsyncGenerator)
    assert (await anext(watch)).mfa_enabled
    await world.database.execute("DELETE FROM factors")
    await something_happens(world)
    assert not (await soon(anext(watch))).mfa_enabled
    await watch.aclose()


@pytest.mark.parametrize(
    ("name", "code"),
    [("mia", "NOT_FOUND"), ("petra", "NOT_FOUND"), ("sam", "NOT_FOUND"), (None, "UNAUTHENTICATED")],
)
@pytest.mark.parametrize("subscription", [WATCH_PROGRESS, WATCH_MEMBERS])
async def test_permission_is_asked_at_the_start(world: World, name: str | None, code: str, subscription: str) -> None:
    client = await world.sign_in(name) if name else world.client()
    async with watching(world, client, subscription) as watch:
        with pytest.raises(RuntimeError, match=code):
            await watch.next()


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("UPDATE staff SET role = 'MEMBER' WHERE email LIKE 'adam@%'", "NOT_FOUND"),
        ("DELETE FROM staff WHERE email LIKE 'adam@%'", "NOT_FOUND"),
        ("DELETE FROM sessions", "UNAUTHENTICATED"),
        ("UPDATE sessions SET expires_at = now()", "UNAUTHENTICATED"),
        (
            "UPDATE accounts SET required_since = now(), grace_days = 0, grace_deadline = now(), announced_at = now()",
            "MFA_ENROLLMENT_REQUIRED",
        ),
        ("UPDATE users SET reenrollment_required_at = now()", "MFA_ENROLLMENT_REQUIRED"),
    ],
    ids=["demoted", "removed", "signed out", "expired", "past the deadline", "reset"],
)
@pytest.mark.parametrize("subscription", [WATCH_PROGRESS, WATCH_MEMBERS])
async def test_whoever_loses_the_permission_is_cut_off_within_a_second(
    world: World, cause: str, code: str, subscription: str
) -> None:
    adam = await world.sign_in("adam")
    async with watching(world, adam, subscription) as watch:
        if subscription == WATCH_PROGRESS:
            await watch.next()
        await world.database.execute(cause)
        with pytest.raises(RuntimeError, match=code):
            for _ in range(2):  # the change itself may be told first
                await watch.next()


async def test_signing_out_cuts_the_viewer_off(world: World) -> None:
    mia = await world.sign_in("mia")
    async with watching(world, mia, WATCH_VIEWER) as watch:
        await watch.next()
        await mia.do(SIGN_OUT)
        with pytest.raises(RuntimeError, match="UNAUTHENTICATED"):
            await watch.next()


async def test_what_changes_while_nobody_reads_is_told_as_it_is_at_last(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    async with watching(world, olive, WATCH_MEMBERS) as watch:
        await until_followed(world)
        for _ in range(3):
            factor = await world.enroll(mia)
            assert (await mia.do(DISABLE_TYPE, c=await factor.code()))["__typename"] == "MfaDisabled"
        told = [await watch.next()]
        while not await watch.is_silent(0.5):
            pass
        assert told[0]["email"] == email("mia")


async def test_a_late_commit_is_not_missed(world: World, database_url: str) -> None:
    """A transaction that took its event's id first and commits last."""
    olive = await world.sign_in("olive")
    mia, adam = await world.user_id("mia"), await world.user_id("adam")
    async with watching(world, olive, WATCH_MEMBERS) as watch:
        await until_followed(world)
        late = await asyncpg.connect(database_url)
        transaction = late.transaction()
        await transaction.start()
        insert = (
            "WITH e AS (INSERT INTO events (type, subject_id) VALUES ('STAFF_ROLE_CHANGED', $1) RETURNING id) "
            "INSERT INTO account_events (account_id, event_id) SELECT $2, id FROM e"
        )
        await late.execute(insert, mia, world.account_id)
        await world.database.execute(insert, adam, world.account_id)
        assert await watch.is_silent()
        await transaction.commit()
        await late.close()
        assert {(await watch.next())["email"], (await watch.next())["email"]} == {email("mia"), email("adam")}


async def test_server_sent_events_carry_the_same(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    headers = {"authorization": f"Bearer {olive.token}", "accept": "text/event-stream"}
    body = {"query": WATCH_PROGRESS, "variables": {"account": str(world.account_id)}}
    async with olive.http.stream("POST", "/graphql", json=body, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert (await next_event(lines))["data"]["enrollmentProgress"]["enrolledCount"] == 0
        await world.enroll(mia)
        assert (await next_event(lines))["data"]["enrollmentProgress"]["enrolledCount"] == 1
        await world.database.execute("DELETE FROM sessions")
        assert (await next_event(lines))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def next_event(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The payload of the next `next` event."""
    async with asyncio.timeout(LIMIT_S):
        async for line in lines:
            if line.startswith("data:") and line != "data:":
                payload: dict[str, Any] = json.loads(line.removeprefix("data:"))
                return payload
    raise AssertionError("The stream has ended.")


async def test_the_hub_sleeps_while_nobody_watches(world: World) -> None:
    olive = await world.sign_in("olive")
    listening = """
        SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'gatehouse-hub' AND datname = current_database()
    """
    async with watching(world, olive, WATCH_PROGRESS) as watch:
        await watch.next()
        await until(lambda: world.database.fetchval(f"SELECT ({listening}) = 1"), "the hub listens")
    await until(lambda: world.database.fetchval(f"SELECT ({listening}) = 0"), "it sleeps")
