"""The operations that tests send, as a frontend would: each stands here once."""

from __future__ import annotations

SIGN_IN = """
mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { sessionToken expiresAt viewer { email } }
    ... on MfaChallenge { challengeToken expiresAt }
    ... on Error { message }
    ... on TooManyAttempts { retryAt }
  }
}
"""
BEGIN = """
mutation {
  beginMfaEnrollment {
    __typename
    ... on MfaEnrollment { otpauthUri manualEntryKey expiresAt }
    ... on Error { message }
  }
}
"""
# To draw them takes longer than all else of an enrollment.
BEGIN_WITH_QR_CODES = """
mutation {
  beginMfaEnrollment {
    __typename
    ... on MfaEnrollment { otpauthUri manualEntryKey qrCodeSvg qrCodePngDataUri }
  }
}
"""
BEGIN_TYPE = "mutation ($key: String) { beginMfaEnrollment(idempotencyKey: $key) { __typename } }"
VERIFY = """
mutation ($code: String!, $key: String) {
  verifyAndEnableMfa(input: {code: $code, idempotencyKey: $key}) {
    __typename
    ... on MfaEnabled { backupCodes viewer { id mfa { enabled backupCodesRemaining reenrollmentRequired } } }
    ... on Error { message }
    ... on InvalidCode { attemptsRemaining clockSkewSeconds }
    ... on TooManyAttempts { retryAt }
  }
}
"""
COMPLETE = """
mutation ($token: String!, $code: SecondFactorInput!, $key: String) {
  completeMfaChallenge(input: {challengeToken: $token, code: $code, idempotencyKey: $key}) {
    __typename
    ... on SignedIn { sessionToken viewer { email mfa { backupCodesRemaining } } }
    ... on Error { message }
    ... on InvalidCode { attemptsRemaining clockSkewSeconds }
    ... on TooManyAttempts { retryAt }
  }
}
"""
REGENERATE = """
mutation ($code: String!) {
  regenerateBackupCodes(input: {code: $code}) {
    __typename
    ... on BackupCodesRegenerated { backupCodes viewer { mfa { backupCodesRemaining } } }
    ... on Error { message }
  }
}
"""
BEGIN_REPLACEMENT = """
mutation ($code: SecondFactorInput!) {
  beginAuthenticatorReplacement(input: {code: $code}) {
    __typename
    ... on MfaEnrollment { manualEntryKey }
    ... on Error { message }
  }
}
"""
REPLACE = """
mutation ($code: String!) {
  replaceAuthenticator(input: {code: $code}) {
    __typename
    ... on AuthenticatorReplaced { backupCodes viewer { mfa { enabled backupCodesRemaining } } }
    ... on Error { message }
  }
}
"""
DISABLE = """
mutation ($code: String!) {
  disableMfa(input: {code: $code}) {
    __typename
    ... on MfaDisabled { viewer { mfa { enabled backupCodesRemaining } } }
    ... on Error { message }
    ... on InvalidCode { attemptsRemaining }
    ... on TooManyAttempts { retryAt }
  }
}
"""
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
mutation ($account: ID!, $staff: ID!, $reason: String) {
  resetStaffMfa(input: {accountId: $account, staffId: $staff, reason: $reason}) {
    __typename
    ... on MfaResetPending { resetId }
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
      nodes { id type occurredAt actorEmail subjectEmail summary ipAddress userAgent method }
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
WATCH_PROGRESS = """
subscription ($account: ID!) {
  enrollmentProgress(accountId: $account) { staffCount enrolledCount pendingCount blockedCount }
}
"""
WATCH_MEMBERS = """
subscription ($account: ID!) {
  staffMemberChanged(accountId: $account) { email mfaState role canResetMfa }
}
"""
WATCH_VIEWER = "subscription { viewerChanged { email mfa { enabled } mfaNotice { daysRemaining } } }"
WATCH_SETTING_UP = "subscription { viewerChanged { email mfa { emailLinkRequired enrollmentStopped } } }"
EVERYTHING = """
query ($account: ID!) {
  viewer { id email mfa { enabled } mfaNotice { message } memberships { role account { id name } } }
  account(id: $account) {
    id
    securityPolicy { requireMfa }
    enrollmentProgress { staffCount }
    policyImpact(requireMfa: true) { affectedCount }
    staff { nodes { email mfaState canResetMfa } }
    auditLog { nodes { summary actorEmail subjectEmail } }
  }
}
"""
REMINDERS = """
query ($account: ID!) {
  account(id: $account) { staff(filter: {search: "mia"}) { nodes { lastRemindedAt lastReminderFailedAt } } }
}
"""
WITH_COOKIE = """
mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password, useCookie: true}) {
    __typename
    ... on SignedIn { sessionToken viewer { email } }
    ... on MfaChallenge { challengeToken }
  }
}
"""
EXEMPT = """
mutation ($input: ExemptFromMfaInput!) {
  exemptFromMfa(input: $input) {
    __typename
    ... on MfaExempted {
      exception { id kind email until reason authorEmail breakGlass endedAt }
      results { staffMember { mfaState mfaDeadlineReason } }
    }
    ... on Error { message }
  }
}
"""
END_EXCEPTION = """
mutation ($input: EndMfaExceptionInput!) {
  endMfaException(input: $input) {
    __typename
    ... on MfaExceptionEnded { exception { endedAt } staffMember { mfaState mfaDeadlineReason } }
    ... on Error { message }
  }
}
"""
EXCEPTIONS = "query ($id: ID!) { account(id: $id) { mfaExceptions(includeEnded: true) { kind email endedAt } } }"
VIEWER = "{ viewer { email sessions { current userAgent ipAddress } } }"
WHO_AM_I = "{ viewer { email isSuperAdmin memberships { role account { id name } } } }"
UPDATE_SCOPE = """
mutation ($input: UpdateSecurityPolicyInput!) {
  updateSecurityPolicy(input: $input) {
    __typename
    ... on SecurityPolicyUpdated { securityPolicy { requireMfa requiredOf joinerDays } }
    ... on InvalidInput { field }
  }
}
"""
DAYS_LEFT = "{ viewer { mfaNotice { daysRemaining blocking } } }"
IMPACT_OF = """
query ($id: ID!, $of: RequiredOf) {
  account(id: $id) {
    policyImpact(requireMfa: true, gracePeriodDays: 0, requiredOf: $of) { affectedCount blockedNowCount }
  }
}
"""
SHOW_AGAIN = """
mutation ($input: ReauthenticateInput!) {
  reauthenticate(input: $input) {
    __typename
    ... on Reauthenticated { freshUntil }
    ... on Error { message }
    ... on InvalidCode { attemptsRemaining }
  }
}
"""
REAUTHENTICATE = """
mutation ($password: String!) {
  reauthenticate(input: {password: $password}) { __typename ... on Error { message } }
}
"""
COMPLIANCE = """
query ($id: ID!, $at: DateTime) {
  account(id: $id) {
    compliance(at: $at) {
      requireMfa staffCount enrolledCount pendingCount blockedCount exceptedCount exceptions { email reason }
    }
  }
}
"""
ISSUE_PASS = """
mutation ($account: ID!, $staff: ID!, $reason: String!) {
  issueRecoveryPass(input: {accountId: $account, staffId: $staff, reason: $reason}) {
    __typename
    ... on RecoveryPassIssued { recoveryPass expiresAt staffMember { email mfaEnabled } }
    ... on Error { message }
  }
}
"""
REDEEM_PASS = """
mutation ($token: String!, $recoveryPass: String!) {
  redeemRecoveryPass(input: {challengeToken: $token, recoveryPass: $recoveryPass}) {
    __typename
    ... on RecoverySession { sessionToken expiresAt }
    ... on Error { message }
  }
}
"""
BEGIN_RECOVERY = """
mutation {
  beginAuthenticatorReplacement(input: {}) {
    __typename
    ... on MfaEnrollment { manualEntryKey }
    ... on Error { message }
  }
}
"""
CHECK_UP = "{ viewer { checkUp { title message actionLabel provedAt } } }"
PROVE = """
mutation ($code: String!) {
  proveMfa(input: {code: $code}) {
    __typename
    ... on MfaProved { viewer { checkUp { title } } }
    ... on Error { message }
  }
}
"""
ACCOUNT_NAME = "query ($account: ID!) { account(id: $account) { name } }"
ACCOUNT = "query ($account: ID!) { account(id: $account) { id name } }"
SIGN_OUT = "mutation { signOut { ok } }"
VIEWER_EMAIL = "{ viewer { email } }"
SIGN_OUT_OTHERS = "mutation { signOutOtherSessions { count } }"
MEMBERSHIPS = "{ viewer { memberships { account { name } } } }"
OWN_SESSIONS = "{ viewer { email sessions { id current } } }"
ROLES = "{ viewer { memberships { role account { name } } } }"
AT_A_GLANCE = "{ viewer { email mfa { enabled backupCodesRemaining } memberships { account { name } } } }"
WATCH_ENABLED = "subscription { viewerChanged { mfa { enabled } } }"
EMAIL_AND_ACCOUNTS = "{ viewer { email memberships { account { name } } } }"
VIEWER_ID = "{ viewer { id } }"
EMAIL_AND_ACCOUNT_IDS = "{ viewer { email memberships { account { id } } } }"
SIGN_IN_FOR_COOKIE = """
mutation {
  signIn(input: {email: "mia@agency.example", password: "correct horse battery", useCookie: true}) {
    ... on MfaChallenge { challengeToken }
  }
}
"""
TRY_SIGNING_OUT_OTHERS = "mutation { signOutOtherSessions { __typename } }"
REAUTHENTICATE_WRONGLY = 'mutation { reauthenticate(input: {password: "wrong"}) { __typename } }'
MFA_ENABLED = "{ viewer { mfa { enabled } } }"
REAUTHENTICATE_TYPE = """
mutation ($p: String!) {
  reauthenticate(input: {password: $p}) { __typename ... on Reauthenticated { freshUntil } }
}
"""
LAST_USED = "{ viewer { sessions { current lastUsedAt } } }"
DISABLE_TYPE = "mutation ($c: String!) { disableMfa(input: {code: $c}) { __typename } }"
