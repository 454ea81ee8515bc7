"""The yearly check-up: asking for a code of the app, within a session."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.check_up
from schema.common import Info
from schema.failures import InvalidCode, MfaNotEnabled, TooManyAttempts
from schema.viewer import Viewer, changed_viewer


@strawberry.input(description="A code of the authenticator app.")
class ProveMfaInput:
    code: str = strawberry.field(description="The 6-digit code that the app shows now.")


@strawberry.type(description="The app works, and the code is spent. The check-up is over for a year.")
class MfaProved:
    viewer: Viewer = strawberry.field(description="The viewer, of whom no check-up is asked.")


ProveMfaResult = Annotated[
    MfaProved | InvalidCode | MfaNotEnabled | TooManyAttempts,
    strawberry.union("ProveMfaResult", description="What came of the code."),
]


@strawberry.type
class CheckUpMutation:
    @strawberry.mutation(
        description="Shows that the viewer's authenticator app works, within the session and for nothing else: see "
        "Viewer.checkUp. A wrong code counts as a guess, as anywhere."
    )
    async def prove_mfa(
        self,
        info: Info,
        input: Annotated[ProveMfaInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> ProveMfaResult | None:
        await resolvers.check_up.prove(info.context, input.code)
        return MfaProved(viewer=await changed_viewer(info))
