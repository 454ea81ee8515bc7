// What the pages ask for.

export const VIEWER = `id email isSuperAdmin language
  mfa { enabled enabledAt backupCodesRemaining }
  memberships { role account { id name } }
  mfaNotice { title message actionLabel blocking }
  checkUp { title message }
  accountRecovery { startedAt endsAt }
  sessions { id current createdAt lastUsedAt userAgent ipAddress }
  identities { issuer title linkedAt removedAt }`;

export const ACCOUNT_PAGE = `query AccountSecurity { viewer { ${VIEWER} } }`;

export const CONFIRM_ENROLLMENT = `mutation ConfirmMfaEnrollment($input: ConfirmMfaEnrollmentInput!) {
  confirmMfaEnrollment(input: $input) {
    __typename ... on MfaEnrollmentConfirmed { viewer { ${VIEWER} } } ... on Error { message } } }`;

export const ACCEPT_INVITATION = `mutation AcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) {
    __typename ... on InvitationAccepted { viewer { ${VIEWER} } } ... on Error { message } } }`;

export const VIEWER_CHANGED = `subscription ViewerChanged { viewerChanged { ${VIEWER} } }`;

/**
 * @typedef {{id: string, current: boolean, createdAt: string, lastUsedAt: string, userAgent: string | null,
 *   ipAddress: string | null}} Session
 * @typedef {{issuer: string, title: string, linkedAt: string | null, removedAt: string | null}} Identity
 * @typedef {{title: string, message: string, actionLabel: string, blocking: boolean}} Notice
 * @typedef {{id: string, email: string, isSuperAdmin: boolean, language: string | null,
 *   mfa: {enabled: boolean, enabledAt: string | null, backupCodesRemaining: number},
 *   memberships: {role: string, account: {id: string, name: string}}[],
 *   mfaNotice: Notice | null, checkUp: {title: string, message: string} | null,
 *   accountRecovery: {startedAt: string, endsAt: string} | null, sessions: Session[],
 *   identities: Identity[]}} Viewer
 */
