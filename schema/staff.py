"""A staff member as owners and admins see them."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import ClassVar
from uuid import UUID

import strawberry

import resolvers.staff
import rules.links
from db.staff import Member
from rules.people import Person
from schema.common import Role


@strawberry.enum(description="How a staff member's MFA stands.")
class StaffMfaState(Enum):
    ENABLED = strawberry.enum_value("ENABLED", description="Enrolled.")
    NOT_ENABLED = strawberry.enum_value(
        "NOT_ENABLED", description="Not enrolled; nothing is asked, or the grace period is running."
    )
    BLOCKED = strawberry.enum_value(
        "BLOCKED",
        description="Not enrolled and past the deadline, or reset by an admin: cannot continue until enrolled.",
    )


# An enum's own look-up is a call of Python, and a page makes a thousand.
ROLES, STATES = dict(Role.__members__), dict(StaffMfaState.__members__)


@strawberry.enum(description="Why a member's deadline is when it is.")
class MfaDeadlineReason(Enum):
    POLICY = strawberry.enum_value("POLICY", description="The account's requirement.")
    JOINED_LATER = strawberry.enum_value("JOINED_LATER", description="The member joined after it was turned on.")
    EXTENDED = strawberry.enum_value("EXTENDED", description="An owner or admin gave more time.")
    EXEMPTED = strawberry.enum_value(
        "EXEMPTED", description="An owner or admin exempted the member: until that ends nothing is asked."
    )
    RESET = strawberry.enum_value("RESET", description="An owner, admin or operator reset the member's MFA.")


@strawberry.enum(description="Whether a staff member has come.")
class StaffState(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="Has the role.")
    INVITED = strawberry.enum_value(
        "INVITED", description="Was invited and has not come: has the role once they have set a password by the link."
    )


@strawberry.type(description="An invitation that is open.")
class Invitation:
    id: strawberry.ID = strawberry.field(description="The invitation's id.")
    invited_at: datetime = strawberry.field(description="When it was sent, for the last time if more than once.")
    expires_at: datetime = strawberry.field(description="Until when its link works; inviting again sends another.")


class SeenMember:
    """A member as a person sees them: all fields of a StaffMember, those that not all pages ask for made when read.

    A page has 500 members and is asked for some of their fields. It is no dataclass, so that no answer can be kept with
    it (see schema.kept): those have whole StaffMembers.
    """

    __slots__ = ("_account_id", "_member", "_person", "email", "id", "mfa_enabled", "mfa_state", "role")

    def __init__(self, member: Member, person: Person, account_id: UUID) -> None:
        self._member, self._person, self._account_id = member, person, account_id
        # A function for each of these would take longer than what it does.
        self.id = str(member.id)
        self.email = member.email
        self.role = ROLES[member.role]
        self.mfa_enabled = member.mfa_enabled_at is not None
        self.mfa_state = STATES[member.mfa_state]

    mfa_deadline = property(attrgetter("_member.mfa_deadline"))
    mfa_enabled_at = property(attrgetter("_member.mfa_enabled_at"))
    last_reminded_at = property(attrgetter("_member.last_reminded_at"))
    last_reminder_failed_at = property(attrgetter("_member.last_reminder_failed_at"))
    enrollment_stopped = property(attrgetter("_member.enrollment_stopped"))
    mfa_reset_waiting = property(attrgetter("_member.has_reset_waiting"))

    @property
    def mfa_deadline_reason(self) -> MfaDeadlineReason | None:
        reason = self._member.mfa_deadline_reason
        return MfaDeadlineReason[reason] if reason else None

    @property
    def can_reset_mfa(self) -> bool:
        return resolvers.staff.can_reset(self._person, self._account_id, self._member)

    @property
    def can_give_recovery_pass(self) -> bool:
        return resolvers.staff.can_give_pass(self._person, self._account_id, self._member)

    @property
    def state(self) -> StaffState:
        return StaffState.INVITED if self._member.invited_at else StaffState.ACTIVE

    @property
    def invitation(self) -> Invitation | None:
        invited_at = self._member.invited_at
        if invited_at is None:
            return None
        return Invitation(
            id=strawberry.ID(self.id),
            invited_at=invited_at,
            expires_at=invited_at + rules.links.INVITATION.lifetime,
        )


@strawberry.type(description="Somebody with an account role, or invited to one.")
class StaffMember:
    id: strawberry.ID = strawberry.field(description="The membership's id.")
    email: str = strawberry.field(description="The person's email address.")
    role: Role = strawberry.field(description="The person's role in the account.")
    mfa_enabled: bool = strawberry.field(description="Whether the person has MFA on.")
    mfa_state: StaffMfaState = strawberry.field(description="How the person's MFA stands.")
    mfa_deadline: datetime | None = strawberry.field(
        description="When the member is stopped unless enrolled by then; null when nothing is asked."
    )
    mfa_deadline_reason: MfaDeadlineReason | None = strawberry.field(
        description="Why it is then; null when nothing is asked."
    )
    mfa_enabled_at: datetime | None = strawberry.field(description="Since when MFA is on; null when it is off.")
    last_reminded_at: datetime | None = strawberry.field(
        description="When the latest reminder was delivered to the mail server; null if none."
    )
    last_reminder_failed_at: datetime | None = strawberry.field(
        description="When the latest reminder was refused by the mail server; null once one has been delivered. "
        "Whoever was reminded by hand may be reminded again at once."
    )
    can_reset_mfa: bool = strawberry.field(description="Whether the viewer may reset this person's MFA now.")
    can_give_recovery_pass: bool = strawberry.field(
        description="Whether the viewer may give this person a recovery pass now: as a reset, but to nobody whose "
        "resets a second owner or admin must approve, in whichever account."
    )
    enrollment_stopped: bool = strawberry.field(
        description="Whether the person said of a reset that it was not their wish: they cannot set up MFA until an "
        "owner resets them again."
    )
    mfa_reset_waiting: bool = strawberry.field(
        description="Whether a reset of the person's MFA waits here for a second owner or admin: see mfaResetRequests."
    )
    state: StaffState = strawberry.field(description="Whether the person has come, or was only invited.")
    invitation: Invitation | None = strawberry.field(description="The open invitation; null once the person has come.")

    # What stands for one where a list is read, see server.transport.plans; it is no field.
    stand_in: ClassVar[type[SeenMember]] = SeenMember

    @classmethod
    def of(cls, member: Member, person: Person, account_id: UUID) -> StaffMember:
        """The member as this person sees them."""
        seen = SeenMember(member, person, account_id)
        return cls(**{field.name: getattr(seen, field.name) for field in fields(cls)})
