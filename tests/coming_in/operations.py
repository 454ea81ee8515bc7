"""What owners and people send to come in."""

from __future__ import annotations

INVITE = """
mutation ($account: ID!, $email: String!, $role: Role!) {
  inviteStaff(input: {accountId: $account, email: $email, role: $role}) {
    __typename
    ... on StaffInvited { staffMember {
      id email role state mfaState mfaEnabled canResetMfa invitation { id invitedAt expiresAt } } }
    ... on Error { message }
    ... on InvalidInput { field }
    ... on TooManyAttempts { retryAt }
  }
}
"""
REVOKE = """
mutation ($account: ID!, $id: ID!) {
  revokeInvitation(input: {accountId: $account, invitationId: $id}) {
    __typename
    ... on InvitationRevoked { invitationId }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
REQUEST = """
mutation ($email: String!) {
  requestPasswordReset(input: {email: $email}) {
    __typename
    ... on PasswordResetRequested { message }
    ... on Error { message }
    ... on TooManyAttempts { retryAt }
  }
}
"""
SET = """
mutation ($token: String!, $password: String!) {
  setPassword(input: {token: $token, password: $password}) {
    __typename
    ... on PasswordSet { email }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
ACCEPT = """
mutation ($token: String!) {
  acceptInvitation(input: {token: $token}) {
    __typename
    ... on InvitationAccepted { viewer { memberships { role account { name } } } }
    ... on Error { message }
  }
}
"""
CHANGE = """
mutation ($current: String!, $new: String!) {
  changePassword(input: {currentPassword: $current, newPassword: $new}) {
    __typename
    ... on PasswordChanged { viewer { email } }
    ... on Error { message }
    ... on InvalidInput { field }
    ... on TooManyAttempts { retryAt }
  }
}
"""
END = "mutation ($id: ID!) { endSession(input: {sessionId: $id}) { sessionId } }"
MEMBERS = """
query ($account: ID!, $filter: StaffFilter) {
  account(id: $account) { staff(filter: $filter) {
    totalCount nodes { id email role state mfaState mfaEnabled invitation { id } } } }
}
"""
ENROLLED_COUNT = "query ($a: ID!) { account(id: $a) { enrollmentProgress { enrolledCount } } }"
TRY_REMINDING = """
mutation ($a: ID!, $s: [ID!]!) {
  remindStaff(input: {accountId: $a, staffIds: $s}) { ... on StaffReminded { remindedCount skippedCount } }
}
"""
