"""A whole client with gql: a staff member signs in and enrolls, an owner watches the roster change.

uv run examples/python/enroll_and_watch.py --owner olive@agency.example --staff max@agency.example --password …

Alone it needs: pip install "gql[httpx,websockets]" pyotp
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

import pyotp
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

SIGN_IN = """
mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { sessionToken viewer { memberships { role account { id name } } } }
    ... on Error { message }
    ... on TooManyAttempts { retryAt }
  }
}
"""
BEGIN = """
mutation {
  beginMfaEnrollment {
    __typename
    ... on MfaEnrollment { manualEntryKey }
    ... on Error { message }
  }
}
"""
VERIFY = """
mutation ($code: String!) {
  verifyAndEnableMfa(input: {code: $code}) {
    __typename
    ... on MfaEnabled { backupCodes }
    ... on Error { message }
    ... on InvalidCode { attemptsRemaining clockSkewSeconds }
    ... on TooManyAttempts { retryAt }
  }
}
"""
ROSTER_CHANGES = """
subscription ($accountId: ID!) {
  staffMemberChanged(accountId: $accountId) { email mfaEnabled mfaState mfaEnabledAt }
}
"""


class Refused(Exception):
    """The server answered with something else than what was asked for; the message says what."""


async def enroll_and_watch(url: str, owner: str, staff: str, password: str) -> None:
    """Sign the owner in, watch their account's roster, enroll the staff member, and print what the owner sees."""
    watcher = await sign_in(url, owner, password)
    managed = [each for each in watcher["viewer"]["memberships"] if each["role"] in {"OWNER", "ADMIN"}]
    if not managed:
        raise Refused(f"{owner} is owner or admin of no account, so there is no roster to watch.")
    account = managed[0]["account"]
    print(f"signed in: {owner}, {managed[0]['role'].lower()} of {account['name']}")

    credentials = {"Authorization": f"Bearer {watcher['sessionToken']}"}
    # The protocol of this transport is graphql-transport-ws when the server offers it.
    socket = WebsocketsTransport(url=url.replace("http", "ws", 1), init_payload=credentials)
    async with Client(transport=socket) as session:
        # The subscription goes out first: it tells of what happens from then on.
        member, _ = await asyncio.gather(enrolled(session, account, staff), enroll(url, staff, password, account))
    print(f"roster: {member['email']} {member['mfaState']} since {member['mfaEnabledAt']}")


async def enroll(url: str, email: str, password: str, account: dict[str, Any]) -> None:
    """Sign in, put the key into an authenticator app (here: pyotp), and show its first code."""
    signed_in = await sign_in(url, email, password)
    if account not in [each["account"] for each in signed_in["viewer"]["memberships"]]:
        raise Refused(f"{email} is not staff of {account['name']}, whose roster is watched.")
    print(f"signed in: {email}")
    async with http(url, signed_in["sessionToken"]) as session:
        begun = expect("MfaEnrollment", await ask(session, BEGIN))
        code = pyotp.TOTP(begun["manualEntryKey"].replace(" ", "")).now()
        enabled = expect("MfaEnabled", await ask(session, VERIFY, code=code))
    print(f"enrolled: {email}, with {len(enabled['backupCodes'])} backup codes: {' '.join(enabled['backupCodes'])}")


async def enrolled(session: AsyncClientSession, account: dict[str, Any], email: str) -> dict[str, Any]:
    """The staff member as the roster has them, once it tells that they have MFA on."""
    request = GraphQLRequest(ROSTER_CHANGES, variable_values={"accountId": account["id"]})
    async for result in session.subscribe(request):
        member: dict[str, Any] = result["staffMemberChanged"]
        if member["email"].casefold() == email.casefold() and member["mfaEnabled"]:
            return member
    raise Refused("The server ended the subscription.")


async def sign_in(url: str, email: str, password: str) -> dict[str, Any]:
    """The SignedIn of somebody without a second factor."""
    async with http(url) as session:
        answer = await ask(session, SIGN_IN, email=email, password=password)
    if answer["__typename"] == "MfaChallenge":
        raise Refused(f"{email} has MFA on already; take somebody who has not.")
    return expect("SignedIn", answer)


def http(url: str, token: str | None = None) -> Client:
    """A client over HTTP, for one person."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(transport=HTTPXAsyncTransport(url=url, headers=headers))


async def ask(session: AsyncClientSession, mutation: str, **variables: str) -> dict[str, Any]:
    """Send a mutation of one root field; that field's value."""
    (value,) = (await session.execute(GraphQLRequest(mutation, variable_values=variables))).values()
    return dict(value)


def expect(typename: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it is this member of its union. The others are refusals, with a sentence for the person."""
    if answer["__typename"] == typename:
        return answer
    details = {name: value for name, value in answer.items() if name not in {"__typename", "message"}}
    told = "".join(f" {name}: {value}." for name, value in details.items() if value is not None)
    raise Refused(f"{answer['__typename']}: {answer['message']}{told}")


def main() -> None:
    """Read the arguments; end with one line and status 1 when it cannot be done."""
    parser = argparse.ArgumentParser(description="Enroll a staff member, and watch the roster change as the owner.")
    parser.add_argument("--url", default="http://localhost:8000/graphql", help="the API [%(default)s]")
    parser.add_argument("--owner", required=True, metavar="EMAIL", help="an owner or admin without MFA, who watches")
    parser.add_argument("--staff", required=True, metavar="EMAIL", help="who enrolls: staff of the same account")
    parser.add_argument("--password", required=True, help="the password of both")
    try:
        asyncio.run(enroll_and_watch(**vars(parser.parse_args())))
    except Refused as refusal:
        sys.exit(str(refusal))
    except TransportQueryError as error:
        sys.exit("; ".join(each["message"] for each in error.errors or []))
    except (TransportError, OSError) as error:
        sys.exit(f"The request failed: {error}")


if __name__ == "__main__":
    main()
