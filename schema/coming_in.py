"""Coming in: invitations, new passwords, and ending one session."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.access
import resolvers.invitations
import resolvers.passwords
import resolvers.sessions
import rules.people
from schema.common import Info, Role, told
from schema.failures import (
    InvalidCredentials,
    InvalidInput,
    LinkExpired,
    NotPermitted,
    SignInRequired,
    TooManyAttempts,
)
from schema.staff import StaffMember
from schema.viewer import Viewer, changed_viewer

ON_ITS_WAY = "If somebody signs in with this email, a link to set a new password is on its way to it."


@strawberry.input(description="Whom to invite, as what.")
class InviteStaffInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    email: str = strawberry.field(description="The email address that the link is sent to.")
    role: Role = strawberry.field(description="The role that holds once the person has come; only an owner makes one.")


@strawberry.type(description="An email with a link is on its way. It works once, for 7 days.")
class StaffInvited:
    staff_member: StaffMember = strawberry.field(description="The person on the roster, in the state INVITED.")


InviteStaffResult = Annotated[
    StaffInvited | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("InviteStaffResult", description="What came of inviting."),
]


@strawberry.input(description="Which invitation to take back.")
class RevokeInvitationInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    invitation_id: strawberry.ID = strawberry.field(description="The invitation's id, from the roster.")


@strawberry.type(description="The link is worth nothing any more, and the person is off the roster.")
class InvitationRevoked:
    invitation_id: strawberry.ID = strawberry.field(description="The id that the invitation had.")


RevokeInvitationResult = Annotated[
    InvitationRevoked | InvalidInput | NotPermitted,
    strawberry.union("RevokeInvitationResult", description="What came of taking an invitation back."),
]


@strawberry.input(description="Whose password is forgotten.")
class RequestPasswordResetInput:
    email: str = strawberry.field(description="The email address; its case does not matter.")


@strawberry.type(
    description="If somebody signs in with this email, a link is on its way. The same answer, in the same time, "
    "whether or not somebody does."
)
class PasswordResetRequested:
    message: str = strawberry.field(description="One plain sentence for the person.")


RequestPasswordResetResult = Annotated[
    PasswordResetRequested | InvalidInput | TooManyAttempts,
    strawberry.union("RequestPasswordResetResult", description="What came of asking for a link."),
]


@strawberry.input(description="The token out of the email's link, and the password to be.")
class SetPasswordInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")
    password: str = strawberry.field(
        description="8 characters at least, 15 where no second factor is asked of the person; not among the most "
        "common ones, nor made of the email or the product's name. Any character may stand in it."
    )


@strawberry.type(
    description="The password holds, every session and open challenge has ended, and MFA is as it was. Nobody is "
    "signed in by it."
)
class PasswordSet:
    email: str = strawberry.field(description="The email that the person signs in with.")


SetPasswordResult = Annotated[
    PasswordSet | InvalidInput | LinkExpired | SignInRequired,
    strawberry.union("SetPasswordResult", description="What came of setting a password."),
]


@strawberry.input(description="The token out of the invitation's link.")
class AcceptInvitationInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(description="The viewer has the role that they were invited to. The link is used up.")
class InvitationAccepted:
    viewer: Viewer | None = strawberry.field(
        description="The viewer with it; null where their session has ended by it, since a service key of another "
        "account had begun it."
    )


AcceptInvitationResult = Annotated[
    InvitationAccepted | LinkExpired | TooManyAttempts,
    strawberry.union(
        "AcceptInvitationResult",
        description="What came of accepting an invitation. LinkExpired, too, where it is another's.",
    ),
]


@strawberry.input(description="The password that holds, and the one to be.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The viewer's password as it is.")
    new_password: str = strawberry.field(description="What it is to be; as in setPassword.")


@strawberry.type(description="The new password holds; every other session and open challenge has ended.")
class PasswordChanged:
    viewer: Viewer = strawberry.field(description="The viewer, whose session stays.")


ChangePasswordResult = Annotated[
    PasswordChanged | InvalidCredentials | InvalidInput | TooManyAttempts,
    strawberry.union("ChangePasswordResult", description="What came of changing the password."),
]


@strawberry.input(description="Which session to end.")
class EndSessionInput:
    session_id: strawberry.ID = strawberry.field(description="One of the viewer's sessions.")


@strawberry.type(description="The session has ended. If it was this one, the viewer is signed out.")
class SessionEnded:
    session_id: strawberry.ID = strawberry.field(description="The id that the session had.")


@strawberry.type
class ComingInMutation:
    @strawberry.mutation(
        description="Invites a person to the account's staff by email. Inviting again replaces the link, at most once "
        "a minute. Owners and admins only."
    )
    async def invite_staff(
        self,
        info: Info,
        input: Annotated[InviteStaffInput, strawberry.argument(description="Whom.")],  # noqa: A002
    ) -> InviteStaffResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        role = rules.people.Role(input.role.name)
        member = await resolvers.invitations.invite(info.context, account_id, input.email, role)
        return StaffInvited(staff_member=StaffMember.of(member, await info.context.person(), account_id))

    @strawberry.mutation(description="Takes an invitation back before the person has come. Owners and admins only.")
    async def revoke_invitation(
        self,
        info: Info,
        input: Annotated[RevokeInvitationInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> RevokeInvitationResult | None:
        invitation_id = resolvers.access.parse_id(input.invitation_id)
        await resolvers.invitations.revoke(info.context, resolvers.access.parse_id(input.account_id), invitation_id)
        return InvitationRevoked(invitation_id=strawberry.ID(str(invitation_id)))

    @strawberry.mutation(
        description="Sends a link to set a new password, which works once, for 30 minutes. Needs no session."
    )
    async def request_password_reset(
        self,
        info: Info,
        input: Annotated[RequestPasswordResetInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> RequestPasswordResetResult | None:
        await resolvers.passwords.request_reset(info.context, input.email)
        return PasswordResetRequested(message=told(info, ON_ITS_WAY))

    @strawberry.mutation(
        description="Sets a password by the link of an invitation or of a reset, which is used up by it. Needs no "
        "session, and begins none. An invitation's sets none where its person has set one since, or had one 30 minutes "
        "after it: SignInRequired."
    )
    async def set_password(
        self,
        info: Info,
        input: Annotated[SetPasswordInput, strawberry.argument(description="Token and password.")],  # noqa: A002
    ) -> SetPasswordResult | None:
        return PasswordSet(email=await resolvers.passwords.set_password(info.context, input.token, input.password))

    @strawberry.mutation(
        description="Accepts an invitation by its link, in a session of whoever is invited: for those who have a "
        "password. Like every change it asks for a fresh proof."
    )
    async def accept_invitation(
        self,
        info: Info,
        input: Annotated[AcceptInvitationInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> AcceptInvitationResult | None:
        person = await resolvers.invitations.accept(info.context, input.token)
        return InvitationAccepted(viewer=Viewer.of(person, info) if person else None)

    @strawberry.mutation(
        description="Changes the viewer's password and ends their other sessions. This one goes on, by cookie over "
        "HTTP under a new token; a bearer token stays the same, so whoever fears for it ends this session, too."
    )
    async def change_password(
        self,
        info: Info,
        input: Annotated[ChangePasswordInput, strawberry.argument(description="Old and new.")],  # noqa: A002
    ) -> ChangePasswordResult | None:
        await resolvers.passwords.change_password(info.context, input.current_password, input.new_password)
        return PasswordChanged(viewer=await changed_viewer(info))

    @strawberry.mutation(
        description="Ends one of the viewer's sessions; one that is not theirs is NOT_FOUND. With another than "
        "this one end recovery passes that the viewer gave, the sessions that those began, and resets asked for."
    )
    async def end_session(
        self,
        info: Info,
        input: Annotated[EndSessionInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> SessionEnded | None:
        session_id = resolvers.access.parse_id(input.session_id)
        await resolvers.sessions.end(info.context, session_id)
        return SessionEnded(session_id=strawberry.ID(str(session_id)))
