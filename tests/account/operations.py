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
APPROVE = """
mutation ($account: ID!, $reset: ID!) {
  approveMfaReset(input: {accountId: $account, resetId: $reset}) {
    __typename ... on StaffMfaReset { staffMember { email mfaState } } ... on Error { message } }
}
"""
DECLINE = """
mutation ($account: ID!, $reset: ID!) {
  declineMfaReset(input: {accountId: $account, resetId: $reset}) {
    __typename ... on MfaResetDeclined { staffMember { email mfaState } } ... on Error { message } }
}
"""
STOP = """
mutation ($token: String!) {
  stopMfaReset(input: {token: $token}) { __typename ... on MfaResetStopped { email } ... on Error { message } }
}
"""
WAITING = """
query ($account: ID!) { account(id: $account) { mfaResetRequests {
  id staffMember { email } requestedBy reason canApprove canDecline } } }
"""
CHOOSE_APPROVAL = """
mutation ($account: ID!, $approval: ResetApproval) {
  updateSecurityPolicy(input: {accountId: $account, requireMfa: false, resetApproval: $approval}) {
    __typename ... on SecurityPolicyUpdated { securityPolicy { resetApproval } } ... on Error { message } }
}
"""
SUMMARIES = "query ($account: ID!) { account(id: $account) { auditLog { nodes { summary } } } }"
TRY_APPROVAL = """
query ($account: ID!, $approval: ResetApproval) { account(id: $account) {
  policyImpact(requireMfa: false, resetApproval: $approval) { resetNeverApprovedCount } } }
"""
MAY_HAVE_PASSES = """
query ($account: ID!) { account(id: $account) { staff { nodes { email canGiveRecoveryPass } } } }
"""
FORECAST = """
query ($account: ID!, $first: Int, $after: String) { account(id: $account) {
  lockOutForecast(first: $first, after: $after) {
  totalCount reasonCounts { reason count } nodes { email role backupCodesRemaining reasons }
  pageInfo { hasNextPage endCursor } } } }
"""
SAVED = "mutation { confirmBackupCodesSaved { __typename ... on Error { message } } }"
SAVE_SEEN = """
mutation ($account: ID!, $require: Boolean!, $days: Int, $seen: DateTime) {
  updateSecurityPolicy(
    input: {accountId: $account, requireMfa: $require, gracePeriodDays: $days, ifUpdatedAt: $seen}
  ) { __typename ... on SecurityPolicyUpdated { securityPolicy { updatedAt } } ... on Error { message } }
}
"""
LET_SEEN = """
mutation ($account: ID!, $delays: AccountRecoveryDelaysInput, $seen: AccountRecoverySeenInput) {
  setAccountRecovery(input: {accountId: $account, delays: $delays, ifHeld: $seen}) {
    __typename ... on Error { message }
  }
}
"""
POLICY_BY_MEMBERSHIP = "{ viewer { memberships { role account { name securityPolicy { requireMfa } } } } }"
IS_SUPER_ADMIN = "{ viewer { isSuperAdmin } }"
DISABLE_SEEING_NOTICE = """
mutation ($c: String!) {
  disableMfa(input: {code: $c}) { ... on MfaDisabled { viewer { mfaNotice { daysRemaining } } } }
}
"""
LOG = "query ($account: ID!) { account(id: $account) { auditLog { nodes { type summary } } } }"
RESETTABLE = "query ($account: ID!) { account(id: $account) { staff { nodes { email canResetMfa } } } }"
RESETTABLE_BY_ID = "query ($account: ID!) { account(id: $account) { staff { nodes { id email canResetMfa } } } }"
RESET_WAITING = "query ($account: ID!) { account(id: $account) { staff { nodes { email mfaResetWaiting } } } }"
RESETS_WAITING = "query ($account: ID!) { account(id: $account) { enrollmentProgress { resetsWaitingCount } } }"
WATCH_RESET_WAITING = """
subscription ($account: ID!) {
  staffMemberChanged(accountId: $account) { email mfaResetWaiting }
}
"""
SESSION_IDS = "{ viewer { sessions { id current } } }"
