"""Mutations under a key, as a frontend sends them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.client import Client
from tests.people import PASSWORD, World, email

FAILURES = "... on Error { message }"
# What each is asked for, by its name.
ASKED = {
    "signIn": f"__typename ... on SignedIn {{ sessionToken }} ... on MfaChallenge {{ challengeToken }} {FAILURES}",
    "completeMfaChallenge": f"__typename ... on SignedIn {{ sessionToken viewer {{ email }} }} {FAILURES}",
    "verifyAndEnableMfa": f"__typename ... on MfaEnabled {{ backupCodes viewer {{ mfa {{ enabled }} }} }} {FAILURES}",
    "regenerateBackupCodes": f"__typename ... on BackupCodesRegenerated {{ backupCodes }} {FAILURES}",
    "reauthenticate": f"__typename ... on Reauthenticated {{ freshUntil }} {FAILURES}",
    "requestPasswordReset": f"__typename {FAILURES}",
    "setPassword": f"__typename ... on PasswordSet {{ email }} {FAILURES}",
    "updateSecurityPolicy": f"__typename ... on SecurityPolicyUpdated {{ account {{ id }} }} {FAILURES}",
    "serviceSignIn": f"__typename ... on SignedIn {{ sessionToken }} {FAILURES}",
    "changePassword": f"__typename ... on PasswordChanged {{ viewer {{ email }} }} {FAILURES}",
    "inviteStaff": f"__typename ... on StaffInvited {{ staffMember {{ email }} }} {FAILURES}",
}
BEGUN = f"__typename ... on MfaEnrollment {{ manualEntryKey }} {FAILURES}"


def new_key() -> str:
    """A key that nobody has used."""
    return str(uuid4())


def mutation(name: str) -> str:
    """The operation, its input a variable."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {ASKED[name]} }} }}"


async def send(client: Client, name: str, key: str | None, **given: Any) -> dict[str, Any]:
    """Send it; its value."""
    return await client.do(mutation(name), input=given | ({"idempotencyKey": key} if key else {}))


async def refused(client: Client, name: str, key: str, **given: Any) -> str:
    """Send what must be refused; the code."""
    return await client.refusal(mutation(name), input={**given, "idempotencyKey": key})


async def begin(client: Client, key: str | None = None) -> dict[str, Any]:
    """Begin an enrollment."""
    text = f"mutation ($key: String) {{ beginMfaEnrollment(idempotencyKey: $key) {{ {BEGUN} }} }}"
    return await client.do(text, key=key)


async def by_cookie(world: World, name: str) -> Client:
    """A browser in which the person is signed in."""
    client = world.client()
    await send(client, "signIn", None, email=email(name), password=PASSWORD, useCookie=True)
    return client


def cookie_of(http: httpx.AsyncClient) -> str:
    """The session's token in a browser."""
    return {name: value for name, value in http.cookies.items() if name.endswith("gatehouse")}.popitem()[1]
