"""Setting a password by a link, changing it, and what both end and leave alone."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

import pytest

from rules.links import Purpose
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE, END, INVITE, MEMBERS, REVOKE, SET
from tests.operations import COMPLETE, MEMBERSHIPS, OWN_SESSIONS, ROLES, SIGN_IN, VIEWER_EMAIL
from tests.people import PASSWORD, World, email, facts_of, require_mfa

NEW = "a wholly other phrase"


async def set_password(world: World, token: str, password: str = NEW) -> dict[str, Any]:
    return await world.client().do(SET, token=token, password=password)


async def sign_in(world: World, address: str, password: str) -> dict[str, Any]:
    return await world.client().do(SIGN_IN, email=address, password=password)


async def invited(world: World, address: str = "new@agency.example", role: str = "ADMIN") -> str:
    """The token of a fresh invitation by Olive."""
    olive = await world.sign_in("olive")
    answer = await olive.do(INVITE, account=str(world.account_id), email=address, role=role)
    assert answer["__typename"] == "StaffInvited", answer
    return await link_to(world, address, Purpose.INVITATION, minutes=7 * 24 * 60)


async def test_whoever_comes_by_an_invitation_has_the_role_from_then_on(world: World) -> None:
    token = await invited(world)
    assert await set_password(world, token) == {"__typename": "PasswordSet", "email": "new@agency.example"}
    client = world.client()
    client.token = (await client.do(SIGN_IN, email="new@agency.example", password=NEW))["sessionToken"]
    staff = (await client.ask(MEMBERS, account=str(world.account_id), filter={"search": "new@"}))["account"]["staff"]
    (member,) = staff["nodes"]
    assert (member["state"], member["role"], member["invitation"]) == ("ACTIVE", "ADMIN", None)
    added, changed = await world.events("STAFF_ADDED", "PASSWORD_CHANGED")
    assert (added["account_id"], facts_of(added)) == (world.account_id, {"role": "ADMIN"})
    assert changed["data"]["isFirst"] is True
    shown = await world.database.fetchval(
        "SELECT count(*) FROM account_events WHERE account_id = $1 AND event_id = $2", world.account_id, changed["id"]
    )
    assert shown == 1


async def test_somebody_known_elsewhere_comes_with_their_account_and_factor_as_they_are(world: World) -> None:
    factor = await world.enroll(await world.sign_in("sam"))
    token = await invited(world, email("sam"), "MEMBER")
    assert (await set_password(world, token))["__typename"] == "PasswordSet"
    challenge = await sign_in(world, email("sam"), NEW)
    assert challenge["__typename"] == "MfaChallenge"
    client = world.client()
    done = await client.do(COMPLETE, token=challenge["challengeToken"], code={"totp": await factor.code()})
    client.token = done["sessionToken"]
    memberships = (await client.ask(MEMBERSHIPS))["viewer"]["memberships"]
    assert sorted(m["account"]["name"] for m in memberships) == ["Agency", "Other"]


async def test_an_invited_person_who_forgot_to_come_comes_by_the_link_of_a_reset(world: World) -> None:
    await invited(world)
    token = await link_to(world, "new@agency.example", Purpose.PASSWORD_RESET)
    assert (await set_password(world, token))["__typename"] == "PasswordSet"
    client = world.client()
    client.token = (await client.do(SIGN_IN, email="new@agency.example", password=NEW))["sessionToken"]
    shown = await client.ask(ROLES)
    assert shown["viewer"]["memberships"] == [{"role": "ADMIN", "account": {"name": "Agency"}}]
    assert len(await world.events("STAFF_ADDED")) == 1


@pytest.mark.parametrize("case", ["has a password", "is staff elsewhere", "invited too long ago", "revoked"])
async def test_a_reset_accepts_no_other_invitation(world: World, case: str) -> None:
    address = email("sam") if case in {"has a password", "is staff elsewhere"} else "new@agency.example"
    await invited(world, address)
    change = {
        "is staff elsewhere": "UPDATE users SET password_hash = NULL WHERE email LIKE 'sam@%'",
        "invited too long ago": "UPDATE staff SET invited_at = invited_at - interval '7 days' WHERE email LIKE 'new@%'",
        "revoked": "DELETE FROM staff WHERE email LIKE 'new@%'",
    }
    await world.database.execute(change.get(case, "SELECT"))
    token = await link_to(world, address, Purpose.PASSWORD_RESET)
    assert (await set_password(world, token))["__typename"] == "PasswordSet"
    assert await world.events("STAFF_ADDED") == []


async def test_a_revoked_or_replaced_invitation_is_worth_nothing(world: World) -> None:
    olive = await world.sign_in("olive")
    first = await invited(world)
    await world.database.execute("UPDATE staff SET invited_at = invited_at - interval '1 min' WHERE email LIKE 'new%'")
    second = await invited(world)
    assert (await set_password(world, first))["__typename"] == "LinkExpired"
    invitation = (await olive.ask(MEMBERS, account=str(world.account_id), filter={"state": "INVITED"}))["account"]
    revoked = invitation["staff"]["nodes"][0]["invitation"]["id"]
    assert (await olive.do(REVOKE, account=str(world.account_id), id=revoked))["__typename"] == "InvitationRevoked"
    assert (await set_password(world, second))["__typename"] == "LinkExpired"
    assert (await sign_in(world, "new@agency.example", NEW))["__typename"] == "InvalidCredentials"
    assert await world.events("PASSWORD_CHANGED", "STAFF_ADDED") == []


async def test_a_reset_ends_every_session_and_challenge_and_leaves_mfa_alone(world: World) -> None:
    mia = await world.sign_in("mia")
    await world.enroll(mia)
    _, challenge = await world.challenge("mia")
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await set_password(world, token))["__typename"] == "PasswordSet"
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": None}
    stale = await world.client().do(COMPLETE, token=challenge, code={"totp": "123456"})
    assert stale["__typename"] == "ChallengeExpired"
    assert (await sign_in(world, email("mia"), PASSWORD))["__typename"] == "InvalidCredentials"
    assert (await sign_in(world, email("mia"), NEW))["__typename"] == "MfaChallenge"
    (event,) = await world.events("PASSWORD_CHANGED")
    assert event["subject_id"] == await world.user_id("mia")
    assert event["data"]["isFirst"] is False


async def test_a_resets_demand_stands_after_a_new_password(world: World) -> None:
    await world.database.execute("UPDATE users SET reenrollment_required_at = now() WHERE email = $1", email("adam"))
    await set_password(world, await link_to(world, email("adam"), Purpose.PASSWORD_RESET))
    client = world.client()
    client.token = (await client.do(SIGN_IN, email=email("adam"), password=NEW))["sessionToken"]
    assert await client.refusal(MEMBERS, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"


async def test_fifty_with_one_token_at_once_set_one_password(world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    client = world.client()
    passwords = [f"{NEW} {number}" for number in range(50)]
    answers = await asyncio.gather(*(client.do(SET, token=token, password=password) for password in passwords))
    kinds = [answer["__typename"] for answer in answers]
    assert (kinds.count("PasswordSet"), kinds.count("LinkExpired")) == (1, 49)
    won = passwords[kinds.index("PasswordSet")]
    assert (await sign_in(world, email("mia"), won))["__typename"] == "SignedIn"
    assert len(await world.events("PASSWORD_CHANGED")) == 1


async def test_one_reset_uses_up_the_persons_other_links_but_nobody_elses(world: World) -> None:
    one, other = [await link_to(world, email("mia"), Purpose.PASSWORD_RESET) for _ in range(2)]
    adams = await link_to(world, email("adam"), Purpose.PASSWORD_RESET)
    assert (await set_password(world, one))["__typename"] == "PasswordSet"
    assert (await set_password(world, one))["__typename"] == "LinkExpired"
    assert (await set_password(world, other))["__typename"] == "LinkExpired"
    assert (await set_password(world, adams))["__typename"] == "PasswordSet"


@pytest.mark.parametrize("token", ["", "gh_l_", "gh_l_" + "a" * 43, "gh_s_" + "a" * 43, "gh_l_" + "a" * 5000, "gh_l_ä"])
async def test_a_made_up_token_is_worth_nothing(world: World, token: str) -> None:
    assert (await set_password(world, token))["__typename"] == "LinkExpired"


async def test_a_link_ends_with_its_time(world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET, minutes=0)
    assert (await set_password(world, token))["__typename"] == "LinkExpired"


async def test_only_the_hash_of_a_token_is_kept(world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    kept = await world.database.fetchval("SELECT string_agg(links::text, ' ') FROM links")
    assert token not in kept
    assert token.encode().hex() not in kept


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("fourteen chars", "at least 15 characters"),
        ("x" * 1001, "at most 1,000"),
        ("passwordpassword", "most common"),
        ("12345678901234567890", "most common"),
        ("mia@agency.example", "your email"),
        ("TaskJuice TaskJuice", "product's name"),
        ("gatehouse-2026!", "product's name"),
    ],
)
async def test_a_refused_password_says_why_and_leaves_the_link(world: World, password: str, reason: str) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    refused = await set_password(world, token, password)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "password")
    assert reason in refused["message"]
    assert password not in refused["message"]
    assert (await set_password(world, token))["__typename"] == "PasswordSet"


async def test_eight_characters_are_enough_where_a_second_factor_is_required(world: World) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=7)
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await set_password(world, token, "7 chars"))["__typename"] == "InvalidInput"
    assert (await set_password(world, token, "8 chars."))["__typename"] == "PasswordSet"
    assert (await sign_in(world, email("mia"), "8 chars."))["__typename"] == "SignedIn"


@pytest.mark.parametrize(
    "password",
    [
        "🦊🐻🐼🐨🐯" * 3,
        " leading and trailing ",
        "pass\tword\nof lines.",
        "äöüß" * 16,
        "日本語のとても長い合言葉ですよ。",
    ],
)
async def test_any_character_may_stand_in_a_password(world: World, password: str) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await set_password(world, token, password))["__typename"] == "PasswordSet"
    assert (await sign_in(world, email("mia"), password))["__typename"] == "SignedIn"


async def test_one_password_typed_on_two_keyboards_is_one(world: World) -> None:
    composed, decomposed = (unicodedata.normalize(form, "crème brûlée à la carte") for form in ("NFC", "NFD"))
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    await set_password(world, token, decomposed)
    for typed in (composed, decomposed):
        assert (await sign_in(world, email("mia"), typed))["__typename"] == "SignedIn"


async def test_a_hash_made_of_the_text_as_it_came_is_taken_and_renewed(world: World) -> None:
    from argon2 import PasswordHasher

    decomposed = unicodedata.normalize("NFD", "crème brûlée à la carte")
    raw = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(decomposed)
    await world.database.execute("UPDATE users SET password_hash = $1 WHERE email = $2", raw, email("mia"))
    assert (await sign_in(world, email("mia"), decomposed))["__typename"] == "SignedIn"
    composed = unicodedata.normalize("NFC", decomposed)
    assert (await sign_in(world, email("mia"), composed))["__typename"] == "SignedIn"


async def change(client: Client, current: str, new: str) -> dict[str, Any]:
    return await client.do(CHANGE, current=current, new=new)


async def test_changing_the_password_keeps_this_session_and_ends_the_others(world: World) -> None:
    here, there = await world.sign_in("mia"), await world.sign_in("mia")
    reset = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    changed = await change(here, PASSWORD, NEW)
    assert changed == {"__typename": "PasswordChanged", "viewer": {"email": email("mia")}}
    assert (await here.ask(OWN_SESSIONS))["viewer"] is not None
    assert (await there.ask(OWN_SESSIONS))["viewer"] is None
    assert (await set_password(world, reset))["__typename"] == "LinkExpired"
    assert (await sign_in(world, email("mia"), NEW))["__typename"] == "SignedIn"
    assert len(await world.events("PASSWORD_CHANGED")) == 1


async def test_a_wrong_current_password_changes_nothing_and_is_a_guess(world: World) -> None:
    mia = await world.sign_in("mia")
    for _ in range(10):
        assert (await change(mia, "wrong", NEW))["__typename"] == "InvalidCredentials"
    assert (await change(mia, PASSWORD, NEW))["__typename"] == "TooManyAttempts"
    assert await world.events("PASSWORD_CHANGED") == []


async def test_a_refused_new_password_is_no_guess(world: World) -> None:
    mia = await world.sign_in("mia")
    for _ in range(11):
        refused = await change(mia, PASSWORD, "short")
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "newPassword")
    assert (await change(mia, PASSWORD, NEW))["__typename"] == "PasswordChanged"


async def test_changing_the_password_asks_for_a_session_and_a_fresh_proof(world: World) -> None:
    assert await world.client().refusal(CHANGE, current=PASSWORD, new=NEW) == "UNAUTHENTICATED"
    mia = await world.sign_in("mia")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '2 hours'")
    assert await mia.refusal(CHANGE, current=PASSWORD, new=NEW) == "REAUTHENTICATION_REQUIRED"


async def test_of_two_changes_at_once_one_holds(world: World) -> None:
    mia = await world.sign_in("mia")
    answers = await asyncio.gather(*(change(mia, PASSWORD, f"{NEW} {n}") for n in range(10)))
    kinds = [answer["__typename"] for answer in answers]
    assert (kinds.count("PasswordChanged"), kinds.count("InvalidCredentials")) == (1, 9)
    won = f"{NEW} {kinds.index('PasswordChanged')}"
    assert (await sign_in(world, email("mia"), won))["__typename"] == "SignedIn"


async def test_one_session_is_ended_and_no_strangers(world: World) -> None:
    here, there, stranger = await world.sign_in("mia"), await world.sign_in("mia"), await world.sign_in("adam")
    sessions = (await here.ask(OWN_SESSIONS))["viewer"]["sessions"]
    (other,) = [session["id"] for session in sessions if not session["current"]]
    (own,) = [session["id"] for session in sessions if session["current"]]
    assert await stranger.refusal(END, id=other) == "NOT_FOUND"
    assert await world.client().refusal(END, id=other) == "UNAUTHENTICATED"
    assert await here.do(END, id=other) == {"sessionId": other}
    assert await here.refusal(END, id=other) == "NOT_FOUND"
    assert await here.refusal(END, id="nonsense") == "NOT_FOUND"
    assert (await there.ask(OWN_SESSIONS))["viewer"] is None
    assert await here.do(END, id=own) == {"sessionId": own}
    assert (await here.ask(OWN_SESSIONS))["viewer"] is None
