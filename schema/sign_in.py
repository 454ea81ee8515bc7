"""Signing in and out, sessions, and the password's freshness."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.proof
import resolvers.sessions
import resolvers.sign_in
from schema.common import Info
from schema.failures import ChallengeExpired, InvalidCode, InvalidCredentials, MfaNotEnabled, TooManyAttempts
from schema.viewer import Viewer, changed_viewer


@strawberry.input(description="Who signs in, and how the session is to be kept.")
class SignInInput:
    email: str = strawberry.field(description="The email address; its case does not matter.")
    password: str = strawberry.field(description="The password.")
    use_cookie: bool = strawberry.field(
        default=False, description="Set the session as an HttpOnly cookie instead of returning the token."
    )


@strawberry.type(description="A session has begun.")
class SignedIn:
    session_token: str | None = strawberry.field(
        description="Send as 'Authorization: Bearer …'. Null when the session was set as a cookie."
    )
    expires_at: datetime = strawberry.field(description="When the session ends at the latest.")
    known: strawberry.Private[Viewer | None] = None

    @strawberry.field(description="Who has signed in.")
    async def viewer(self, info: Info) -> Viewer:
        return self.known or await changed_viewer(info)

    @classmethod
    async def of(cls, info: Info, started: resolvers.sign_in.SignedIn) -> SignedIn:
        """The session; whose it is is looked up where the answer is kept, and else where it is asked for."""
        known = await changed_viewer(info) if info.context.holds_changes else None
        return cls(session_token=started.token, expires_at=started.expires_at, known=known)


@strawberry.type(description="The password was right, and a second factor is asked for within five minutes.")
class MfaChallenge:
    challenge_token: str = strawberry.field(description="To be sent back with the code.")
    expires_at: datetime = strawberry.field(description="When the challenge ends.")


SignInResult = Annotated[
    SignedIn | MfaChallenge | InvalidCredentials | TooManyAttempts,
    strawberry.union("SignInResult", description="What came of signing in."),
]


@strawberry.input(
    one_of=True,
    description="Exactly one: the 6-digit code from the authenticator app, or an 8-character backup code.",
)
class SecondFactorInput:
    totp: str | None = strawberry.field(
        default=strawberry.UNSET, description="The 6-digit code that the authenticator app shows now."
    )
    backup_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="An unspent backup code; case, spaces and dashes do not matter."
    )


@strawberry.input(description="The answer to a challenge.")
class CompleteMfaChallengeInput:
    challenge_token: str = strawberry.field(description="The token that signIn returned.")
    code: SecondFactorInput = strawberry.field(description="The second factor.")


CompleteMfaChallengeResult = Annotated[
    SignedIn | InvalidCode | ChallengeExpired | TooManyAttempts,
    strawberry.union("CompleteMfaChallengeResult", description="What came of the second factor."),
]


@strawberry.type(description="The session has ended.")
class SignedOut:
    ok: bool = strawberry.field(description="Always true: without a session there is nothing to end.")


@strawberry.type(description="The viewer's other sessions have ended.")
class OtherSessionsEnded:
    count: int = strawberry.field(description="How many live sessions ended.")


@strawberry.input(description="The password once more, a second factor, or both.")
class ReauthenticateInput:
    password: str | None = strawberry.field(default=None, description="The viewer's password.")
    code: SecondFactorInput | None = strawberry.field(
        default=None, description="With MFA on: without it, only what brings a code itself may be changed."
    )


@strawberry.type(description="The viewer has shown again that they are the one.")
class Reauthenticated:
    fresh_until: datetime = strawberry.field(
        description="Until when MFA and policies may be changed; past while the second factor of a viewer with MFA on "
        "was not shown lately."
    )


ReauthenticateResult = Annotated[
    Reauthenticated | InvalidCredentials | InvalidCode | MfaNotEnabled | TooManyAttempts,
    strawberry.union("ReauthenticateResult", description="What came of showing password or code again."),
]


@strawberry.type
class SignInMutation:
    @strawberry.mutation(description="Password first. With MFA on, a challenge comes back instead of a session.")
    async def sign_in(
        self,
        info: Info,
        input: Annotated[SignInInput, strawberry.argument(description="Email and password.")],  # noqa: A002
    ) -> SignInResult | None:
        return await signed_in(
            info, await resolvers.sign_in.sign_in(info.context, input.email, input.password, input.use_cookie)
        )

    @strawberry.mutation(description="Answers a challenge with a second factor; a session begins.")
    async def complete_mfa_challenge(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            CompleteMfaChallengeInput, strawberry.argument(description="The challenge and the code.")
        ],
    ) -> CompleteMfaChallengeResult | None:
        signed_in = await resolvers.sign_in.complete_challenge(
            info.context, input.challenge_token, given(input.code.totp), given(input.code.backup_code)
        )
        return await SignedIn.of(info, signed_in)

    @strawberry.mutation(description="Ends this session, and its cookie if it has one.")
    async def sign_out(self, info: Info) -> SignedOut | None:
        await resolvers.sessions.sign_out(info.context)
        return SignedOut(ok=True)

    @strawberry.mutation(
        description="Ends every session of the viewer but this one, and recovery passes that they gave, the sessions "
        "that those began, and resets that they asked for. By cookie over HTTP this one goes on under a new token; a "
        "bearer token stays the same."
    )
    async def sign_out_other_sessions(self, info: Info) -> OtherSessionsEnded | None:
        return OtherSessionsEnded(count=await resolvers.sessions.sign_out_others(info.context))

    @strawberry.mutation(
        description="Renews the proof, at most 15 minutes old, that changing MFA and policies asks for: by password, "
        "and by a code where MFA is on. By cookie over HTTP the session goes on under a new token; a bearer token "
        "stays the same."
    )
    async def reauthenticate(
        self,
        info: Info,
        input: Annotated[ReauthenticateInput, strawberry.argument(description="Password, code, or both.")],  # noqa: A002
    ) -> ReauthenticateResult | None:
        code = input.code
        person = await resolvers.proof.reauthenticate(
            info.context,
            input.password,
            given(code.totp) if code else None,
            given(code.backup_code) if code else None,
        )
        return Reauthenticated(fresh_until=person.fresh_until)


def given(code: str | None) -> str | None:
    """A code that may have been left out."""
    # UNSET, of the field that was not given, is falsy as well, but an empty code is a wrong one of its kind.
    return None if code is strawberry.UNSET else code


async def signed_in(
    info: Info, outcome: resolvers.sign_in.SignedIn | resolvers.sign_in.ChallengeOpened
) -> SignedIn | MfaChallenge:
    """What came of the first factor, as clients see it."""
    if isinstance(outcome, resolvers.sign_in.ChallengeOpened):
        return MfaChallenge(challenge_token=outcome.token, expires_at=outcome.expires_at)
    return await SignedIn.of(info, outcome)
