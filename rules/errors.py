"""Every code in a top-level error: what it means, and what whoever gets it does."""

from __future__ import annotations

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
        "The database, or another part that is needed, does not answer. Nothing was changed.",
        "Send the request again in a moment, later each time.",
    ),
    "INTERNAL_SERVER_ERROR": (
        "Something went wrong on our side, and was logged.",
        "Send the request again once; then tell whoever runs Gatehouse the requestId.",
    ),
}


def page() -> str:
    """docs/errors.md."""
    rows = [f"| `{code}` | {cause} | {remedy} |" for code, (cause, remedy) in REMEDIES.items()]
    return "\n".join([INTRODUCTION, "| code | cause | what to do |", "| --- | --- | --- |", *rows, "", PROMISE, ""])


INTRODUCTION = """# Errors

What a person can act on is data: a member of the mutation's result union, each with a `message` for the person. What
stops a request is in the top-level `errors`, with a code in `extensions.code` and the request's id, as in the log, in
`extensions.requestId`. A refusal for asking too much, `TooManyAttempts` too, comes with the header fields
`RateLimit` and `RateLimit-Policy`: how much is allowed, and in how many seconds (`t`) to try again.
Codes are for programs, messages for people: a message may be reworded at any time.
"""
PROMISE = """## How the schema changes

- It grows: types, fields, enum values, union members and optional arguments are added at any time. Treat an unknown
  union member by its `__typename` as a failure and show its `message` (every failure implements `Error`); take an enum
  value that you do not know as such.
- Nothing is renamed, removed or made stricter without being marked `@deprecated`, with what replaces it, for at least
  six months and in at least one release before. Codes are kept likewise.
- A test holds the served schema to the published one: [schema/schema.graphql](../schema/schema.graphql) is the
  contract, and every difference is in the [changelog](../CHANGELOG.md)."""
