"""What a product's backend asks, and a client that asks it with a service key."""

from __future__ import annotations

import secrets
from uuid import UUID

from db import service_keys
from rules import tokens
from rules.service_keys import Right
from tests.client import Client
from tests.coming_in.operations import INVITE
from tests.people import World

SERVICE_SIGN_IN = """
mutation ($input: ServiceSignInInput!) {
  serviceSignIn(input: $input) {
    __typename
    ... on SignedIn { sessionToken expiresAt viewer { email sessions { ipAddress userAgent } } }
    ... on MfaChallenge { challengeToken expiresAt }
    ... on Error { message }
  }
}
"""
SESSION = """
query ($token: String!) {
  session(token: $token) {
    userId externalId email amr authTime expiresAt mfaEnabled blocked
    mfaNotice { title daysRemaining blocking }
    memberships { account { id name } role blocked }
  }
}
"""
SESSIONS = """
query ($token: String!, $account: ID!) {
  one: session(token: $token) { email }
  two: session(token: $token) { email externalId }
  account(id: $account) { name }
  three: session(token: $token) { email amr }
}
"""
PROVISION = """
mutation ($input: ProvisionStaffInput!) {
  provisionStaff(input: $input) {
    __typename
    ... on StaffProvisioned { staffId userId externalId email role }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
CHANGE_ROLE = """
mutation ($input: ChangeStaffRoleInput!) {
  changeStaffRole(input: $input) {
    __typename ... on StaffRoleChanged { role email } ... on Error { message } ... on InvalidInput { field }
  }
}
"""
REMOVE = """
mutation ($input: RemoveStaffInput!) {
  removeStaff(input: $input) {
    __typename ... on StaffRemoved { userId } ... on Error { message } ... on InvalidInput { field }
  }
}
"""
CHANGE_EMAIL = """
mutation ($input: ChangeEmailInput!) {
  changeEmail(input: $input) {
    __typename ... on EmailChanged { email userId } ... on Error { message } ... on InvalidInput { field }
  }
}
"""
SIGN_IN_AND_BEGIN = """
mutation {
  serviceSignIn(input: {email: "mia@agency.example"}) { __typename }
  beginMfaEnrollment { __typename }
}
"""
WATCH_EMAIL = "subscription { viewerChanged { email } }"


async def backend(world: World, *rights: Right, account_id: UUID | None = None, name: str = "web") -> Client:
    """A client with a new service key; of these rights, or of all."""
    client = world.client()
    client.token = tokens.make(tokens.SERVICE_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    token_hash = tokens.digest(tokens.SERVICE_PREFIX, client.token)
    assert token_hash is not None
    await service_keys.create(world.database, name, token_hash, list(rights or Right), account_id, None)
    return client


async def invite_elsewhere(world: World, name: str) -> None:
    """The owner of the other account invites somebody, who need not have asked for it."""
    given = {"account": str(world.other_account_id), "email": f"{name}@agency.example", "role": "MEMBER"}
    assert (await (await world.sign_in("sam")).do(INVITE, **given))["__typename"] == "StaffInvited"
