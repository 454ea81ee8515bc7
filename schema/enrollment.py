"""Enrolling an authenticator app, backup codes, and turning MFA off."""

from __future__ import annotations

import io
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.backup_codes
import resolvers.enrollment
import resolvers.new_app
import resolvers.replacement
import rules.totp
from schema.common import Info
from schema.failures import (
    EnrollmentNotStarted,
    InvalidCode,
    MfaAlreadyEnabled,
    MfaNotEnabled,
    NotPermitted,
    TooManyAttempts,
)
from schema.sign_in import SecondFactorInput, given
from schema.viewer import Viewer, changed_viewer

if TYPE_CHECKING:
    import segno

QUIET_ZONE_MODULES = 4
PNG_SCALE_PX = 6


@strawberry.type(description="A secret to be put into an authenticator app. It is worth nothing until verified.")
class MfaEnrollment:
    otpauth_uri: str = strawberry.field(
        description="otpauth:// URI: issuer TaskJuice (configurable), the viewer's email, SHA-1, 6 digits, 30 seconds."
    )
    manual_entry_key: str = strawberry.field(description="Base32, in groups of four for typing.")
    expires_at: datetime = strawberry.field(description="Until when it can be verified: 15 minutes from its beginning.")

    @strawberry.field(description="A complete <svg> document, dark on light with a quiet zone.")
    def qr_code_svg(self) -> str:
        svg = io.BytesIO()
        self._qr_code.save(svg, kind="svg", scale=4, border=QUIET_ZONE_MODULES, light="#fff", xmldecl=False, nl=False)
        return svg.getvalue().decode()

    @strawberry.field(description="The same as data:image/png;base64,…")
    def qr_code_png_data_uri(self) -> str:
        return str(self._qr_code.png_data_uri(scale=PNG_SCALE_PX, border=QUIET_ZONE_MODULES))

    @cached_property
    def _qr_code(self) -> segno.QRCode:
        import segno  # loaded where somebody enrolls

        return segno.make_qr(self.otpauth_uri)


BeginMfaEnrollmentResult = Annotated[
    MfaEnrollment | MfaAlreadyEnabled | NotPermitted,
    strawberry.union(
        "BeginMfaEnrollmentResult",
        description="What came of beginning. NotPermitted: a portal user, who is never enrolled; after a reset, "
        "somebody who has still to confirm by email, or for whom it is stopped.",
    ),
]


@strawberry.input(description="The first code of the authenticator app.")
class VerifyAndEnableMfaInput:
    code: str = strawberry.field(description="The 6-digit code that the app shows now; spaces do not matter.")


@strawberry.type(description="MFA is on. The viewer's other sessions have ended.")
class MfaEnabled:
    backup_codes: list[str] = strawberry.field(
        description="Exactly 10, each 8 lower-case letters and digits. Shown this once."
    )
    viewer: Viewer = strawberry.field(description="The viewer, with MFA on.")


VerifyAndEnableMfaResult = Annotated[
    MfaEnabled | InvalidCode | MfaAlreadyEnabled | EnrollmentNotStarted | TooManyAttempts,
    strawberry.union("VerifyAndEnableMfaResult", description="What came of the first code."),
]


@strawberry.input(description="A current code.")
class RegenerateBackupCodesInput:
    code: str = strawberry.field(description="The 6-digit code that the authenticator app shows now.")


@strawberry.type(description="The backup codes were replaced. The earlier ones have stopped working.")
class BackupCodesRegenerated:
    backup_codes: list[str] = strawberry.field(description="Exactly 10 new ones. Shown this once.")
    viewer: Viewer = strawberry.field(description="The viewer.")


RegenerateBackupCodesResult = Annotated[
    BackupCodesRegenerated | InvalidCode | MfaNotEnabled | TooManyAttempts,
    strawberry.union("RegenerateBackupCodesResult", description="What came of replacing the backup codes."),
]


@strawberry.input(description="What shows that it is the person who moves to a new app.")
class BeginAuthenticatorReplacementInput:
    code: SecondFactorInput | None = strawberry.field(
        default=None,
        description="A code of the old app, or a backup code. It is spent. A session of a recovery pass gives none.",
    )


BeginAuthenticatorReplacementResult = Annotated[
    MfaEnrollment | InvalidCode | MfaNotEnabled | TooManyAttempts,
    strawberry.union("BeginAuthenticatorReplacementResult", description="What came of beginning to replace the app."),
]


@strawberry.input(description="The first code of the new authenticator app.")
class ReplaceAuthenticatorInput:
    code: str = strawberry.field(description="The 6-digit code that the new app shows now; spaces do not matter.")


@strawberry.type(
    description="The new app is in place. The old one, the earlier backup codes and the other sessions have ended."
)
class AuthenticatorReplaced:
    backup_codes: list[str] = strawberry.field(description="Exactly 10 new ones. Shown this once.")
    viewer: Viewer = strawberry.field(description="The viewer.")


ReplaceAuthenticatorResult = Annotated[
    AuthenticatorReplaced | InvalidCode | MfaNotEnabled | EnrollmentNotStarted | TooManyAttempts,
    strawberry.union("ReplaceAuthenticatorResult", description="What came of the new app's first code."),
]


@strawberry.input(description="A current code.")
class DisableMfaInput:
    code: str = strawberry.field(description="The 6-digit code that the authenticator app shows now.")


@strawberry.type(description="MFA is off. An account's policy may still require it.")
class MfaDisabled:
    viewer: Viewer = strawberry.field(description="The viewer, with MFA off.")


DisableMfaResult = Annotated[
    MfaDisabled | InvalidCode | MfaNotEnabled | TooManyAttempts,
    strawberry.union("DisableMfaResult", description="What came of turning MFA off."),
]


def _shown(begun: resolvers.new_app.Begun) -> MfaEnrollment:
    return MfaEnrollment(
        otpauth_uri=begun.otpauth_uri,
        manual_entry_key=rules.totp.manual_entry_key(begun.secret),
        expires_at=begun.expires_at,
    )


@strawberry.type
class EnrollmentMutation:
    @strawberry.mutation(
        description="A new secret, shown as QR code and manual-entry key. Starting again replaces an unfinished "
        "enrollment."
    )
    async def begin_mfa_enrollment(self, info: Info) -> BeginMfaEnrollmentResult | None:
        return _shown(await resolvers.enrollment.begin(info.context))

    @strawberry.mutation(description="Turns MFA on by the app's first code, and shows the backup codes.")
    async def verify_and_enable_mfa(
        self,
        info: Info,
        input: Annotated[VerifyAndEnableMfaInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> VerifyAndEnableMfaResult | None:
        codes = await resolvers.enrollment.verify_and_enable(info.context, input.code)
        return MfaEnabled(backup_codes=codes, viewer=await changed_viewer(info))

    @strawberry.mutation(description="Replaces all backup codes at once, by a current code from the app.")
    async def regenerate_backup_codes(
        self,
        info: Info,
        input: Annotated[RegenerateBackupCodesInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> RegenerateBackupCodesResult | None:
        codes = await resolvers.backup_codes.regenerate(info.context, input.code)
        return BackupCodesRegenerated(backup_codes=codes, viewer=await changed_viewer(info))

    @strawberry.mutation(description="Turns MFA off, by a current code from the app. Exempts from no policy.")
    async def disable_mfa(
        self,
        info: Info,
        input: Annotated[DisableMfaInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> DisableMfaResult | None:
        await resolvers.enrollment.disable(info.context, input.code)
        return MfaDisabled(viewer=await changed_viewer(info))

    @strawberry.mutation(
        description="A secret for a new authenticator app, by a code of the old one or a backup code. The old app "
        "works on until replaceAuthenticator."
    )
    async def begin_authenticator_replacement(
        self,
        info: Info,
        input: Annotated[BeginAuthenticatorReplacementInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> BeginAuthenticatorReplacementResult | None:
        code = input.code
        totp_code, backup_code = (given(code.totp), given(code.backup_code)) if code else (None, None)
        return _shown(await resolvers.replacement.begin(info.context, totp_code, backup_code))

    @strawberry.mutation(description="Moves to the new app by its first code, and shows new backup codes.")
    async def replace_authenticator(
        self,
        info: Info,
        input: Annotated[ReplaceAuthenticatorInput, strawberry.argument(description="The code.")],  # noqa: A002
    ) -> ReplaceAuthenticatorResult | None:
        codes = await resolvers.replacement.replace(info.context, input.code)
        return AuthenticatorReplaced(backup_codes=codes, viewer=await changed_viewer(info))
