"""Every code of an error, and every failure that comes back as data: what it means, and what whoever gets it does."""

from __future__ import annotations

from collections.abc import Mapping

REMEDIES = {
    "UNAUTHENTICATED": (
        "No live session or service key came with the request.",
        "Sign in, and send the token or cookie. Asked by a service: make a new key, this one is revoked or expired.",
    ),
    "FORBIDDEN": (
        "A service key was not given the right, or would act as a person.",
        "Make a key that has the right named in the message, or ask with the person's own session.",
    ),
    "NOT_FOUND": (
        "There is no such thing, or it is not for whoever asks: the two are never told apart.",
        "Check the id, and in which account the person or the key is.",
    ),
    "MFA_ENROLLMENT_REQUIRED": (
        "The person must set up MFA before going on in this account.",
        "Lead the person to enrolling: `beginMfaEnrollment`, `verifyAndEnableMfa`.",
    ),
    "REAUTHENTICATION_REQUIRED": (
        "The change asks for a proof that is newer than the session's.",
        "Ask for the password or the second factor, call `reauthenticate`, and send the request again.",
    ),
    "RATE_LIMITED": (
        "More is asked than is allowed or can be done in time. Nothing was changed.",
        "Wait, as long as the answer says where it does, then send the request again; ask less often.",
    ),
    "IDEMPOTENCY_KEY_REUSED": (
        "The `idempotencyKey` came with other input, or another mutation, within ten minutes. Nothing was changed. "
        "`provisionStaff`, `changeStaffRole`, `removeStaff` and `changeEmail` keep theirs for 24 hours, and answer "
        "`InvalidInput` (its `field` is `idempotencyKey`) instead.",
        "Mend the client: a new key for each change that a person asks for, the same one only to send it again.",
    ),
    "IDEMPOTENCY_IN_PROGRESS": (
        "Another request with the `idempotencyKey` is under way, or broke off within the last 20 seconds.",
        "Send the same request again in a moment: it gets that one's answer, or is carried out.",
    ),
    "IDEMPOTENCY_ANSWER_LOST": (
        "A change was made under the `idempotencyKey`, and its answer cannot be read any more: a new version writes "
        "answers otherwise, or the key that sealed it has been removed. Nothing was changed now.",
        "Look at what holds, and send what is still wanted under a new key; what was shown once must be made anew.",
    ),
    "BAD_USER_INPUT": (
        "A value that no client should send: of the wrong type, form or size.",
        "Mend the client; the message names the value's place.",
    ),
    "GRAPHQL_PARSE_FAILED": ("The document is no GraphQL.", "Mend the document where the message points."),
    "GRAPHQL_VALIDATION_FAILED": (
        "The document does not fit the schema, is too deep, too large or not among the trusted ones.",
        "Mend the document; ask for less at once.",
    ),
    "SERVICE_UNAVAILABLE": (
        "The database, or another part that is needed, does not answer. Nothing was changed, or else the message says "
        "that it is not known.",
        "Send the request again in a moment, later each time; a change under the same `idempotencyKey`, which "
        "keeps it from being made twice.",
    ),
    "INTERNAL_SERVER_ERROR": (
        "Something went wrong on our side, and was logged.",
        "Send the request again once; then tell whoever runs Gatehouse the requestId.",
    ),
}
# Members of the mutations' unions, by their types.
AS_DATA = {
    "InvalidCredentials": (
        "The email or the password is wrong, or nobody has it: never told apart.",
        "Let the person type both again, or ask for a link: `requestPasswordReset`.",
    ),
    "InvalidCode": (
        "The code is wrong, spent or from another time. It counted as a guess.",
        "Let the person wait for the next code; show `attemptsRemaining`, and the clock's error while enrolling.",
    ),
    "TooManyAttempts": (
        "Guessing is locked, and the right code or password is not taken either; or something was done too often that "
        "others are told of each time.",
        "Show `retryAt`, and ask for nothing before.",
    ),
    "ChallengeExpired": (
        "The sign-in is unknown, used, older than 5 minutes or guessed at 5 times.",
        "Begin again with the first factor.",
    ),
    "RecoveryPassExpired": (
        "The recovery pass is unknown, used, replaced by a newer one, or older than 60 minutes.",
        "Let the person ask an owner or admin for a new one.",
    ),
    "MfaNotEnabled": ("The person has no MFA on.", "Ask `viewer { mfa { enabled } }` again, and offer to set it up."),
    "MfaAlreadyEnabled": (
        "The person has MFA on.",
        "For a new phone `replaceAuthenticator`; to begin anew, `disableMfa` first.",
    ),
    "EnrollmentNotStarted": (
        "No enrollment is open, or it is older than 15 minutes.",
        "Begin again: `beginMfaEnrollment`, with a new QR code.",
    ),
    "StaffMfaNotEnabled": ("The staff member has no MFA to reset.", "Load the roster again."),
    "MfaResetPending": (
        "The account lets another owner or admin approve a reset: it waits for that, 24 hours at most.",
        "Show the message; `approveMfaReset` or `declineMfaReset` by another owner or admin decides.",
    ),
    "MfaResetEnded": (
        "The reset that waited was approved, declined, stopped, or not approved within 24 hours.",
        "Load `mfaResetRequests` again.",
    ),
    "AccountRecoveryEnded": (
        "The account recovery that waited was stopped, or carried out at the end of the wait.",
        "Load `accountRecoveries` and the roster again.",
    ),
    "ChangedMeanwhile": (
        "Something else holds by now than what the client has seen: `ifUpdatedAt` or `ifHeld` of its input.",
        "Load it again, show it, and let the person decide anew.",
    ),
    "LinkExpired": (
        "The link out of an email is unknown, used, replaced, taken back or too old.",
        "Let the person ask for another.",
    ),
    "SignInRequired": (
        "An invitation's link, of somebody who has a password: it sets none.",
        "Let them sign in, and send the same token by `acceptInvitation`.",
    ),
    "NotPermitted": ("The person may see this, but not do it.", "Show the message: it says who may."),
    "InvalidInput": ("A value that the person gave cannot be taken.", "Show the message beside the input's `field`."),
}


def page() -> str:
    """docs/errors.md."""
    return "\n".join([INTRODUCTION, _table("code", REMEDIES), MEMBERS, _table("type", AS_DATA), PROMISE, ""])


def _table(head: str, told: Mapping[str, tuple[str, str]]) -> str:
    rows = [f"| `{name}` | {cause} | {remedy} |" for name, (cause, remedy) in told.items()]
    return "\n".join([f"| {head} | cause | what to do |", "| --- | --- | --- |", *rows, ""])


INTRODUCTION = """# Errors

What a person can act on is data: a member of the mutation's result union, each with a `message` for the person. What
stops a request is in the top-level `errors`, with a code in `extensions.code` and the request's id, as in the log, in
`extensions.requestId`. A refusal for asking too much, `TooManyAttempts` too, comes with the header fields
`RateLimit` and `RateLimit-Policy`: how much is allowed, and in how many seconds (`t`) to try again.
Codes are for programs, messages for people: a message may be reworded at any time.
"""
MEMBERS = """## Failures that come back as data

Each is a member of its mutation's union, told by `__typename`.
"""
PROMISE = """## How the schema changes

- It grows: types, fields, enum values, union members and optional arguments are added at any time. Treat an unknown
  union member by its `__typename` as a failure and show its `message` (every failure implements `Error`); take an enum
  value that you do not know as such.
- Nothing is renamed, removed or made stricter without being marked `@deprecated`, with what replaces it, for at least
  six months and in at least one release before. Codes are kept likewise.
- A test holds the served schema to the published one: [schema/schema.graphql](../schema/schema.graphql) is the
  contract, and every difference is in the [changelog](../CHANGELOG.md)."""
