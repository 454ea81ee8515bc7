"""What owners ask about alerts."""

STAFF_SESSIONS = """
query ($account: ID!, $staff: ID!) {
  account(id: $account) { staffSessions(staffId: $staff) { id userAgent ipAddress } }
}
"""
END_STAFF_SESSION = """
mutation ($account: ID!, $staff: ID!, $session: ID!) {
  endStaffSession(input: {accountId: $account, staffId: $staff, sessionId: $session}) {
    __typename ... on StaffSessionEnded { sessionId } ... on Error { message }
  }
}
"""
REJECT = """
mutation ($token: String!) {
  rejectSignIn(input: {token: $token}) {
    __typename ... on SignInRejected { email passwordLinkSent } ... on Error { message }
  }
}
"""
REJECT_SEEING_MFA = """
mutation ($token: String!) {
  rejectSignIn(input: {token: $token}) { __typename ... on SignInRejected { mfaChangedSince managerCanReset } }
}
"""
MATRIX = """
query ($account: ID!) { account(id: $account) { alerts { kind email emailAdmins } } }
"""
UPDATE_ALERTS = """
mutation ($account: ID!, $alerts: [AlertSettingInput!]!) {
  updateAlerts(input: {accountId: $account, alerts: $alerts}) {
    __typename
    ... on AlertsUpdated { alerts { kind email emailAdmins } }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
NEWEST_SUMMARY = "query ($id: ID!) { account(id: $id) { auditLog(first: 1) { nodes { summary } } } }"
