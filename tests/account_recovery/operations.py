"""What people and owners send about coming back alone."""

from __future__ import annotations

ALLOW = """
mutation ($account: ID!, $delays: AccountRecoveryDelaysInput) {
  setAccountRecovery(input: {accountId: $account, delays: $delays}) {
    __typename
    ... on AccountRecoverySet { accountRecovery { ownerDays adminDays memberDays } }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
ALLOWED = "query ($account: ID!) { account(id: $account) { accountRecovery { ownerDays adminDays memberDays } } }"
REQUEST = """
mutation ($token: String!) {
  requestAccountRecovery(input: {challengeToken: $token}) {
    __typename
    ... on AccountRecoveryRequested { delayDays }
    ... on Error { message }
  }
}
"""
START = """
mutation ($token: String!) {
  startAccountRecovery(input: {token: $token}) {
    __typename
    ... on AccountRecoveryStarted { accountRecovery { startedAt endsAt } }
    ... on Error { message }
  }
}
"""
STOP = """
mutation ($token: String!) {
  stopAccountRecovery(input: {token: $token}) {
    __typename ... on AccountRecoveryStopped { email } ... on Error { message } }
}
"""
CANCEL = "mutation { cancelAccountRecovery { __typename } }"
WAITING = "{ viewer { accountRecovery { startedAt endsAt } } }"
RECOVERIES = """
query ($account: ID!) { account(id: $account) {
  accountRecoveries { staffMember { email } startedAt endsAt canStop } } }
"""
STOP_OF = """
mutation ($account: ID!, $staff: ID!) {
  stopStaffAccountRecovery(input: {accountId: $account, staffId: $staff}) {
    __typename ... on StaffAccountRecoveryStopped { staffMember { email mfaEnabled } } ... on Error { message } }
}
"""
COMING_BACK = """
subscription ($account: ID!) { enrollmentProgress(accountId: $account) { recoveriesWaitingCount } }
"""
CODE = """
mutation ($code: SecondFactorInput!) {
  reauthenticate(input: {code: $code}) { __typename ... on Error { message } }
}
"""
STOPPED = "{ viewer { mfa { reenrollmentRequired } mfaNotice { blocking } } }"
