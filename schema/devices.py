"""Saying of a sign-in from a new device that it was somebody else's."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.devices
from schema.common import Info
from schema.failures import LinkExpired, TooManyAttempts


@strawberry.input(description="The token out of the email's link.")
class RejectSignInInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(description="The session of that sign-in has ended, and later ones.")
class SignInRejected:
    email: str = strawberry.field(description="Whose sign-in it was.")
    password_link_sent: bool = strawberry.field(
        description="Whether a link to set a new password is on its way there: false where there is no password, "
        "unless an identity at a provider was removed."
    )
    mfa_changed_since: bool = strawberry.field(
        description="Whether MFA was set up since that sign-in, or moved to another app, or its backup codes replaced. "
        "It stays as it is; owners are told by email to reset it unless the person did so."
    )
    manager_can_reset: bool = strawberry.field(
        description="Whether an owner or admin could reset the person's MFA. Where none could, as of an only owner, "
        "an operator of the platform can."
    )


RejectSignInResult = Annotated[
    SignInRejected | LinkExpired | TooManyAttempts,
    strawberry.union("RejectSignInResult", description="What came of rejecting the sign-in."),
]


@strawberry.type
class DeviceMutation:
    @strawberry.mutation(
        description="'This was not me': ends the session that began on a device not seen before, and later ones, by "
        "the one-use link of its email, which holds for 7 days, and sends a link to set a new password. Recovery "
        "passes given, resets asked for and invitations sent in the person's name since end, too. Identities "
        "that were linked at OpenID providers since are removed, as by removeIdentity; all where that sign-in was "
        "by one. An authenticator app stays; of one that was set up since, owners are told. Needs no session."
    )
    async def reject_sign_in(
        self,
        info: Info,
        input: Annotated[RejectSignInInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> RejectSignInResult | None:
        rejected = await resolvers.devices.reject(info.context, input.token)
        return SignInRejected(
            email=rejected.email,
            password_link_sent=rejected.is_link_sent,
            mfa_changed_since=rejected.is_mfa_changed,
            manager_can_reset=rejected.can_be_reset,
        )
