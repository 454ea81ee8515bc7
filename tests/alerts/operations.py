"""What owners ask about alerts."""

REJECT = """
mutation ($token: String!) {
  rejectSignIn(input: {token: $token}) {
    __typename ... on SignInRejected { email passwordLinkSent } ... on Error { message }
  }
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
