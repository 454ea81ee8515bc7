"""A directory over HTTP: a client with a service key of the agency, and resources as it sends them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from db import service_keys
from rules import tokens
from rules.service_keys import Right
from tests.people import World
from tests.waiting import until

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Directory:
    """A directory that keeps an account's people by SCIM."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request, again while the database is too busy; a name such as if_match is the header If-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"authorization": f"Bearer {self.token}", **({"content-type": "application/scim+json"} if body else {})}
        answers: list[httpx.Response] = []

        async def is_answered() -> bool:
            answers.append(await self.http.request(method, f"/scim/v2{path}", json=body, headers=sent | named))
            return answers[-1].status_code != 503

        await until(is_answered, "the service can answer")
        return answers[-1]

    async def create(self, user_name: str = "nina@agency.example", **attributes: Any) -> dict[str, Any]:
        """A new person."""
        answer = await self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, **attributes})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def patch(self, user_id: str, *operations: dict[str, Any], **headers: str) -> httpx.Response:
        """Change a person by these operations."""
        return await self.ask("PATCH", f"/Users/{user_id}", {"schemas": [PATCH], "Operations": operations}, **headers)

    async def found(self, text: str, **more: Any) -> list[str]:
        """The userNames that a filter finds."""
        answer = await self.http.get(
            "/scim/v2/Users", params={"filter": text, **more}, headers={"authorization": f"Bearer {self.token}"}
        )
        assert answer.status_code == 200, answer.text
        return [each["userName"] for each in answer.json()["Resources"]]


async def directory(
    world: World, account_id: UUID | None = None, *rights: Right, name: str = "okta", of_all: bool = False
) -> Directory:
    """A directory with a new key; of the agency and for SCIM unless said otherwise."""
    token = tokens.make(tokens.SERVICE_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.SERVICE_PREFIX, token)
    assert token_hash is not None
    whose = None if of_all else account_id or world.account_id
    await service_keys.create(world.database, name, token_hash, list(rights or [Right.SCIM]), whose, None)
    return Directory(world.client().http, token)
