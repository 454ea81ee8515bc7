"""What people do with recovery passes."""

from __future__ import annotations

from typing import Any

from tests.client import Client
from tests.operations import BEGIN_RECOVERY, ISSUE_PASS, REDEEM_PASS
from tests.people import Factor, World

REASON = "Phone lost on the train"


async def issue(client: Client, world: World, name: str = "mia", reason: str = REASON) -> dict[str, Any]:
    """Give one of the agency's staff a pass."""
    return await client.do(
        ISSUE_PASS, account=str(world.account_id), staff=str(await world.staff_id(name)), reason=reason
    )


async def refused(client: Client, world: World, name: str = "mia") -> str:
    """Ask for a pass, which must be refused; how."""
    staff = str(await world.staff_id(name))
    answer = await client.raw(ISSUE_PASS, account=str(world.account_id), staff=staff, reason=REASON)
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    told = codes[0] if codes else answer["data"]["issueRecoveryPass"]["__typename"]
    assert told != "RecoveryPassIssued"
    return str(told)


async def redeem(world: World, recovery_pass: str, name: str = "mia") -> tuple[Client, dict[str, Any]]:
    """Sign in by the password and the pass; the client, with the session if there is one."""
    client, token = await world.challenge(name)
    answer = await client.do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
    client.token = answer.get("sessionToken")
    return client, answer


async def begun(client: Client) -> Factor:
    """Begin to replace the authenticator; the new app."""
    answer = await client.do(BEGIN_RECOVERY)
    assert answer["__typename"] == "MfaEnrollment", answer
    return Factor(answer["manualEntryKey"].replace(" ", ""), [])
