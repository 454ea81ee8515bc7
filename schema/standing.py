"""Exceptions from an account's MFA requirement, and how the account complies with it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

import db.exceptions
import resolvers.access
import resolvers.standing
from resolvers.standing import Asked, Given
from rules.failures import InvalidInput as InvalidInputRaised
from rules.people import Person
from rules.standing import ExceptionKind
from schema.common import Info
from schema.failures import InvalidInput, NotPermitted, TooManyAttempts
from schema.staff import StaffMember


@strawberry.enum(description="What an exception gives.")
class MfaExceptionKind(Enum):
    EXTENDED = strawberry.enum_value("EXTENDED", description="More time: the deadline is the member's own.")
    EXEMPTED = strawberry.enum_value("EXEMPTED", description="Nothing is asked until it ends.")


@strawberry.type(description="An exception from the account's MFA requirement for one staff member.")
class MfaException:
    id: strawberry.ID = strawberry.field(description="The exception's id.")
    kind: MfaExceptionKind = strawberry.field(description="What it gives.")
    email: str = strawberry.field(description="Whose it is.")
    staff_id: strawberry.ID | None = strawberry.field(description="The membership's id; null once the person has left.")
    until: datetime = strawberry.field(description="When it ends by itself.")
    reason: str = strawberry.field(description="Why, in its author's words.")
    author_email: str | None = strawberry.field(description="Who gave it; null when an operator did.")
    break_glass: bool = strawberry.field(description="Whether each sign-in of the person is told to all owners.")
    created_at: datetime = strawberry.field(description="When it was given.")
    ended_at: datetime | None = strawberry.field(description="When it was ended before its time; null otherwise.")

    @classmethod
    def of(cls, exception: db.exceptions.MfaException) -> MfaException:
        return cls(
            id=strawberry.ID(str(exception.id)),
            kind=MfaExceptionKind[exception.kind],
            email=exception.email,
            staff_id=strawberry.ID(str(exception.staff_id)) if exception.staff_id else None,
            until=exception.until,
            reason=exception.reason,
            author_email=exception.author_email,
            break_glass=exception.is_break_glass,
            created_at=exception.created_at,
            ended_at=exception.ended_at,
        )


@strawberry.type(description="What came of it for one staff member.")
class MfaExceptionOutcome:
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, as given.")
    exception: MfaException | None = strawberry.field(description="The exception; null when it was not given.")
    staff_member: StaffMember | None = strawberry.field(description="The member as they stand now.")
    problem: str | None = strawberry.field(description="Why it was not given, in one plain sentence; null when it was.")

    @classmethod
    def of(cls, given: Given, person: Person, account_id: UUID) -> MfaExceptionOutcome:
        """The row as this person sees it."""
        return cls(
            staff_id=strawberry.ID(str(given.staff_id)),
            exception=MfaException.of(given.exception) if given.exception else None,
            staff_member=StaffMember.of(given.member, person, account_id) if given.member else None,
            problem=given.problem.message if given.problem else None,
        )


@strawberry.type(description="The members have more time.")
class MfaDeadlineExtended:
    exception: MfaException | None = strawberry.field(description="The exception, of the first member that got one.")
    results: list[MfaExceptionOutcome] = strawberry.field(description="A row for each member, in the order given.")


@strawberry.type(description="Nothing is asked of the member until the exemption ends.")
class MfaExempted:
    exception: MfaException | None = strawberry.field(description="The exemption, of the first member that got one.")
    results: list[MfaExceptionOutcome] = strawberry.field(description="A row for each member, in the order given.")


@strawberry.type(description="The exception has ended: what it held off holds at once.")
class MfaExceptionEnded:
    exception: MfaException = strawberry.field(description="The exception, with its end.")
    staff_member: StaffMember = strawberry.field(description="The member as they stand now.")


ExtendMfaDeadlineResult = Annotated[
    MfaDeadlineExtended | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("ExtendMfaDeadlineResult", description="What came of extending."),
]
ExemptFromMfaResult = Annotated[
    MfaExempted | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("ExemptFromMfaResult", description="What came of exempting."),
]
EndMfaExceptionResult = Annotated[
    MfaExceptionEnded | NotPermitted | TooManyAttempts,
    strawberry.union("EndMfaExceptionResult", description="What came of ending it."),
]


@strawberry.input(description="Whose deadline, until when and why. Give staffId or staffIds.")
class ExtendMfaDeadlineInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    until: datetime = strawberry.field(description="The new deadline: ahead, by 90 days at most.")
    reason: str = strawberry.field(description="Why, for the record: 1 to 500 characters.")
    staff_id: strawberry.ID | None = strawberry.field(default=None, description="One membership's id, from the roster.")
    staff_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Several: 1 to 500.")


@strawberry.input(description="Whom to exempt, until when and why. Give staffId or staffIds.")
class ExemptFromMfaInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    until: datetime = strawberry.field(description="When the exemption ends: ahead, by 90 days at most.")
    reason: str = strawberry.field(description="Why, for the record: 1 to 500 characters.")
    staff_id: strawberry.ID | None = strawberry.field(default=None, description="One membership's id, from the roster.")
    staff_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Several: 1 to 500.")
    break_glass: bool | None = strawberry.field(
        default=None, description="A break-glass account: each of its sign-ins is told to all owners. For owners alone."
    )


@strawberry.input(description="Which exception to end.")
class EndMfaExceptionInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    exception_id: strawberry.ID = strawberry.field(description="The exception's id.")


@strawberry.type
class StandingMutation:
    @strawberry.mutation(
        description="Gives staff more time to set up MFA, in place of an earlier exception. Never shortens what they "
        "have."
    )
    async def extend_mfa_deadline(
        self,
        info: Info,
        input: Annotated[ExtendMfaDeadlineInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> ExtendMfaDeadlineResult | None:
        first, results = await _give(info, input, ExceptionKind.EXTENDED)
        return MfaDeadlineExtended(exception=first, results=results)

    @strawberry.mutation(description="Asks nothing of staff for a while, in place of an earlier exception.")
    async def exempt_from_mfa(
        self,
        info: Info,
        input: Annotated[ExemptFromMfaInput, strawberry.argument(description="Whom.")],  # noqa: A002
    ) -> ExemptFromMfaResult | None:
        first, results = await _give(info, input, ExceptionKind.EXEMPTED, is_break_glass=bool(input.break_glass))
        return MfaExempted(exception=first, results=results)

    @strawberry.mutation(description="Ends an exception before its time.")
    async def end_mfa_exception(
        self,
        info: Info,
        input: Annotated[EndMfaExceptionInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> EndMfaExceptionResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        ended, member = await resolvers.standing.end(
            info.context, account_id, resolvers.access.parse_id(input.exception_id)
        )
        person = await info.context.person()
        return MfaExceptionEnded(
            exception=MfaException.of(ended), staff_member=StaffMember.of(member, person, account_id)
        )


async def _give(
    info: Info, asked: ExtendMfaDeadlineInput | ExemptFromMfaInput, kind: ExceptionKind, *, is_break_glass: bool = False
) -> tuple[MfaException | None, list[MfaExceptionOutcome]]:
    account_id = resolvers.access.parse_id(asked.account_id)
    wanted = Asked(kind, _staff_ids(asked), asked.until, asked.reason, is_break_glass)
    given = await resolvers.standing.give(info.context, account_id, wanted)
    person = await info.context.person()
    results = [MfaExceptionOutcome.of(each, person, account_id) for each in given]
    return next((each.exception for each in results if each.exception), None), results


def _staff_ids(asked: ExtendMfaDeadlineInput | ExemptFromMfaInput) -> list[UUID]:
    if (asked.staff_id is None) == (asked.staff_ids is None):
        raise InvalidInputRaised("staffId", "Give either staffId or staffIds.")
    return [resolvers.access.parse_id(each) for each in asked.staff_ids or [asked.staff_id or strawberry.ID("")]]
