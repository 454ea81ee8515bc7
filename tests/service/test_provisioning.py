"""A product's backend keeps the staff: by its own ids, once for each idempotency key, and in its own account."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from db import external_ids
from resolvers.provisioning import replace_email
from rules.links import INVITATION, Purpose
from rules.service_keys import Right, ServiceKey
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.line import Line
from tests.people import World, facts_of
from tests.service.operations import (
    CHANGE_EMAIL,
    CHANGE_ROLE,
    PROVISION,
    REMOVE,
    SERVICE_SIGN_IN,
    backend,
    invite_elsewhere,
)


def nina(world: World, **changes: Any) -> dict[str, Any]:
    """The input that lets Nina be a member of the agency."""
    account = {"accountId": str(world.account_id)}
    return account | {"externalId": "77", "email": "nina@agency.example", "role": "MEMBER"} | changes


async def test_a_person_becomes_staff_gets_another_role_and_leaves(world: World) -> None:
    web = await backend(world, Right.PROVISION)
    made = await web.do(PROVISION, input=nina(world))
    assert (made["email"], made["role"], made["externalId"]) == ("nina@agency.example", "MEMBER", "77")
    assert str(await world.staff_id("nina")) == made["staffId"]
    same = {"accountId": str(world.account_id), "externalId": "77"}
    assert (await web.do(CHANGE_ROLE, input={**same, "role": "ADMIN"}))["role"] == "ADMIN"
    assert (await web.do(CHANGE_ROLE, input={**same, "role": "ADMIN"}))["role"] == "ADMIN"
    assert (await web.do(REMOVE, input=same))["userId"] == made["userId"]
    again = await web.do(REMOVE, input=same)
    assert (again["__typename"], again["field"]) == ("InvalidInput", "externalId")
    events = await world.events()
    assert [e["type"] for e in events] == ["STAFF_ADDED", "STAFF_ROLE_CHANGED", "STAFF_REMOVED"]
    assert {(e["service_key"], e["account_id"], str(e["subject_id"])) for e in events} == {
        ("web", world.account_id, made["userId"])
    }


async def test_the_same_again_is_no_change_with_or_without_a_key(world: World) -> None:
    web = await backend(world)
    first = await web.do(PROVISION, input=nina(world))
    assert await web.do(PROVISION, input=nina(world)) == first
    assert len(await world.events("STAFF_ADDED")) == 1


async def test_one_idempotency_key_does_one_thing_however_often_and_at_once_it_comes(world: World) -> None:
    web, successor = await backend(world), await backend(world)
    given = nina(world, idempotencyKey="k-1")
    answers = await asyncio.gather(*(client.do(PROVISION, input=given) for client in [web, successor] * 10))
    assert all(answer == answers[0] for answer in answers)
    assert len(await world.events("STAFF_ADDED")) == 1
    await web.do(REMOVE, input={"accountId": str(world.account_id), "externalId": "77", "idempotencyKey": "k-2"})
    assert await web.do(PROVISION, input=given) == answers[0]
    assert len(await world.events("STAFF_ADDED")) == 1


@pytest.mark.parametrize("operation", [PROVISION, REMOVE])
async def test_the_same_key_with_other_input_is_refused(world: World, operation: str) -> None:
    web = await backend(world)
    await web.do(PROVISION, input=nina(world, idempotencyKey="k"))
    other = nina(world, idempotencyKey="k", role="ADMIN")
    if operation == REMOVE:
        other = {name: other[name] for name in ("accountId", "externalId", "idempotencyKey")}
    answer = await web.do(operation, input=other)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "idempotencyKey")
    assert len(await world.events()) == 1


async def test_another_accounts_key_is_another_key(world: World) -> None:
    agency = await backend(world, account_id=world.account_id)
    other = await backend(world, account_id=world.other_account_id)
    given = {"externalId": "1", "email": "nina@agency.example", "role": "MEMBER", "idempotencyKey": "k"}
    assert (await agency.do(PROVISION, input=given))["__typename"] == "StaffProvisioned"
    assert (await other.do(PROVISION, input={**given, "role": "ADMIN"}))["__typename"] == "StaffProvisioned"


async def test_after_a_day_the_key_is_forgotten_and_after_a_failure_it_was_never_used(world: World) -> None:
    web = await backend(world)
    wrong = await web.do(PROVISION, input=nina(world, email="nina", idempotencyKey="k"))
    assert (wrong["__typename"], wrong["field"]) == ("InvalidInput", "email")
    assert (await web.do(PROVISION, input=nina(world, idempotencyKey="k")))["__typename"] == "StaffProvisioned"
    await world.database.execute("UPDATE service_answers SET created_at = created_at - interval '24 hours 1 second'")
    answer = await web.do(PROVISION, input=nina(world, externalId="78", email="nils@x.example", idempotencyKey="k"))
    assert answer["email"] == "nils@x.example"


@pytest.mark.parametrize("operation", [PROVISION, CHANGE_ROLE, REMOVE])
async def test_another_accounts_id_is_not_there(world: World, operation: str) -> None:
    other = await backend(world, account_id=world.other_account_id)
    given = nina(world, externalId="1")
    if operation != PROVISION:
        given.pop("email")
    if operation == REMOVE:
        given.pop("role")
    assert await other.refusal(operation, input=given) == "NOT_FOUND"
    assert await world.events() == []


async def test_one_accounts_external_ids_mean_nothing_to_another(world: World) -> None:
    product = await backend(world)
    await product.do(PROVISION, input=nina(world))
    other = await backend(world, account_id=world.other_account_id)
    for operation, more in ((CHANGE_ROLE, {"role": "ADMIN"}), (REMOVE, {}), (CHANGE_EMAIL, {"email": "e@x.example"})):
        answer = await other.do(operation, input={"externalId": "77", **more})
        assert (answer["__typename"], answer["field"]) == ("InvalidInput", "externalId")
    assert len(await world.events()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nina"}, "email"),
        ({"email": "mia@agency.example"}, "email"),
        ({"externalId": ""}, "externalId"),
        ({"externalId": "x" * 256}, "externalId"),
        ({"externalId": "78"}, "externalId"),
        ({"role": "OWNER"}, "role"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"accountId": None}, "accountId"),
    ],
)
async def test_what_cannot_be_taken_names_its_field_and_changes_nothing(
    world: World, changes: dict[str, Any], field: str
) -> None:
    web = await backend(world)
    await web.do(PROVISION, input=nina(world))
    answer = await web.do(PROVISION, input=nina(world, **changes))
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)
    assert len(await world.events()) == 1


async def test_the_last_owner_stays(world: World) -> None:
    web = await backend(world)
    await web.do(PROVISION, input=nina(world, externalId="1", email="olive@agency.example", role="OWNER"))
    same = {"accountId": str(world.account_id), "externalId": "1"}
    for operation, more in ((CHANGE_ROLE, {"role": "MEMBER"}), (REMOVE, {})):
        answer = await web.do(operation, input={**same, **more})
        assert answer["__typename"] == "NotPermitted"
    assert await world.events() == []


async def test_an_address_changes_with_everything_that_follows_it(world: World) -> None:
    web = await backend(world)
    await web.do(PROVISION, input=nina(world, externalId="1", email="mia@agency.example"))
    changed = await web.do(CHANGE_EMAIL, input={"externalId": "1", "email": "Mia@new.example"})
    assert changed["email"] == "mia@new.example"
    answer = await web.do(SERVICE_SIGN_IN, input={"email": "mia@new.example"})
    assert answer["__typename"] == "SignedIn"
    assert await world.database.fetchval("SELECT count(*) FROM staff WHERE email = 'mia@new.example'") == 1
    (event,) = await world.events("EMAIL_CHANGED")
    assert facts_of(event) == {"previousEmail": "mia@agency.example", "email": "mia@new.example"}
    assert (await web.do(CHANGE_EMAIL, input={"externalId": "1", "email": "mia@new.example"})) == changed
    taken = await web.do(CHANGE_EMAIL, input={"externalId": "1", "email": "adam@agency.example"})
    assert (taken["__typename"], taken["field"]) == ("InvalidInput", "email")
    assert len(await world.events("EMAIL_CHANGED")) == 1


async def test_a_link_that_the_earlier_mailbox_holds_is_void(world: World) -> None:
    web = await backend(world)
    await web.do(PROVISION, input=nina(world, externalId="1", email="mia@agency.example"))
    token = await link_to(world, "mia@agency.example", Purpose.PASSWORD_RESET)
    await web.do(CHANGE_EMAIL, input={"externalId": "1", "email": "mia@new.example"})
    answer = await world.client().do(SET, token=token, password="another long battery")
    assert answer["__typename"] == "LinkExpired"


async def test_both_the_old_and_the_new_address_hear_of_a_change(line: Line) -> None:
    key = ServiceKey(UUID(int=1), "web", frozenset({Right.PROVISION}), None)
    known = await external_ids.find(line.database, None, email="mia@agency.example")
    assert known is not None
    await line.start("relay", "worker")
    async with line.database.transaction():
        await replace_email(line.database, known, "mia@new.example", key)
    await line.mailbox.wait_for(2)
    for address in ("mia@agency.example", "mia@new.example"):
        assert line.mailbox.subjects(address) == ["Your email address was changed"]


async def test_a_key_of_one_account_changes_no_address_of_somebody_of_two(world: World) -> None:
    other = await backend(world, account_id=world.other_account_id)
    await other.do(PROVISION, input={"externalId": "1", "email": "mia@agency.example", "role": "MEMBER"})
    answer = await other.do(CHANGE_EMAIL, input={"externalId": "1", "email": "mallory@x.example"})
    assert answer["__typename"] == "NotPermitted"
    assert await world.events("EMAIL_CHANGED") == []


async def test_a_key_of_one_account_changes_no_address_of_somebody_whom_another_one_awaits(world: World) -> None:
    agency = await backend(world, account_id=world.account_id)
    await agency.do(PROVISION, input={"externalId": "1", "email": "mia@agency.example", "role": "MEMBER"})
    await invite_elsewhere(world, "mia")
    changing = {"externalId": "1", "email": "mallory@x.example"}
    assert (await agency.do(CHANGE_EMAIL, input=changing))["__typename"] == "NotPermitted"
    assert await world.events("EMAIL_CHANGED") == []
    # No longer than they may come.
    await world.database.execute("UPDATE staff SET invited_at = invited_at - $1::interval", INVITATION.lifetime)
    assert (await agency.do(CHANGE_EMAIL, input=changing))["__typename"] == "EmailChanged"


async def bind_domain(world: World, domain: str) -> None:
    """Let the domain be the agency's."""
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ($1, $2, 'own')"
    await world.database.execute(bind, domain, world.account_id)


async def test_a_key_takes_nobody_to_its_account_who_is_of_anothers_domain(world: World) -> None:
    await bind_domain(world, "agency.example")
    other = await backend(world, account_id=world.other_account_id)
    mia = {"externalId": "1", "email": "mia@agency.example", "role": "MEMBER"}
    await invite_elsewhere(world, "mia")
    assert (await other.do(PROVISION, input=mia))["__typename"] == "InvalidInput"
    made = await other.do(PROVISION, input=mia | {"email": "nina@other.example"})
    assert made["__typename"] == "StaffProvisioned"
    answer = await other.do(CHANGE_EMAIL, input={"externalId": "1", "email": "new@agency.example"})
    assert answer["__typename"] == "InvalidInput"
    assert await world.events("EMAIL_CHANGED") == []
    assert len(await world.events("STAFF_ADDED")) == 1


async def test_a_key_takes_nobody_back_whose_domain_has_become_anothers(world: World) -> None:
    other = await backend(world, account_id=world.other_account_id)
    mia = {"externalId": "1", "email": "mia@agency.example", "role": "MEMBER"}
    assert (await other.do(PROVISION, input=mia))["__typename"] == "StaffProvisioned"
    await bind_domain(world, "agency.example")
    # While she is there the same again is no change; her id outlives her being taken away.
    assert (await other.do(PROVISION, input=mia))["__typename"] == "StaffProvisioned"
    assert (await other.do(REMOVE, input={"externalId": "1"}))["__typename"] == "StaffRemoved"
    refused = await other.do(PROVISION, input=mia)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "email")
    assert [event["type"] for event in await world.events()] == ["STAFF_ADDED", "STAFF_REMOVED"]


async def test_a_key_keeps_its_own_domains_people_and_whoever_has_come(world: World) -> None:
    await bind_domain(world, "agency.example")
    agency = await backend(world, account_id=world.account_id)
    nina = {"externalId": "1", "email": "nina@agency.example", "role": "MEMBER"}
    assert (await agency.do(PROVISION, input=nina))["__typename"] == "StaffProvisioned"
    other = await backend(world, account_id=world.other_account_id)
    sam = {"externalId": "2", "email": "sam@agency.example", "role": "OWNER"}
    assert (await other.do(PROVISION, input=sam))["__typename"] == "StaffProvisioned"
    product = await backend(world)
    mia = {"accountId": str(world.other_account_id), "externalId": "3", "email": "mia@agency.example", "role": "MEMBER"}
    assert (await product.do(PROVISION, input=mia))["__typename"] == "StaffProvisioned"
