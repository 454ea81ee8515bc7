"""What an account's owners ask about OpenID providers."""

PROVIDERS = """
query ($id: ID!) {
  account(id: $id) { signInProviders { name title mfaAllowed domains requestedDomains } }
}
"""
ALLOW = """
mutation ($input: AllowProviderMfaInput!) {
  allowProviderMfa(input: $input) {
    __typename
    ... on ProviderMfaAllowed { provider { name mfaAllowed } }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
REQUEST = """
mutation ($input: RequestDomainInput!) {
  requestDomain(input: $input) {
    __typename
    ... on DomainRequested { provider { domains requestedDomains } }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
RELEASE = """
mutation ($input: ReleaseDomainInput!) {
  releaseDomain(input: $input) { __typename ... on Error { message } ... on InvalidInput { field } }
}
"""
IDENTITIES = "{ viewer { identities { issuer title linkedAt removedAt } } }"
REMOVE = """
mutation ($issuer: String!) {
  removeIdentity(input: {issuer: $issuer}) { __typename ... on IdentityRemoved { issuer } ... on Error { message } }
}
"""
ALLOW_AGAIN = "mutation ($issuer: String!) { allowIdentity(input: {issuer: $issuer}) { issuer } }"
STAFF_IDENTITIES = """
query ($account: ID!, $staff: ID!) {
  account(id: $account) { staffIdentities(staffId: $staff) { issuer title linkedAt removedAt } }
}
"""
REMOVE_OF_STAFF = """
mutation ($account: ID!, $staff: ID!, $issuer: String!) {
  removeStaffIdentity(input: {accountId: $account, staffId: $staff, issuer: $issuer}) {
    __typename ... on IdentityRemoved { issuer } ... on Error { message }
  }
}
"""
ALLOW_OF_STAFF = """
mutation ($account: ID!, $staff: ID!, $issuer: String!) {
  allowStaffIdentity(input: {accountId: $account, staffId: $staff, issuer: $issuer}) {
    __typename ... on IdentityAllowed { issuer } ... on Error { message }
  }
}
"""
REMOVE_ONCE = """
mutation ($issuer: String!, $key: String!) {
  removeIdentity(input: {issuer: $issuer, idempotencyKey: $key}) { __typename ... on IdentityRemoved { issuer } }
}
"""
