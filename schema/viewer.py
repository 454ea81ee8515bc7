"""The person signed in: their MFA, their memberships, their notice and their sessions."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import ClassVar, cast

import strawberry

import db.sessions
import resolvers.identities
import resolvers.languages
import resolvers.passwords
import resolvers.sessions
import rules.notice
import rules.people
from schema.account_recovery import AccountRecovery
from schema.accounts import Account
from schema.common import Info, Role, at_most, made_in_turns
from schema.identities import Identity
from schema.languages import Language
from schema.notices import MfaCheckUp, MfaNotice
from schema.staff import ROLES


@strawberry.type(description="How the viewer's second factor stands.")
class MfaStatus:
    enabled: bool = strawberry.field(description="Whether a second factor is asked for at sign-in.")
    enabled_at: datetime | None = strawberry.field(description="Since when; null when MFA is off.")
    backup_codes_remaining: int = strawberry.field(description="Unspent backup codes; 0 when MFA is off.")
    reenrollment_required: bool = strawberry.field(
        description="True after an admin reset until the next enrollment: everything but enrolling is refused "
        "meanwhile."
    )
    email_link_required: bool = strawberry.field(
        description="True while this session cannot set up MFA again, after a reset, without the link of an email, "
        "since an account of the viewer asks for it. Signing in sends one, which holds for 30 minutes; what stands "
        "behind '#token=' in it goes to confirmMfaEnrollment, in this session. Then beginMfaEnrollment works as ever."
    )
    enrollment_stopped: bool = strawberry.field(
        description="True once the viewer has said by disputeMfaReset that a reset was not their wish: nobody can set "
        "up MFA until an owner resets them again."
    )

    @classmethod
    def of(cls, person: rules.people.Person) -> MfaStatus:
        return cls(
            enabled=person.mfa_enabled,
            enabled_at=person.mfa_enabled_at,
            backup_codes_remaining=person.backup_codes_remaining,
            reenrollment_required=person.reenrollment_required_at is not None,
            email_link_required=person.needs_enrollment_link,
            enrollment_stopped=person.enrollment_stopped_at is not None,
        )


@strawberry.type(description="The viewer's role in one account.")
class Membership:
    account: Account = strawberry.field(description="The account.")
    role: Role = strawberry.field(description="The viewer's role there.")


@strawberry.type(description="One place where the viewer is signed in.")
class Session:
    id: strawberry.ID = strawberry.field(description="The session's id; it is not its token.")
    current: bool = strawberry.field(description="Whether it is the one that this request came with.")
    created_at: datetime = strawberry.field(description="When it began.")
    last_used_at: datetime = strawberry.field(description="Its latest use, to the minute.")
    expires_at: datetime = strawberry.field(
        description="When it ends at the latest; after 7 idle days it ends earlier."
    )
    user_agent: str | None = strawberry.field(description="The browser or app that began it, as it called itself.")
    ip_address: str | None = strawberry.field(description="The address that it began from.")

    @classmethod
    def of(cls, session: db.sessions.Session, person: rules.people.Person) -> Session:
        """The session as its owner sees it."""
        return cls(
            id=strawberry.ID(str(session.id)),
            current=session.id == person.session_id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            user_agent=session.user_agent,
            ip_address=session.ip_address,
        )


class SeenViewer:
    """The person as they see themselves: all that a Viewer has, each made when it is read.

    No dataclass, as a SeenMember is none, so that no answer can be kept with it: those have whole Viewers.
    """

    __slots__ = ("_info", "facts")

    def __init__(self, person: rules.people.Person, info: Info) -> None:
        self.facts, self._info = person, info

    email = property(attrgetter("facts.email"))
    is_super_admin = property(attrgetter("facts.is_super_admin"))

    @property
    def id(self) -> str:
        return str(self.facts.id)

    @property
    def mfa(self) -> MfaStatus:
        return MfaStatus.of(self.facts)

    @property
    def memberships(self) -> list[Membership]:
        return [Membership(account=Account.of(m.account), role=ROLES[m.role]) for m in self.facts.memberships]

    @property
    def mfa_notice(self) -> MfaNotice | None:
        notice = rules.notice.for_person(self.facts)
        return MfaNotice.of(notice, self._info) if notice else None

    @property
    def account_recovery(self) -> AccountRecovery | None:
        return AccountRecovery.of(self.facts.recovery) if self.facts.recovery else None

    @property
    def check_up(self) -> MfaCheckUp | None:
        check_up = self.facts.check_up
        return MfaCheckUp.of(check_up, self._info) if check_up else None


@strawberry.type(description="The signed-in person.")
class Viewer:
    id: strawberry.ID = strawberry.field(description="The person's id.")
    email: str = strawberry.field(description="The email address that the person signs in with.")
    is_super_admin: bool = strawberry.field(
        description="Whether the person is a platform operator, who may view every account and change nothing there."
    )
    mfa: MfaStatus = strawberry.field(description="How the person's second factor stands.")
    memberships: list[Membership] = strawberry.field(
        description="One entry per account in which the viewer has an account role. Portal connections are not listed."
    )
    mfa_notice: MfaNotice | None = strawberry.field(
        description="The 'MFA Required' banner: the most urgent one over all of the viewer's accounts; null when "
        "nothing is asked."
    )
    check_up: MfaCheckUp | None = strawberry.field(
        description="Set once the viewer's app has shown no code for a year: ask for one, and send it to proveMfa."
    )
    account_recovery: AccountRecovery | None = strawberry.field(
        description="The account recovery that waits for the viewer: somebody asked to come back as them without a "
        "second factor. Show it, with a way to cancelAccountRecovery."
    )
    facts: strawberry.Private[rules.people.Person]

    # What stands for one where it is read, see server.transport.plans; it is no field.
    stand_in: ClassVar[type[SeenViewer]] = SeenViewer

    @strawberry.field(description="Live sessions, newest use first.", metadata=at_most(rules.people.MOST_SESSIONS))
    async def sessions(self, info: Info) -> list[Session]:
        live = await resolvers.sessions.live(info.context)
        return await made_in_turns(lambda session: Session.of(session, self.facts), live)

    @strawberry.field(description="Accounts at OpenID providers that sign in as the viewer, and those removed.")
    async def identities(self, info: Info) -> list[Identity]:
        return [Identity.of(each) for each in await resolvers.identities.of_viewer(info.context)]

    @strawberry.field(
        description="Whether the viewer has a password here: whoever came by a provider, a directory or a product's "
        "own sign-in may have none."
    )
    async def has_password(self, info: Info) -> bool:
        return await resolvers.passwords.has_one(info.context)

    @strawberry.field(description="The viewer's choice for emails and pages; null while it is open.")
    async def language(self, info: Info) -> Language | None:
        chosen = await resolvers.languages.of_person(info.context)
        return Language[chosen.upper()] if chosen else None

    @classmethod
    def of(cls, person: rules.people.Person, info: Info) -> Viewer:
        """The person as they see themselves."""
        seen = SeenViewer(person, info)
        return cls(**{field.name: getattr(seen, field.name) for field in fields(cls) if field.init})


async def viewer(info: Info) -> Viewer | None:
    """The signed-in person; None without a session."""
    person = await info.context.person_or_none()
    # Whoever reads a field of it finds what a Viewer has there.
    return cast("Viewer", SeenViewer(person, info)) if person else None


async def changed_viewer(info: Info) -> Viewer:
    """The signed-in person after a change of theirs."""
    return Viewer.of(await info.context.person(), info)
