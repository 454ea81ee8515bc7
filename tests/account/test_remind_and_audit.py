"""Reminding staff by hand, and reading what happened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.account.acts import ask_account, move_deadline, remind, reset, save
from tests.client import Client
from tests.operations import AUDIT, COMPLETE, DISABLE, REMIND
from tests.people import World, email


async def log(client: Client, world: World, **variables: Any) -> dict[str, Any]:
    """A page of the agency's audit log."""
    page: dict[str, Any] = await ask_account(client, world, AUDIT, **variables)
    return page


async def test_each_person_is_reminded_at_most_once_in_24_hours(world: World) -> None:
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    await world.enroll(olive)
    await save(olive, world, True)
    staff = [str(await world.staff_id(name)) for name in ("mia", "olive")]
    answers = await asyncio.gather(
        *(client.do(REMIND, account=str(world.account_id), staff=staff) for client in [olive, adam] * 5)
    )
    assert sum(a["remindedCount"] for a in answers) == 1
    assert sum(a["skippedCount"] for a in answers) == 19
    (event,) = await world.events("GRACE_REMINDER_SENT")
    assert (event["subject_id"], event["data"]["daysLeft"]) == (await world.user_id("mia"), 7)
    await world.database.execute("UPDATE staff SET reminder_claimed_at = now() - interval '23 hours 59 minutes'")
    assert (await remind(olive, world, "mia"))["remindedCount"] == 0
    await world.database.execute("UPDATE staff SET reminder_claimed_at = now() - interval '24 hours'")
    assert (await remind(olive, world, "mia"))["remindedCount"] == 1


async def test_without_a_requirement_nobody_is_reminded(world: World) -> None:
    olive = await world.sign_in("olive")
    assert await remind(olive, world, "mia") == {
        "__typename": "StaffReminded",
        "remindedCount": 0,
        "skippedCount": 1,
    }


async def test_past_the_deadline_people_may_still_be_reminded(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    await save(olive, world, True)
    await move_deadline(world, "now() - interval '1 hour'")
    assert (await remind(olive, world, "mia"))["remindedCount"] == 1
    (event,) = await world.events("GRACE_REMINDER_SENT")
    assert event["data"]["daysLeft"] == 0


@pytest.mark.parametrize("count", [0, 501])
async def test_one_to_five_hundred_may_be_reminded_at_once(world: World, count: int) -> None:
    olive = await world.sign_in("olive")
    answer = await olive.do(REMIND, account=str(world.account_id), staff=[str(n) for n in range(count)])
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "staffIds")


async def test_strangers_among_the_ids_are_skipped(world: World) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True)
    sam = await world.database.fetchval("SELECT id FROM staff WHERE email = $1", email("sam"))
    ids = [str(sam), "nonsense", str(await world.staff_id("mia"))]
    answer = await olive.do(REMIND, account=str(world.account_id), staff=ids)
    assert (answer["remindedCount"], answer["skippedCount"]) == (1, 2)


async def test_the_log_tells_what_happened_newest_first_in_plain_sentences(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    factor = await world.enroll(mia)
    other, token = await world.challenge("mia")
    await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    await reset(olive, world, "mia")
    await save(olive, world, True)
    nodes = (await log(olive, world))["nodes"]
    sentences = [node["summary"] for node in nodes]
    assert sentences[0].startswith("olive@agency.example required MFA of all staff by ")
    assert sentences[1:] == [
        "olive@agency.example reset the MFA of mia@agency.example.",
        "mia@agency.example signed in.",
        "mia@agency.example signed in with a backup code; 9 left.",
        "mia@agency.example turned on MFA.",
        "mia@agency.example signed in.",
        "olive@agency.example turned on MFA.",
        "olive@agency.example signed in.",
    ]
    assert (nodes[1]["type"], nodes[1]["actorEmail"], nodes[1]["subjectEmail"]) == (
        "MFA_RESET",
        email("olive"),
        email("mia"),
    )
    for secret in (factor.secret, *factor.backup_codes, str(mia.token)):
        assert secret not in str(nodes)


async def test_the_log_is_filtered_by_type_and_email_and_paged(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    for _ in range(11):
        await mia.do(DISABLE, code="000000")
    only = await log(olive, world, filter={"types": ["MFA_ENABLED", "MFA_CHALLENGE_LOCKED"]})
    assert [n["type"] for n in only["nodes"]] == ["MFA_CHALLENGE_LOCKED", "MFA_ENABLED"]
    hers = await log(olive, world, filter={"email": "MIA@agency.example"})
    told = ["MFA_CHALLENGE_LOCKED", *["CODE_REJECTED"] * 4, "MFA_ENABLED", "SIGN_IN_SUCCEEDED"]
    assert [n["type"] for n in hers["nodes"]] == told
    assert (await log(olive, world, filter={"types": []}))["nodes"] == []
    first = await log(olive, world, first=2)
    assert first["pageInfo"]["hasNextPage"] is True
    rest = await log(olive, world, first=500, after=first["pageInfo"]["endCursor"])
    everything = await log(olive, world)
    assert first["nodes"] + rest["nodes"] == everything["nodes"]


async def test_a_sign_in_shows_in_every_account_the_person_was_staff_of_then(world: World) -> None:
    olive, sam = await world.sign_in("olive"), await world.sign_in("sam")
    query = AUDIT.replace("auditLog(first: $first, after: $after, filter: $filter)", "auditLog")
    query = query.replace(", $first: Int, $after: String, $filter: AuditFilter", "")
    assert [n["subjectEmail"] for n in (await log(olive, world))["nodes"]] == [email("olive")]
    theirs = (await sam.ask(query, account=str(world.other_account_id)))["account"]["auditLog"]["nodes"]
    assert [n["subjectEmail"] for n in theirs] == [email("sam")]
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.account_id,
        await world.user_id("sam"),
        email("sam"),
    )
    await world.sign_in("sam")
    assert [n["subjectEmail"] for n in (await log(olive, world))["nodes"]] == [email("sam"), email("olive")]


async def test_the_log_tells_from_where_and_by_what_somebody_came(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    factor = await world.enroll(mia)
    for answer in ({"backupCode": factor.backup_codes[0]}, {"totp": await factor.code()}):
        other, token = await world.challenge("mia")
        await other.do(COMPLETE, token=token, code=answer)
    await save(olive, world, True)
    nodes = (await log(olive, world))["nodes"]
    assert [(node["type"], node["method"]) for node in nodes] == [
        ("POLICY_ENABLED", "pwd"),
        ("SIGN_IN_SUCCEEDED", "pwd otp mfa"),
        ("SIGN_IN_SUCCEEDED", "pwd backup_code mfa"),
        ("BACKUP_CODE_USED", "backup_code"),
        ("MFA_ENABLED", "otp"),
        ("SIGN_IN_SUCCEEDED", "pwd"),
        ("MFA_ENABLED", "otp"),
        ("SIGN_IN_SUCCEEDED", "pwd"),
    ]
    (stored, *_) = await world.events("SIGN_IN_SUCCEEDED")
    told = (stored["data"]["ipAddress"], stored["data"]["userAgent"])
    assert {(node["ipAddress"], node["userAgent"]) for node in nodes} == {told}
