"""Signing in by password, and what a session is."""

from __future__ import annotations

import asyncio

import pytest

from tests.client import Client
from tests.coming_in.operations import END
from tests.operations import (
    BEGIN_TYPE,
    LAST_USED,
    REAUTHENTICATE_TYPE,
    SIGN_IN,
    SIGN_OUT,
    SIGN_OUT_OTHERS,
    VIEWER,
    WITH_COOKIE,
)
from tests.people import PASSWORD, World, email

DAY_S = 86_400
# What has happened to a session that has ended by itself.
ENDED = {"after 30 days": "expires_at = now()", "idle 7 days": "last_used_at = now() - interval '7 days'"}


async def test_a_right_password_begins_a_session(world: World) -> None:
    client = await world.sign_in("mia")
    assert client.token is not None
    assert client.token.startswith("gh_s_")
    assert (await client.ask(VIEWER))["viewer"]["email"] == email("mia")
    (event,) = await world.events()
    assert (event["type"], event["subject_id"]) == ("SIGN_IN_SUCCEEDED", await world.user_id("mia"))


async def test_the_case_and_outer_spaces_of_an_email_do_not_matter(world: World) -> None:
    answer = await world.client().do(SIGN_IN, email=" MIA@Agency.Example ", password=PASSWORD)
    assert answer["__typename"] == "SignedIn"


async def test_an_unknown_email_and_a_wrong_password_answer_alike(world: World) -> None:
    client = world.client()
    unknown = await client.raw(SIGN_IN, email=email("nobody"), password=PASSWORD)
    wrong = await client.raw(SIGN_IN, email=email("mia"), password="wrong password")
    assert unknown == wrong
    assert wrong["data"]["signIn"]["__typename"] == "InvalidCredentials"
    (event,) = await world.events()
    assert (event["type"], event["subject_id"], event["data"]["count"]) == (
        "PASSWORD_REJECTED",
        await world.user_id("mia"),
        1,
    )
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0


@pytest.mark.parametrize("password", ["", " ", "ä" * 2000, "\U0001f600"])
async def test_strange_passwords_are_simply_wrong(world: World, password: str) -> None:
    answer = await world.client().do(SIGN_IN, email=email("mia"), password=password)
    assert answer["__typename"] == "InvalidCredentials"


@pytest.mark.parametrize("address", ["", "no address", "x" * 5000, "' OR 1=1 --"])
async def test_strange_emails_are_simply_wrong(world: World, address: str) -> None:
    answer = await world.client().do(SIGN_IN, email=address, password=PASSWORD)
    assert answer["__typename"] == "InvalidCredentials"


async def test_without_a_session_the_viewer_is_null(world: World) -> None:
    assert await world.client().ask(VIEWER) == {"viewer": None}


@pytest.mark.parametrize("token", ["gh_s_", "gh_s_wrong", "gh_c_wrong", "x", "gh_s_" + "a" * 43])
async def test_a_made_up_token_is_nobody(world: World, token: str) -> None:
    client = world.client()
    client.token = token
    assert await client.ask(VIEWER) == {"viewer": None}


async def test_signing_out_ends_this_session_only(world: World) -> None:
    here, there = await world.sign_in("mia"), await world.sign_in("mia")
    assert await here.do(SIGN_OUT) == {"ok": True}
    assert await here.ask(VIEWER) == {"viewer": None}
    assert (await there.ask(VIEWER))["viewer"] is not None


async def test_signing_out_without_a_session_is_fine(world: World) -> None:
    assert await world.client().do(SIGN_OUT) == {"ok": True}


async def test_signing_out_the_others_keeps_this_session(world: World) -> None:
    here, there, stranger = await world.sign_in("mia"), await world.sign_in("mia"), await world.sign_in("adam")
    assert await here.do(SIGN_OUT_OTHERS) == {"count": 1}
    assert (await here.ask(VIEWER))["viewer"] is not None
    assert await there.ask(VIEWER) == {"viewer": None}
    assert (await stranger.ask(VIEWER))["viewer"] is not None


@pytest.mark.parametrize("moved", ENDED.values(), ids=ENDED)
async def test_a_session_ends_by_itself(world: World, moved: str) -> None:
    client = await world.sign_in("mia")
    await world.database.execute(f"UPDATE sessions SET {moved}")
    assert await client.ask(VIEWER) == {"viewer": None}


@pytest.mark.parametrize("moved", ENDED.values(), ids=ENDED)
async def test_what_has_ended_by_itself_is_neither_shown_nor_counted_among_the_others(world: World, moved: str) -> None:
    for _ in range(2):
        await world.sign_in("mia")
    await world.database.execute(f"UPDATE sessions SET {moved}")
    await world.sign_in("mia")
    here = await world.sign_in("mia")
    sessions = (await here.ask(VIEWER))["viewer"]["sessions"]
    assert sorted(session["current"] for session in sessions) == [False, True]
    assert await here.do(SIGN_OUT_OTHERS) == {"count": 1}


async def test_use_keeps_a_session_from_idling_out(world: World) -> None:
    client = await world.sign_in("mia")
    await world.database.execute("UPDATE sessions SET last_used_at = now() - interval '6 days 23 hours'")
    await client.ask(VIEWER)
    assert await world.database.fetchval("SELECT now() - last_used_at < interval '1 minute' FROM sessions")


async def test_the_sessions_tell_from_where_and_which_is_this_one(world: World) -> None:
    await world.sign_in("mia")
    client = world.client(**{"user-agent": "Firefox\tTest"})
    client.token = (await client.do(SIGN_IN, email=email("mia"), password=PASSWORD))["sessionToken"]
    sessions = (await client.ask(VIEWER))["viewer"]["sessions"]
    assert [s["current"] for s in sessions].count(True) == 1
    assert {"current": True, "userAgent": "FirefoxTest", "ipAddress": "127.0.0.1"} in sessions


async def test_the_session_used_last_comes_first(world: World) -> None:
    older, newer = await world.sign_in("mia"), await world.sign_in("mia")
    for client in (older, newer, older):
        sessions = (await client.ask(LAST_USED))["viewer"]["sessions"]
        assert [session["current"] for session in sessions] == [True, False]
        assert sessions[0]["lastUsedAt"] >= sessions[1]["lastUsedAt"]


async def test_only_the_hash_of_a_token_is_kept(world: World) -> None:
    client = await world.sign_in("mia")
    assert client.token is not None
    kept = await world.database.fetchval("SELECT string_agg(sessions::text, ' ') FROM sessions")
    assert client.token not in kept
    assert client.token.encode().hex() not in kept


async def test_with_a_cookie_the_token_never_shows_and_the_cookie_signs_in(world: World) -> None:
    client = world.client()
    answer = await client.do(WITH_COOKIE, email=email("mia"), password=PASSWORD)
    assert (answer["sessionToken"], answer["viewer"]["email"]) == (None, email("mia"))
    assert (await client.ask(VIEWER))["viewer"]["email"] == email("mia")
    await client.do(SIGN_OUT)
    assert "gatehouse" not in client.http.cookies


async def test_the_cookie_is_http_only_lax_and_lasts_as_the_session(world: World) -> None:
    client = world.client()
    body = {"query": WITH_COOKIE, "variables": {"email": email("mia"), "password": PASSWORD}}
    answer = await client.http.post("/graphql", json=body)
    lifetimes = {"gatehouse": 30 * DAY_S, "gatehouse-device": 180 * DAY_S}  # the public URL is plain http on loopback
    for cookie, (name, lifetime) in zip(answer.headers.get_list("set-cookie"), lifetimes.items(), strict=True):
        assert cookie.startswith(f"{name}=")
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert attributes == {"Path=/", f"Max-Age={lifetime}", "HttpOnly", "SameSite=Lax"}


async def test_reauthenticating_renews_the_freshness(world: World) -> None:
    client = await world.sign_in("mia")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '15 minutes'")
    assert await client.refusal(BEGIN_TYPE) == "REAUTHENTICATION_REQUIRED"
    assert (await reauthenticate(client, "wrong"))["__typename"] == "InvalidCredentials"
    assert await client.refusal(BEGIN_TYPE) == "REAUTHENTICATION_REQUIRED"
    assert (await reauthenticate(client, PASSWORD))["__typename"] == "Reauthenticated"
    assert (await client.do(BEGIN_TYPE))["__typename"] == "MfaEnrollment"


async def test_a_weak_hash_is_renewed_by_a_sign_in(costly: World) -> None:
    world = costly
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await world.database.execute("UPDATE users SET password_hash = $1 WHERE email = $2", weak, email("mia"))
    await world.sign_in("mia")
    renewed = await world.database.fetchval("SELECT password_hash FROM users WHERE email = $1", email("mia"))
    assert "m=19456,t=2,p=1" in renewed
    await world.sign_in("mia")


async def reauthenticate(client: Client, password: str) -> dict[str, object]:
    """Show the password again."""
    return await client.do(
        REAUTHENTICATE_TYPE,
        p=password,
    )


async def test_forty_right_passwords_at_once_are_all_right(world: World) -> None:
    client = world.client()
    answers = await asyncio.gather(*(client.do(SIGN_IN, email=email("mia"), password=PASSWORD) for _ in range(40)))
    assert {answer["__typename"] for answer in answers} == {"SignedIn"}


async def test_sign_outs_and_ended_sessions_are_told_once_each(world: World) -> None:
    here, *_ = [await world.sign_in("mia") for _ in range(4)]
    last = await world.database.fetchval("SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert await (await world.sign_in("adam")).refusal(END, id=str(last)) == "NOT_FOUND"
    assert await here.do(END, id=str(last)) == {"sessionId": str(last)}
    assert await here.refusal(END, id=str(last)) == "NOT_FOUND"
    for count in (2, 0):
        assert await here.do(SIGN_OUT_OTHERS) == {"count": count}
    await asyncio.gather(*(here.do(SIGN_OUT) for _ in range(10)))
    told = await world.events("SESSIONS_ENDED", "SIGNED_OUT")
    assert [(event["type"], event["data"].get("count")) for event in told] == [
        ("SESSIONS_ENDED", 1),
        ("SESSIONS_ENDED", 2),
        ("SIGNED_OUT", None),
    ]
    mia = await world.user_id("mia")
    assert {(event["subject_id"], event["actor_id"]) for event in told} == {(mia, mia)}
    assert [event["data"]["sessionMethod"] for event in told] == ["pwd"] * 3
