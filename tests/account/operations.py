"""The operations of the account's security page, as a frontend sends them."""

from __future__ import annotations

from typing import Any

from tests.client import Client
from tests.factories import World

UPDATE = """
mutation ($account: ID!, $require: Boolean!, $days: Int) {
  updateSecurityPolicy(input: {accountId: $account, requireMfa: $require, gracePeriodDays: $days}) {
    __typename
    ... on SecurityPolicyUpdated {
      account { id }
      securityPolicy { requireMfa gracePeriodDays requiredSince graceDeadline updatedAt }
    }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
POLICY = """
query ($account: ID!) {
  account(id: $account) {
    name
    securityPolicy { requireMfa gracePeriodDays requiredSince graceDeadline updatedAt }
  }
}
"""
IMPACT = """
query ($account: ID!, $require: Boolean!, $days: Int = 7) {
  account(id: $account) {
    policyImpact(requireMfa: $require, gracePeriodDays: $days) {
      staffCount enrolledCount affectedCount blockedNowCount graceDeadline
    }
  }
}
"""
PROGRESS = """
query ($account: ID!) {
  account(id: $account) { enrollmentProgress { staffCount enrolledCount pendingCount blockedCount } }
}
"""
ROSTER = """
query ($account: ID!, $first: Int, $after: String, $filter: StaffFilter) {
  account(id: $account) {
    staff(first: $first, after: $after, filter: $filter) {
      edges { cursor node { id } }
      nodes { id email role mfaEnabled mfaState mfaEnabledAt lastRemindedAt canResetMfa }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
      notice
    }
  }
}
"""
RESET = """
mutation ($account: ID!, $staff: ID!) {
  resetStaffMfa(input: {accountId: $account, staffId: $staff}) {
    __typename
    ... on StaffMfaReset { staffMember { email mfaEnabled mfaState canResetMfa } }
    ... on Error { message }
  }
}
"""
REMIND = """
mutation ($account: ID!, $staff: [ID!]!) {
  remindStaff(input: {accountId: $account, staffIds: $staff}) {
    __typename
    ... on StaffReminded { remindedCount skippedCount }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
AUDIT = """
query ($account: ID!, $first: Int, $after: String, $filter: AuditFilter) {
  account(id: $account) {
    auditLog(first: $first, after: $after, filter: $filter) {
      nodes { id type occurredAt actorEmail subjectEmail summary }
      edges { cursor }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}
"""
NOTICE = """
{
  viewer {
    mfa { enabled reenrollmentRequired }
    mfaNotice { reason account { id name } title message actionLabel deadline daysRemaining blocking }
  }
}
"""


async def save(client: Client, world: World, require: bool, days: int | None = None) -> dict[str, Any]:
    """Save the agency's policy."""
    return await client.do(UPDATE, account=str(world.account_id), require=require, days=days)


async def ask_account(client: Client, world: World, query: str, **variables: Any) -> Any:
    """The one field that a query asks of the agency."""
    account = (await client.ask(query, account=str(world.account_id), **variables))["account"]
    return account[next(name for name in account if name != "name")]


async def reset(client: Client, world: World, name: str) -> dict[str, Any]:
    """Reset the MFA of one of the agency's staff."""
    return await client.do(RESET, account=str(world.account_id), staff=str(await world.staff_id(name)))


async def remind(client: Client, world: World, *names: str) -> dict[str, Any]:
    """Remind some of the agency's staff."""
    staff = [str(await world.staff_id(name)) for name in names]
    return await client.do(REMIND, account=str(world.account_id), staff=staff)


async def move_deadline(world: World, to: str) -> None:
    """Put the deadline at an SQL instant, by moving when the requirement began."""
    await world.database.execute(
        f"UPDATE accounts SET grace_deadline = {to}, announced_at = {to} - grace_days * interval '24 hours', "
        f"required_since = {to} - grace_days * interval '24 hours' WHERE id = $1",
        world.account_id,
    )
