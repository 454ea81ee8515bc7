"""PATCH as Entra ID and Okta send it, in the forms that their public documentation shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import World
from tests.scim.directory import directory

ROLE = '{"id":"06b07648-ecfe-589f-9d2f-6325724a46ee","value":"owner","displayName":"Owner"}'


@pytest.mark.parametrize(
    ("operations", "shows"),
    [
        ([{"op": "Replace", "path": "active", "value": "False"}], {"active": False}),
        ([{"op": "replace", "value": {"active": False}}], {"active": False}),
        ([{"op": "Replace", "path": "active", "value": [{"$ref": None, "value": "False"}]}], {"active": False}),
        ([{"op": "replace", "value": {"id": "x", "active": "false", "schemas": []}}], {"active": False}),
        ([{"op": "Add", "path": 'roles[primary eq "True"].value', "value": "Admin"}], {"role": "ADMIN"}),
        (
            [{"op": "Replace", "value": {'roles[primary eq "True"].value': "Admin", "active": "True"}}],
            {"role": "ADMIN"},
        ),
        ([{"op": "Add", "path": "roles", "value": [{"value": ROLE}]}], {"role": "OWNER"}),
        ([{"op": "add", "path": "roles", "value": [{"value": "ADMIN", "primary": False}]}], {"role": "ADMIN"}),
        ([{"op": "Remove", "path": "roles"}], {"role": "MEMBER", "roles": None}),
        ([{"op": "Remove", "path": "roles", "value": [{"value": "MEMBER"}]}], {"role": "MEMBER"}),
        (
            [
                {"op": "Add", "path": "name.givenName", "value": "Nina"},
                {"op": "Replace", "path": "name.familyName", "value": "Nash"},
            ],
            {"name": {"givenName": "Nina", "familyName": "Nash"}},
        ),
        ([{"op": "replace", "value": {"name.givenName": "N", "displayName": "N N"}}], {"displayName": "N N"}),
        ([{"op": "Replace", "path": "externalId", "value": "x-1"}], {"externalId": "x-1"}),
        ([{"op": "Remove", "path": "externalId"}], {"externalId": None}),
        ([{"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"}], {"addresses": None}),
        (
            [
                {
                    "op": "Add",
                    "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                    "value": "Sales",
                },
                {"op": "Replace", "path": "displayName", "value": "Nina"},
            ],
            {"displayName": "Nina"},
        ),
        ([{"op": "Add", "path": 'emails[type eq "work"].value', "value": "n@agency.example"}], {"email": "n"}),
    ],
)
async def test_operations_are_understood(world: World, operations: list[dict[str, Any]], shows: dict[str, Any]) -> None:
    okta = await directory(world)
    made = await okta.create(externalId="7")
    answer = await okta.patch(made["id"], *operations)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    row = await world.database.fetchrow("SELECT email, role FROM staff WHERE user_id = $1", made["id"])
    facts = {**shown, "role": row["role"] if row else None, "email": row["email"].split("@")[0] if row else None}
    assert {name: facts.get(name) for name in shows} == shows
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json() == shown


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove"}, "noTarget"),
        ({"op": "fly", "path": "active", "value": True}, "invalidValue"),
        ({"op": "replace", "path": "active"}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "maybe"}, "invalidValue"),
        ({"op": "replace", "path": "userName", "value": None}, "mutability"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "roles[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'roles[value co "A" or value eq "B"].value', "value": "x"}, "noTarget"),
        ({"op": "replace", "path": "roles", "value": [{"value": "KING"}]}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": "x" * 256}, "invalidValue"),
        ("replace", "invalidValue"),
    ],
)
async def test_an_operation_that_cannot_be_undoes_those_before_it(world: World, operation: Any, kind: str) -> None:
    okta = await directory(world)
    made = await okta.create()
    before = await world.events()
    answer = await okta.patch(made["id"], {"op": "replace", "path": "active", "value": False}, operation)
    assert (answer.status_code, answer.json().get("scimType")) == (400, kind), answer.text
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json() == made
    assert await world.events() == before


async def test_the_same_again_is_no_change(world: World) -> None:
    okta = await directory(world)
    made = await okta.create()
    for active, count in ((True, 1), (False, 2), (False, 2), (True, 3)):
        operation = {"op": "Replace", "path": "active", "value": str(active)}
        first = await okta.patch(made["id"], operation)
        assert (await okta.patch(made["id"], operation)).json() == first.json()
        assert len(await world.events()) == count
