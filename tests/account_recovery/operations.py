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
CODE = """
mutation ($code: SecondFactorInput!) {
  reauthenticate(input: {code: $code}) { __typename ... on Error { message } }
}
"""
