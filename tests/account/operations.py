"""What is asked after a reset."""

from __future__ import annotations

DISPUTE = """
mutation ($token: String!) {
  disputeMfaReset(input: {token: $token}) {
    __typename ... on MfaResetDisputed { email } ... on TooManyAttempts { retryAt } }
}
"""
CONFIRM = """
mutation ($token: String!) {
  confirmMfaEnrollment(input: {token: $token}) {
    __typename ... on MfaEnrollmentConfirmed { viewer { mfa { emailLinkRequired } } } }
}
"""
MFA_STATE = "{ viewer { mfa { enabled reenrollmentRequired emailLinkRequired enrollmentStopped } } }"
MIA_ON_ROSTER = """
query ($account: ID!) { account(id: $account) { staff(filter: {search: "mia"}) {
  nodes { canResetMfa enrollmentStopped mfaState } } } }
"""
CONFIRM_BY_EMAIL = """
mutation ($account: ID!, $confirm: Boolean) {
  updateSecurityPolicy(input: {accountId: $account, requireMfa: false, confirmResetByEmail: $confirm}) {
    __typename ... on SecurityPolicyUpdated { securityPolicy { confirmResetByEmail requireMfa } } }
}
"""
