"""Every expected failure, by name. Its message is what the person reads.

Two families: an Outcome comes back as data, a member of the mutation's result union; a Refusal stops the request and
comes back in the top-level errors under its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from rules.resets import PENDING


class Failure(Exception):
    """An expected failure with a message for the person."""

    message: str

    def __str__(self) -> str:
        return self.message


class Outcome(Failure):
    """A failure that a person can act on."""


class Refusal(Failure):
    """A failure that stops the request; `code` is its extensions.code."""

    code: ClassVar[str]


@dataclass
class InvalidCredentials(Outcome):
    """Wrong email or password; the same whether or not the person exists."""

    message: str = "The email or the password is wrong."


@dataclass
class InvalidCode(Outcome):
    """A wrong second factor; `clock_skew_seconds` only while enrolling."""

    message: str
    attempts_remaining: int
    clock_skew_seconds: int | None = None


@dataclass
class TooManyAttempts(Outcome):
    """Guessing is locked until `retry_at`: so many were allowed within the span, and it is so long until then."""

    retry_at: datetime
    message: str = "Too many wrong attempts. Wait until the time given, then try again."
    most: int = 1
    span: timedelta = timedelta(0)
    wait: timedelta = timedelta(0)


@dataclass
class ChallengeExpired(Outcome):
    """The challenge is unknown, used, too old or guessed at too often."""

    message: str = "This sign-in has expired. Sign in again with your password."


@dataclass
class MfaNotEnabled(Outcome):
    """The person has no factor."""

    message: str = "MFA is not enabled on your account"


@dataclass
class MfaAlreadyEnabled(Outcome):
    """The person has a factor already."""

    message: str = "MFA is already enabled. Disable it first to re-enroll."


@dataclass
class EnrollmentNotStarted(Outcome):
    """There is no open enrollment, or it is older than 15 minutes."""

    message: str = "No MFA setup is open, or it has expired. Start again to get a new QR code."


@dataclass
class StaffMfaNotEnabled(Outcome):
    """There is nothing to reset."""

    message: str = "This staff member has not set up MFA, so there is nothing to reset."


@dataclass
class MfaResetEnded(Outcome):
    """A reset that waits no more, or never did."""

    message: str = "This reset waits no more: it was approved, declined, stopped, or not approved in time."


@dataclass
class MfaResetPending(Outcome):
    """A reset that another owner or admin must approve: asked for, and no failure, raised by nobody."""

    message: str = PENDING


@dataclass
class AccountRecoveryEnded(Outcome):
    """An account recovery that waits no more: stopped, carried out, or lapsed."""

    message: str = "This waits no more: it was stopped, or the wait is over."


@dataclass
class ChangedMeanwhile(Outcome):
    """What was to be saved over is no more what the caller has seen."""

    message: str = "Somebody else has changed this meanwhile. Look at what holds now, then save again."


@dataclass
class LinkExpired(Outcome):
    """A link out of an email that is unknown, used, replaced, revoked or too old."""

    message: str = "This link has been used already, or it is too old. Ask for a new one."


@dataclass
class SignInRequired(Outcome):
    """An invitation's link of somebody who has a password, which it may not set."""

    message: str = "You have a password already. Sign in with it to accept the invitation."


@dataclass
class RecoveryPassExpired(Outcome):
    """A recovery pass that is unknown, used, replaced, void or too old."""

    message: str = "This recovery pass has been used already, or it is too old. Ask for a new one."


@dataclass
class NotPermitted(Outcome):
    """The person may see this, but not do it."""

    message: str


@dataclass
class InvalidInput(Outcome):
    """A value that cannot be taken; `field` is the input field's name."""

    field: str
    message: str


@dataclass
class Unauthenticated(Refusal):
    """No live session."""

    code: ClassVar[str] = "UNAUTHENTICATED"
    message: str = "Sign in first."


@dataclass
class Forbidden(Refusal):
    """A service key that was not given this, or that would act as a person."""

    message: str
    code: ClassVar[str] = "FORBIDDEN"


@dataclass
class NotFound(Refusal):
    """Not there, or not for this person: never told apart."""

    code: ClassVar[str] = "NOT_FOUND"
    message: str = "Not found."


@dataclass
class MfaEnrollmentRequired(Refusal):
    """The gate: the person must enroll before going on."""

    code: ClassVar[str] = "MFA_ENROLLMENT_REQUIRED"
    message: str = "Your agency requires MFA for all staff. Set it up now to continue accessing your account."


@dataclass
class ReauthenticationRequired(Refusal):
    """The password was shown too long ago for this change."""

    code: ClassVar[str] = "REAUTHENTICATION_REQUIRED"
    message: str = "Confirm your password to go on."


@dataclass
class RateLimited(Refusal):
    """More is being asked than can be done in time; nothing was changed."""

    code: ClassVar[str] = "RATE_LIMITED"
    message: str = "Too many sign-ins are under way. Nothing was changed; try again in a moment."


@dataclass
class IdempotencyKeyReused(Refusal):
    """The key came with other input within ten minutes; nothing was changed."""

    code: ClassVar[str] = "IDEMPOTENCY_KEY_REUSED"
    message: str = "This idempotencyKey came with other input before. Nothing was changed; send another key."


@dataclass
class IdempotencyInProgress(Refusal):
    """Another request with the key is under way."""

    code: ClassVar[str] = "IDEMPOTENCY_IN_PROGRESS"
    message: str = "Another request with this idempotencyKey is under way. Ask again in a moment for its answer."


@dataclass
class IdempotencyAnswerLost(Refusal):
    """The key was used, and its answer cannot be read any more."""

    code: ClassVar[str] = "IDEMPOTENCY_ANSWER_LOST"
    message: str = (
        "A change was made under this idempotencyKey, but its answer cannot be read any more. Nothing was changed now; "
        "look at what holds, and send another key for what is still wanted."
    )


@dataclass
class BadUserInput(Refusal):
    """An argument that no client should send."""

    message: str
    code: ClassVar[str] = "BAD_USER_INPUT"


UNSURE = (
    "Gatehouse was briefly unavailable just as this was saved, and does not know whether it was. Try again in a "
    "moment, with the same idempotencyKey if there was one; it is not done twice then."
)


@dataclass
class ServiceUnavailable(Refusal):
    """A part that is needed does not answer; nothing was changed, unless the message says that it is not known."""

    code: ClassVar[str] = "SERVICE_UNAVAILABLE"
    message: str = "Gatehouse is briefly unavailable. Nothing was changed; try again in a moment."
