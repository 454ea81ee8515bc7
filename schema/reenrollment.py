"""After a reset of MFA: enrolling again by a link out of an email, and saying that the reset was not one's wish."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.reenrollment
from schema.common import Info
from schema.failures import LinkExpired, TooManyAttempts
from schema.viewer import Viewer


@strawberry.input(description="The token out of the email's link.")
class ConfirmMfaEnrollmentInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(description="This session can set up MFA again. The link is used up.")
class MfaEnrollmentConfirmed:
    viewer: Viewer = strawberry.field(description="The viewer, of whom no link is asked any more.")


ConfirmMfaEnrollmentResult = Annotated[
    MfaEnrollmentConfirmed | LinkExpired | TooManyAttempts,
    strawberry.union(
        "ConfirmMfaEnrollmentResult", description="What came of the link. LinkExpired, too, where it is another's."
    ),
]


@strawberry.input(description="The token out of the email's link.")
class DisputeMfaResetInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(
    description="The person's sessions and challenges have ended, a factor set up since the reset is gone, nobody can "
    "set up MFA until an owner resets it again, and the owners are told by email."
)
class MfaResetDisputed:
    email: str = strawberry.field(description="Whose reset it was.")


DisputeMfaResetResult = Annotated[
    MfaResetDisputed | LinkExpired | TooManyAttempts,
    strawberry.union("DisputeMfaResetResult", description="What came of disputing the reset."),
]


@strawberry.type
class ReenrollmentMutation:
    @strawberry.mutation(
        description="Lets this session set up MFA after a reset, by the one-use link that an account with "
        "confirmResetByEmail asks for. See MfaStatus.emailLinkRequired."
    )
    async def confirm_mfa_enrollment(
        self,
        info: Info,
        input: Annotated[ConfirmMfaEnrollmentInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> ConfirmMfaEnrollmentResult | None:
        person = await resolvers.reenrollment.confirm(info.context, input.token)
        return MfaEnrollmentConfirmed(viewer=Viewer.of(person, info))

    @strawberry.mutation(
        description="'This was not me': undoes what a reset of one's MFA allowed, by the one-use link of its email, "
        "which holds for 7 days. Needs no session."
    )
    async def dispute_mfa_reset(
        self,
        info: Info,
        input: Annotated[DisputeMfaResetInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> DisputeMfaResetResult | None:
        return MfaResetDisputed(email=await resolvers.reenrollment.dispute(info.context, input.token))
