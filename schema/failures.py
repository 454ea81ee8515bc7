"""The failures that come back as data: members of the result unions, mapped from what the resolvers raise."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

import rules.failures
import rules.rate_limits
from schema.common import Error, Info, told
from telemetry import requests


@strawberry.type(
    description="Wrong email or password: the same answer, in the same time, whether or not the person exists."
)
class InvalidCredentials(Error):
    pass


@strawberry.type(description="The code is wrong, spent or from another time. It counted as a guess.")
class InvalidCode(Error):
    attempts_remaining: int = strawberry.field(description="How many more wrong codes there may be before a lock.")
    clock_skew_seconds: int | None = strawberry.field(
        description="While enrolling, when the code is right for another time within 5 minutes: by how many seconds "
        "the authenticator's clock is ahead (negative: behind). Null otherwise, and always null outside enrollment, "
        "where it would tell a guesser when to try again."
    )


@strawberry.type(
    description="Guessing is locked for a while, and the right code or password is not taken either; or something was "
    "done too often that others are told of each time."
)
class TooManyAttempts(Error):
    retry_at: datetime = strawberry.field(description="From when on another try is looked at.")


@strawberry.type(description="The challenge is unknown, used, older than 5 minutes or guessed at 5 times.")
class ChallengeExpired(Error):
    pass


@strawberry.type(description="MFA is off: 'MFA is not enabled on your account'.")
class MfaNotEnabled(Error):
    pass


@strawberry.type(description="MFA is on: 'MFA is already enabled. Disable it first to re-enroll.'.")
class MfaAlreadyEnabled(Error):
    pass


@strawberry.type(description="There is no open enrollment, or it is older than 15 minutes.")
class EnrollmentNotStarted(Error):
    pass


@strawberry.type(description="The staff member has no MFA to reset.")
class StaffMfaNotEnabled(Error):
    pass


@strawberry.type(description="The reset waits no more: approved, declined, stopped, or not approved in time.")
class MfaResetEnded(Error):
    pass


@strawberry.type(description="The account recovery waits no more: it was stopped, or the wait is over.")
class AccountRecoveryEnded(Error):
    pass


@strawberry.type(
    description="Something else holds by now than what the client has seen, as its input told. Nothing was changed."
)
class ChangedMeanwhile(Error):
    pass


@strawberry.type(description="The link out of an email is unknown, used, replaced, taken back or too old.")
class LinkExpired(Error):
    pass


@strawberry.type(
    description="An invitation's link of somebody who has a password, which it does not set. It holds as before: they "
    "sign in, and accept by acceptInvitation."
)
class SignInRequired(Error):
    pass


@strawberry.type(description="The recovery pass is unknown, used, replaced, void or older than 60 minutes.")
class RecoveryPassExpired(Error):
    pass


@strawberry.type(description="The viewer may see this, but not do it.")
class NotPermitted(Error):
    pass


@strawberry.type(description="A value that cannot be taken. Nothing was changed.")
class InvalidInput(Error):
    field: str = strawberry.field(description="The input field's name, as the client wrote it.")


class Handler:
    """Turns one raised outcome into its member of the field's union."""

    def __init__(self, exception_type: type[rules.failures.Outcome], error_type: type[Error]) -> None:
        self.exception_type = exception_type
        self.error_type = error_type

    def handle(self, exception: Any, *, field: StrawberryField, info: Info) -> Error:
        """The failure's fields are the type's; what else it knows is for the answer's headers."""
        requests.ended(self.error_type.__name__)
        if isinstance(exception, rules.failures.TooManyAttempts):
            limits = rules.rate_limits.tries(exception.most, exception.span, exception.wait)
            info.context.response_headers.extend(limits.items())
        given = {each.name: getattr(exception, each.name) for each in fields(self.error_type)}
        return self.error_type(**given | {"message": told(info, exception.message)})


HANDLERS: tuple[strawberry.ExceptionHandler[Any], ...] = (
    Handler(rules.failures.InvalidCredentials, InvalidCredentials),
    Handler(rules.failures.InvalidCode, InvalidCode),
    Handler(rules.failures.TooManyAttempts, TooManyAttempts),
    Handler(rules.failures.ChallengeExpired, ChallengeExpired),
    Handler(rules.failures.MfaNotEnabled, MfaNotEnabled),
    Handler(rules.failures.MfaAlreadyEnabled, MfaAlreadyEnabled),
    Handler(rules.failures.EnrollmentNotStarted, EnrollmentNotStarted),
    Handler(rules.failures.StaffMfaNotEnabled, StaffMfaNotEnabled),
    Handler(rules.failures.MfaResetEnded, MfaResetEnded),
    Handler(rules.failures.AccountRecoveryEnded, AccountRecoveryEnded),
    Handler(rules.failures.ChangedMeanwhile, ChangedMeanwhile),
    Handler(rules.failures.LinkExpired, LinkExpired),
    Handler(rules.failures.SignInRequired, SignInRequired),
    Handler(rules.failures.RecoveryPassExpired, RecoveryPassExpired),
    Handler(rules.failures.NotPermitted, NotPermitted),
    Handler(rules.failures.InvalidInput, InvalidInput),
)
