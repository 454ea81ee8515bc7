"""Who belongs to an account, and who runs the platform."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

import rules.events.mailing
import rules.links
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.base import AccountEvent, Event, PersonEvent
from rules.events.mailing import BULK, Mailing, While
from rules.events.samples import ADMIN_ID
from rules.often import Often
from rules.people import Role


@dataclass(frozen=True, kw_only=True)
class MemberEvent(PersonEvent):
    """An event about a person in an account."""

    account_id: UUID = field()


@dataclass(frozen=True, kw_only=True)
class RoleGiven(MemberEvent):
    """An event by which a person has a role, or is offered one: an alert to the other owners where it is theirs."""

    alert = AlertKind.OWNER_ADDED
    alerts_subject = False
    changes_member = True

    role: Role

    def alerted_as(self) -> AlertKind | None:
        """None of a lesser role."""
        return self.alert if self.role is Role.OWNER else None


@dataclass(frozen=True, kw_only=True)
class AccountCreated(AccountEvent):
    description = "The account was created."
    sentence = "The account was created."


@dataclass(frozen=True, kw_only=True)
class AccountViewed(AccountEvent):
    description = "A platform operator looked at the account; told once an hour for each."
    sentence = "{actor}, a platform operator, looked at the account."
    alert = AlertKind.ACCOUNT_VIEWED

    client: Client


@dataclass(frozen=True, kw_only=True)
class StaffInvited(RoleGiven):
    description = "A person was invited to the account's staff."
    sentence = "{actor} invited {subject} as {role} of the account."
    mailing = rules.events.mailing.to_subject("staff_invited", rules.links.INVITATION, holds_while=While.INVITED)
    samples = {"staff_invited": {"role": Role.ADMIN}}
    # One of any number, for which nobody's security mail is to wait: the relay looks at this, too.
    is_imported: bool = False

    def emailed_as(self) -> Mailing:
        """Bulk mail where it is one of many."""
        return replace(self.mailing, queue=BULK) if self.is_imported else self.mailing


@dataclass(frozen=True, kw_only=True)
class InvitationRevoked(MemberEvent):
    description = "An invitation was taken back before the person came."
    sentence = "{actor} took back the invitation of {subject}."
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class StaffAdded(RoleGiven):
    description = "A person got an account role."
    sentence = "{subject} became {role} of the account."
    samples = {"staff_added": {"role": Role.ADMIN}}


@dataclass(frozen=True, kw_only=True)
class StaffRoleChanged(RoleGiven):
    description = "A person's account role changed."
    sentence = "{subject} is now {role} of the account."
    samples = {"staff_role_changed": {"role": Role.MEMBER}}


@dataclass(frozen=True, kw_only=True)
class StaffRemoved(MemberEvent):
    description = "A person lost their account role."
    sentence = "{subject} left the account's staff."
    changes_member = True


@dataclass(frozen=True, kw_only=True)
class StaffSessionEnded(MemberEvent):
    description = "An owner or admin ended a session of a staff member."
    sentence = "{actor} ended a session of {subject}."
    mailing = rules.events.mailing.to_subject("staff_session_ended")
    samples = {"staff_session_ended": {"actor_id": ADMIN_ID}, "staff_session_ended_by_operator": {}}


@dataclass(frozen=True, kw_only=True)
class StaffDeactivated(MemberEvent):
    description = "The account's directory made a person inactive: they have no role in it until it makes them active."
    sentence = "{subject}, {role}, was made inactive by the account's directory."
    samples = {"staff_deactivated": {"role": Role.MEMBER}}
    changes_member = True

    role: Role


@dataclass(frozen=True, kw_only=True)
class StaffReactivated(RoleGiven):
    description = "The account's directory made a person active again, who has their role back."
    sentence = "{subject} was made active again, as {role}, by the account's directory."
    samples = {"staff_reactivated": {"role": Role.MEMBER}}


@dataclass(frozen=True, kw_only=True)
class PortalUserAdded(MemberEvent):
    description = "A portal user was added."
    sentence = "{subject} was added as a portal user."


@dataclass(frozen=True, kw_only=True)
class EmailChanged(PersonEvent):
    description = "A person's email address changed."
    sentence = "The email address of {previous_email} is now {email}."
    mailing = rules.events.mailing.to_subject("email_changed")
    copy = rules.events.mailing.to_subject("email_changed_from", holds_while=While.FORMER_ADDRESS)
    often = Often("email-change")
    samples = {"email_changed": {"previous_email": "mia@example.com", "email": "mia@example.org"}}
    changes_member = True

    previous_email: str
    email: str

    def copied_to(self) -> str:
        """The address before hears of it, too."""
        return self.previous_email

    def about(self) -> list[object]:
        """The person, and each of the two addresses, which may be anybody's."""
        return [self.subject_id, self.previous_email, self.email]


@dataclass(frozen=True, kw_only=True)
class ServiceKeyCreated(Event):
    description = "An operator made a service key, by which a system may act."
    sentence = "Service key {name} was made; it may {rights}."
    samples = {"service_key_created": {"name": "web", "rights": "sign-in, provision"}}

    name: str
    rights: str


@dataclass(frozen=True, kw_only=True)
class ServiceKeyRevoked(Event):
    description = "An operator revoked a service key."
    sentence = "Service key {name} was revoked."
    samples = {"service_key_revoked": {"name": "web"}}

    name: str


@dataclass(frozen=True, kw_only=True)
class ServiceKeySessionsEnded(Event):
    description = "An operator ended the sessions that a service key had begun."
    sentence = "Sessions that service key {name} had begun were ended."
    samples = {"service_key_sessions_ended": {"name": "web", "ended": 3}}

    name: str
    ended: int


@dataclass(frozen=True, kw_only=True)
class SuperAdminGranted(PersonEvent):
    description = "A person became a platform super-admin."
    sentence = "{subject} was made a platform super-admin."


@dataclass(frozen=True, kw_only=True)
class SuperAdminRevoked(PersonEvent):
    description = "A person is no longer a platform super-admin."
    sentence = "{subject} is no longer a platform super-admin."
