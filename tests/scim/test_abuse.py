"""What strangers, other keys and other accounts' directories try, and what is too much."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from rules.service_keys import Right
from server.transport.admission import Room
from tests.client import CAPACITY, SERVED, serving, settings_for
from tests.operations import SIGN_IN
from tests.people import PASSWORD, World, email
from tests.scim.directory import PATCH, USER, directory
from tests.service.operations import PROVISION, backend
from tests.transport.held import Held, admission_of, on_their_way
from tests.waiting import until

# As a filter's text may write them, and no database stores them: the NUL character and half of a surrogate pair.
NEVER_STORED = ["\\u0000", "\\ud800"]
OFF = {"op": "replace", "path": "active", "value": False}


async def test_no_other_token_opens_the_door(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    _, challenge = await world.challenge("olive")
    okta = await directory(world)
    webhook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    same_under_others = [prefix + okta.token.removeprefix("gh_k_") for prefix in ("gh_s_", "gh_c_", "gh_l_")]
    assert olive.token is not None
    for token in (
        olive.token,
        challenge,
        webhook_secret,
        "x",
        "gh_k_" + "A" * 43,
        okta.token + "x",
        *same_under_others,
    ):
        okta_like = await directory(world)
        okta_like.token = token
        answer = await okta_like.ask("GET", "/Users")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="scim"'), token
        assert answer.json()["status"] == "401"
    cookie = await okta.http.get("/scim/v2/Users", headers={"cookie": f"gatehouse={okta.token}"})
    assert cookie.status_code == 401


async def test_a_key_without_the_right_or_of_all_accounts_is_refused(world: World) -> None:
    others = [right for right in Right if right is not Right.SCIM]
    for refused in (await directory(world, None, *others), await directory(world, of_all=True)):
        for method, path in (("GET", "/Users"), ("POST", "/Users"), ("GET", "/ServiceProviderConfig")):
            body = {"schemas": [USER], "userName": "nina@agency.example"} if method == "POST" else None
            answer = await refused.ask(method, path, body)
            assert (answer.status_code, answer.json()["status"]) == (403, "403")
    assert await world.events() == []
    scim_alone = await backend(world, Right.SCIM, account_id=world.account_id)
    assert await scim_alone.refusal(PROVISION, input={"externalId": "1", "email": "a@b.example", "role": "OWNER"})


async def test_another_accounts_people_are_not_there(world: World) -> None:
    entra = await directory(world, world.other_account_id)
    for name in ("mia", "olive", "petra", "sue"):
        path = f"/Users/{await world.user_id(name)}"
        for answer in (
            await entra.ask("GET", path),
            await entra.ask("PUT", path, {"schemas": [USER], "userName": "a@b.example"}),
            await entra.ask("PATCH", path, {"schemas": [PATCH], "Operations": [OFF]}),
            await entra.ask("DELETE", path),
        ):
            assert answer.status_code == 404
        assert await entra.found(f'userName eq "{email(name)}"') == []
    assert await world.events() == []


async def test_a_directory_takes_nobody_whose_domain_is_another_accounts(world: World) -> None:
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ('agency.example', $1, 'own')"
    await world.database.execute(bind, world.account_id)
    entra = await directory(world, world.other_account_id)
    answer = await entra.ask("POST", "/Users", {"schemas": [USER], "userName": email("mia")})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert await world.events() == []


async def test_a_directory_has_nobody_back_whose_domain_has_become_anothers(world: World) -> None:
    entra = await directory(world, world.other_account_id)
    made = await entra.create(email("mia"))
    await entra.patch(made["id"], OFF)
    bind = "INSERT INTO account_domains (domain, account_id, provider) VALUES ('agency.example', $1, 'own')"
    await world.database.execute(bind, world.account_id)
    before = await world.events()
    on = {"op": "replace", "path": "active", "value": True}
    for answer in (
        await entra.patch(made["id"], on),
        await entra.patch(made["id"], {"op": "replace", "value": {"active": True, "roles": [{"value": "ADMIN"}]}}),
        await entra.ask("PUT", f"/Users/{made['id']}", {"schemas": [USER], "userName": email("mia"), "active": True}),
    ):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert await entra.found("active eq false") == [email("mia")]
    assert await world.events() == before
    # Whoever is of the domain's own account comes back as before.
    okta = await directory(world)
    await okta.patch(made["id"], OFF)
    assert (await okta.patch(made["id"], on)).json()["active"] is True


async def test_nobody_of_two_accounts_has_address_or_password_changed_by_one(world: World) -> None:
    entra = await directory(world, world.other_account_id)
    made = await entra.create(email("mia"), externalId="1")
    for operations in (
        [{"op": "replace", "path": "userName", "value": "mallory@x.example"}],
        [{"op": "replace", "path": "emails", "value": [{"value": "mallory@x.example", "primary": True}]}],
        [{"op": "replace", "value": {"password": "mallory's own battery", "userName": "mallory@x.example"}}],
    ):
        answer = await entra.patch(made["id"], *operations)
        assert (answer.status_code, "other accounts" in answer.json()["detail"]) == (403, True)
    assert (await entra.patch(made["id"], {"op": "replace", "path": "password", "value": "x"})).status_code == 200
    signed_in = await world.client().do(SIGN_IN, email=email("mia"), password=PASSWORD)
    assert signed_in["__typename"] == "SignedIn"
    # Nor once they are inactive at the other: it may have them back.
    okta = await directory(world)
    await okta.patch(made["id"], OFF)
    assert (
        await entra.patch(made["id"], {"op": "replace", "path": "userName", "value": "mallory@x.example"})
    ).status_code == 403
    assert await world.events("EMAIL_CHANGED") == []


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "x" or userName pr',
        "userName eq \"x' OR '1'='1\"",
        'userName eq "x"; DROP TABLE users',
        'userName eq "x\\" or active eq true or userName eq \\"x"',
        'externalId eq "%"',
        "active eq true) or (1=1",
        'userName sw ""',
        'not (userName eq "x")',
        'userName ne "x"',
        'password eq "x"',
        'roles[value eq "OWNER"]',
        'meta.created gt "2000-01-01T00:00:00Z"',
        "userName eq null",
        'userName eq "\u0000"',
        *(f'{name} eq "{half}"' for name in ("userName", "externalId", "id", "emails") for half in NEVER_STORED),
        "(" * 490 + 'userName eq "x"' + ")" * 490,
        'userName eq "' + "x" * 2000 + '"',
        " and ".join(['userName eq "x"'] * 80),
    ],
)
async def test_no_filter_finds_whom_it_does_not_name(world: World, text: str) -> None:
    okta = await directory(world)
    answer = await okta.http.get(
        "/scim/v2/Users", params={"filter": text}, headers={"authorization": f"Bearer {okta.token}"}
    )
    if answer.status_code != 200:
        assert answer.status_code == 400
        assert answer.json()["scimType"] in {"invalidFilter", "invalidSyntax"}
    else:
        assert answer.json()["totalResults"] == 0


@pytest.mark.parametrize("written", NEVER_STORED)
@pytest.mark.parametrize("path", ['emails[value eq "{}@x.example"].value', 'emails[type eq "{}"].value'])
async def test_no_condition_of_a_patch_brings_in_what_cannot_be_stored(world: World, path: str, written: str) -> None:
    okta = await directory(world)
    made = await okta.create()
    for operation in ("add", "replace", "remove"):
        value = {} if operation == "remove" else {"value": "nina2@agency.example"}
        answer = await okta.patch(made["id"], {"op": operation, "path": path.format(written), **value})
        assert answer.status_code < 500, answer.text


async def test_what_is_too_much_is_refused_in_the_same_form(world: World) -> None:
    okta = await directory(world)
    made = await okta.create()
    huge = await okta.ask("POST", "/Users", {"schemas": [USER], "userName": "x", "title": "x" * 300_000})
    deep = "[" * 100 + "]" * 100
    headers = {"authorization": f"Bearer {okta.token}", "content-type": "application/scim+json"}
    nested = await okta.http.post("/scim/v2/Users", content=f'{{"userName": {deep}}}', headers=headers)
    many = await okta.patch(made["id"], *[OFF] * 101)
    form = await okta.http.post(
        "/scim/v2/Users", data={"userName": "x"}, headers={"authorization": headers["authorization"]}
    )
    none = await okta.http.post("/scim/v2/Users", content=b"", headers=headers)
    listed = await okta.http.post("/scim/v2/Users", content=json.dumps([1]), headers=headers)
    answers = [huge, nested, many, form, none, listed]
    assert [answer.status_code for answer in answers] == [413, 400, 400, 415, 400, 400]
    for answer in answers:
        assert answer.json()["status"] == str(answer.status_code)
    assert [event["type"] for event in await world.events()] == ["STAFF_ADDED"]


async def test_of_many_at_once_with_one_name_one_is_made(world: World) -> None:
    okta = await directory(world)
    body = {"schemas": [USER], "userName": "nina@agency.example", "externalId": "1"}
    answers = await asyncio.gather(*(okta.ask("POST", "/Users", body) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    flips = await asyncio.gather(
        *(okta.patch(made["id"], {"op": "replace", "path": "active", "value": n % 2 == 0}) for n in range(12))
    )
    assert {answer.status_code for answer in flips} == {200}
    kinds = [event["type"] for event in await world.events()]
    # Each change follows its opposite.
    assert kinds == ["STAFF_ADDED", *(["STAFF_DEACTIVATED", "STAFF_REACTIVATED"] * 6)[: len(kinds) - 1]]


async def test_a_key_revoked_amid_it_changes_nothing(world: World) -> None:
    okta = await directory(world)
    made = await okta.create()
    await world.database.execute("DELETE FROM service_keys")
    assert (await okta.patch(made["id"], OFF)).status_code == 401
    assert len(await world.events()) == 1


async def test_slow_bodies_of_a_key_keep_nothing_else_of_it_out(world: World, database_url: str) -> None:
    capacity = replace(CAPACITY, room=Room(most_owed_s=0.0, of_one=1, of_strangers=1))
    async with serving(settings_for(database_url), capacity) as world.base_url:
        okta, body = await directory(world), Held()
        headers = {"authorization": f"Bearer {okta.token}", "content-type": "application/scim+json"}
        slow = asyncio.create_task(okta.http.post("/scim/v2/Users", content=body, headers=headers))
        admission = admission_of(SERVED[world.base_url])
        await until(lambda: on_their_way(admission), "it is on its way")
        assert (await okta.ask("GET", "/Users")).status_code == 200
        body.go.set()
        assert (await slow).status_code == 400
        assert not admission.in_hand
