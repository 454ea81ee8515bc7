"""People of an account as its directory keeps them: made, found, replaced, removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operations import ROSTER
from tests.people import World, facts_of
from tests.scim.directory import USER, Directory, directory


async def roles(world: World) -> dict[str, str]:
    """The agency's staff and their roles."""
    rows = await world.database.fetch("SELECT email, role FROM staff WHERE account_id = $1", world.account_id)
    return {row["email"].split("@")[0]: row["role"] for row in rows}


async def test_a_new_person_is_staff_at_once_under_the_keys_name(world: World) -> None:
    okta = await directory(world)
    body = {
        "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName": "Nina@agency.example",
        "externalId": "00u1",
        "name": {"givenName": "Nina", "familyName": "Nash"},
        "emails": [{"value": "nina@agency.example", "type": "work", "primary": True}],
        "roles": [{"value": "Admin", "primary": True, "type": "WindowsAzureActiveDirectoryRole"}],
        "active": True,
        "password": "never kept, never said",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
    }
    answer = await okta.ask("POST", "/Users", body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/scim+json"
    assert answer.headers["location"] == made["meta"]["location"]
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    assert answer.headers["etag"] == made["meta"]["version"]
    kept = {name: value for name, value in body.items() if name in {"userName", "externalId", "name", "emails"}}
    assert {name: made[name] for name in kept} == kept
    assert (made["roles"], made["active"]) == (body["roles"], True)
    assert "password" not in answer.text
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json() == made
    (event,) = await world.events()
    assert (event["type"], event["service_key"], event["account_id"]) == ("STAFF_ADDED", "okta", world.account_id)
    olive = await world.sign_in("olive")
    roster = await olive.ask(ROSTER, account=str(world.account_id))
    assert {"email": "nina@agency.example", "role": "ADMIN"}.items() <= roster["account"]["staff"]["nodes"][2].items()


async def test_staff_who_came_otherwise_are_in_the_directory_and_nobody_else(world: World) -> None:
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
        "SELECT $1, id, email, 'MEMBER', now() FROM users WHERE email LIKE 'sue@%'",
        world.account_id,
    )
    okta = await directory(world)
    listed = (await okta.ask("GET", "/Users")).json()
    assert listed["totalResults"] == 3
    shown = {each["userName"].split("@")[0]: each["roles"][0]["value"] for each in listed["Resources"]}
    assert shown == {"olive": "OWNER", "adam": "ADMIN", "mia": "MEMBER"}


async def test_pages_hold_everybody_once(world: World) -> None:
    okta = await directory(world)
    for number in range(4):
        await okta.create(f"n{number}@agency.example", active=number % 2 == 0)
    seen: list[str] = []
    for first in (1, 4, 7):
        page = (await okta.ask("GET", f"/Users?startIndex={first}&count=3")).json()
        assert (page["totalResults"], page["startIndex"]) == (7, first)
        assert page["itemsPerPage"] == len(page["Resources"]) == (1 if first == 7 else 3)
        seen += [each["id"] for each in page["Resources"]]
    assert len(set(seen)) == 7
    for query, count in (("count=0", 0), ("count=-4&startIndex=-9", 0), ("startIndex=99999999999999", 0)):
        page = (await okta.ask("GET", f"/Users?{query}")).json()
        assert (page["totalResults"], page["Resources"]) == (7, [])
        assert page["itemsPerPage"] == count
    searched = await okta.ask("POST", "/Users/.search", {"filter": "active eq false", "attributes": ["userName"]})
    assert [sorted(each) for each in searched.json()["Resources"]] == [["id", "schemas", "userName"]] * 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('userName eq "Mia@Agency.example"', ["mia"]),
        ('externalId eq "00U1"', []),
        ('externalId eq "00u1"', ["nina"]),
        ('externalId eq "00u1" and active eq true', ["nina"]),
        ('externalId eq "00u1" and active eq "False"', []),
        ('userName eq "nina@agency.example" and externalId eq "00u1"', ["nina"]),
        ('userName eq "mia@agency.example" and externalId eq "00u1"', []),
        ("active eq false", ["noah"]),
        ('(active eq "True") and (active eq "False")', []),
        (f'{USER}:userName EQ "mia@agency.example"', ["mia"]),
        ('emails.value eq "nina@agency.example"', ["nina"]),
        ('userName eq "sam@agency.example"', []),
        ('id eq "not an id"', []),
    ],
)
async def test_filters_find_exactly_whom_they_name(world: World, text: str, found: list[str]) -> None:
    okta = await directory(world)
    await okta.create(externalId="00u1")
    await okta.create("noah@agency.example", active=False)
    assert [name.split("@")[0] for name in await okta.found(text)] == found


async def test_a_replacement_leaves_role_and_standing_where_it_says_nothing_of_them(world: World) -> None:
    okta = await directory(world)
    made = await okta.create(externalId="1", displayName="Nina", roles=[{"value": "ADMIN"}], active=False)
    body = {"schemas": [USER], "userName": "nina@agency.example", "id": "ignored", "name": {"familyName": "Nash"}}
    replaced = (await okta.ask("PUT", f"/Users/{made['id']}", body)).json()
    assert (replaced["roles"], replaced["active"]) == ([{"value": "ADMIN"}], False)
    assert "displayName" not in replaced
    assert "externalId" not in replaced
    assert (await okta.ask("PUT", f"/Users/{made['id']}", {**body, "active": True})).json()["active"] is True
    assert (await roles(world))["nina"] == "ADMIN"


async def test_whoever_is_removed_is_gone_and_can_come_again(world: World) -> None:
    okta = await directory(world)
    made = await okta.create(externalId="1")
    assert (await okta.ask("DELETE", f"/Users/{made['id']}")).status_code == 204
    assert (await okta.ask("DELETE", f"/Users/{made['id']}")).status_code == 404
    assert (await okta.ask("GET", f"/Users/{made['id']}")).status_code == 404
    again = await okta.create("other@agency.example", externalId="1")
    assert again["id"] != made["id"]
    assert [event["type"] for event in await world.events()] == ["STAFF_ADDED", "STAFF_REMOVED", "STAFF_ADDED"]


async def test_a_version_that_is_not_the_newest_changes_nothing(world: World) -> None:
    okta = await directory(world)
    made = await okta.create()
    path, old = f"/Users/{made['id']}", made["meta"]["version"]
    assert (await okta.ask("GET", path, if_none_match=old)).status_code == 304
    admin = {"op": "replace", "path": "roles", "value": [{"value": "ADMIN"}]}
    changed = await okta.patch(made["id"], admin, if_match=old)
    assert changed.status_code == 200
    assert changed.headers["etag"] not in {None, old}
    member = {"op": "replace", "path": "roles", "value": [{"value": "MEMBER"}]}
    before = await world.events()
    for answer in (
        await okta.patch(made["id"], member, if_match=old),
        await okta.ask("PUT", path, {"schemas": [USER], "userName": "x@agency.example"}, if_match=old),
        await okta.ask("DELETE", path, if_match=old),
    ):
        assert (answer.status_code, answer.json()["status"]) == (412, "412")
    assert await world.events() == before
    # Another door changed it meanwhile: that is another version, too.
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = 'nina@agency.example'")
    assert (await okta.patch(made["id"], member, if_match=changed.headers["etag"])).status_code == 412
    assert (await okta.patch(made["id"], member, if_match=f'"x", {changed.headers["etag"]}, *')).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"userName": "mia@agency.example"},
        {"userName": "someone", "emails": [{"value": "MIA@agency.example"}]},
        {"userName": "other@agency.example", "externalId": "7"},
    ],
)
async def test_what_somebody_else_has_is_taken(world: World, given: dict[str, Any]) -> None:
    okta = await directory(world)
    made = await okta.create(externalId="7")
    other = await okta.create("third@agency.example")
    before = await world.events()
    for answer in (
        await okta.ask("POST", "/Users", {"schemas": [USER], **given}),
        await okta.ask("PUT", f"/Users/{other['id']}", {"schemas": [USER], **given}),
    ):
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert await world.events() == before
    assert await okta.found('externalId eq "7"') == [made["userName"]]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"userName": ""},
        {"userName": "no address"},
        {"userName": "x" * 256, "emails": [{"value": "a@b.example"}]},
        {"userName": "a@b.example", "externalId": ""},
        {"userName": "a@b.example", "roles": [{"value": "KING"}]},
        {"userName": "a@b.example", "roles": [{"value": "OWNER"}, {"value": "ADMIN"}]},
        {"userName": "a@b.example", "active": "perhaps"},
        {"userName": "a@b.example", "displayName": ["x"]},
        {"userName": "a@b.example", "emails": [{"value": f"a{n}@b.example"} for n in range(11)]},
    ],
)
async def test_what_cannot_be_taken_is_refused_whole(world: World, given: dict[str, Any]) -> None:
    okta = await directory(world)
    answer = await okta.ask("POST", "/Users", {"schemas": [USER], **given})
    body = answer.json()
    assert (answer.status_code, body["status"], body["scimType"]) == (400, "400", "invalidValue"), body
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert await world.events() == []


async def test_an_address_follows_the_name_that_it_is_and_no_other(world: World) -> None:
    okta = await directory(world)
    made = await okta.create()
    assert (await okta.patch(made["id"], rename("nina.nash@agency.example"))).status_code == 200
    (event,) = await world.events("EMAIL_CHANGED")
    assert facts_of(event) == {"previousEmail": "nina@agency.example", "email": "nina.nash@agency.example"}
    assert event["service_key"] == "okta"
    label = await okta.create("n-2", emails=[{"value": "noah@agency.example", "type": "work"}])
    assert (await okta.patch(label["id"], rename("n-3"))).json()["emails"] == label["emails"]
    work = {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "noah.nash@agency.example"}
    assert (await okta.patch(label["id"], work)).json()["userName"] == "n-3"
    assert len(await world.events("EMAIL_CHANGED")) == 2
    # Through another door: the directory sees it.
    await world.database.execute("UPDATE users SET email = 'n@agency.example' WHERE email LIKE 'noah.nash@%'")
    shown = (await okta.ask("GET", f"/Users/{label['id']}")).json()
    assert shown["emails"] == [{"value": "n@agency.example", "type": "work", "primary": True}]


async def test_no_name_takes_the_place_of_an_address_that_is_named(world: World) -> None:
    okta = await directory(world)
    emails = [{"value": "nina@agency.example", "type": "work", "primary": True}]
    made = await okta.create(emails=emails)
    renamed = {"schemas": [USER], "userName": "nina.nash@agency.example", "emails": emails}
    for _ in range(2):
        assert (await okta.ask("PUT", f"/Users/{made['id']}", renamed)).json()["emails"] == emails
    back = await okta.patch(made["id"], rename("nina@agency.example"))
    again = await okta.patch(made["id"], rename("nash@agency.example"))
    assert (back.json()["emails"], again.json()["emails"]) == (emails, emails)
    assert await world.events("EMAIL_CHANGED") == []
    await okta.ask("PUT", f"/Users/{made['id']}", {"schemas": [USER], "userName": "nina@agency.example"})
    named = {"schemas": [USER], "userName": "nina.nash@agency.example"}
    assert (await okta.ask("PUT", f"/Users/{made['id']}", named)).json()["emails"][0]["value"] == named["userName"]


@pytest.mark.parametrize(
    "named",
    [
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "nina@agency.example"},
        {"op": "replace", "value": {f"{USER}:Emails": [{"value": "nina@agency.example"}]}},
    ],
)
async def test_a_name_is_followed_until_an_operation_names_an_address(world: World, named: dict[str, Any]) -> None:
    okta = await directory(world)
    made = await okta.create()
    assert (await okta.patch(made["id"], {"op": "add", "path": "displayName", "value": "N"})).status_code == 200
    renamed = await okta.patch(made["id"], rename("n@agency.example"))
    assert renamed.json()["emails"][0]["value"] == "n@agency.example"
    back = await okta.patch(made["id"], rename("nina@agency.example"))
    assert back.json()["emails"][0]["value"] == "nina@agency.example"
    kept = await okta.patch(made["id"], rename("nash@agency.example"), named)
    assert (kept.json()["userName"], kept.json()["emails"][0]["value"]) == (
        "nash@agency.example",
        "nina@agency.example",
    )


def rename(name: str) -> dict[str, Any]:
    """An operation that gives another userName."""
    return {"op": "Replace", "path": "userName", "value": name}


async def test_the_last_owner_stays_whatever_the_directory_says(world: World) -> None:
    okta = await directory(world)
    olive = str(await world.user_id("olive"))
    for answer in (
        await okta.ask("DELETE", f"/Users/{olive}"),
        await okta.patch(olive, {"op": "replace", "path": "active", "value": False}),
        await okta.patch(olive, {"op": "replace", "path": "roles", "value": [{"value": "MEMBER"}]}),
    ):
        assert answer.status_code == 403
        assert "last owner" in answer.json()["detail"]
    assert (await roles(world))["olive"] == "OWNER"
    assert await world.events() == []


async def test_the_service_says_what_it_can_do_and_refuses_what_it_cannot(world: World) -> None:
    okta = await directory(world)
    config = (await okta.ask("GET", "/ServiceProviderConfig")).json()
    able = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")}
    assert able == {"patch": True, "bulk": False, "filter": True, "changePassword": False, "sort": False, "etag": True}
    assert (await okta.ask("GET", f"/Schemas/{USER}")).json()["id"] == USER
    assert (await okta.ask("GET", "/ResourceTypes/User")).json()["endpoint"] == "/Users"
    tagged = [answer.headers.get("etag") for answer in [
        await okta.ask("GET", "/Users"), await okta.ask("POST", "/.search", {"schemas": []}),
        await okta.ask("GET", "/ServiceProviderConfig"), await okta.ask("GET", "/Schemas"),
    ]]  # fmt: skip
    assert tagged == [None] * 4
    await refused(okta, "POST", "/Bulk", 501)
    await refused(okta, "GET", "/Me", 501)
    await refused(okta, "GET", "/Groups", 404)
    await refused(okta, "GET", "", 404)
    await refused(okta, "GET", "/Schemas?filter=x", 403)
    await refused(okta, "PATCH", "/Users", 405)
    assert (await okta.ask("DELETE", "/Users")).headers["allow"] == "GET, POST"


async def refused(okta: Directory, method: str, path: str, status: int) -> None:
    """Expect the refusal, in SCIM's own form."""
    answer = await okta.ask(method, path, {} if method != "GET" else None)
    assert (answer.status_code, answer.json()["status"]) == (status, str(status))
    assert answer.headers["content-type"] == "application/scim+json"
