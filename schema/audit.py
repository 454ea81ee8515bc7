"""The account's audit log."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

import resolvers.audit
from db.audit import Entry
from rules.events.catalogue import SHOWN
from rules.events.stored import OPERATOR
from rules.voice import Voice
from schema.common import PageInfo, edges_of, made_in_turns


@strawberry.enum(description="What happened.")
class AuditEventType(Enum):
    _ignore_ = "_members _event"
    _members = vars()
    for _event in SHOWN:
        _members[_event.type()] = strawberry.enum_value(_event.type(), description=_event.description)


@strawberry.input(description="All given conditions hold together.")
class AuditFilter:
    types: list[AuditEventType] | None = strawberry.field(default=None, description="Any of these types.")
    email: str | None = strawberry.field(
        default=None, description="Done by or concerning the person with this email, in any case."
    )


@strawberry.type(description="One thing that happened.")
class AuditEvent:
    id: strawberry.ID = strawberry.field(description="The event's id.")
    type: AuditEventType = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When.")
    actor_email: str | None = strawberry.field(description="Who did it; null when the system did.")
    subject_email: str | None = strawberry.field(description="Whom it concerns; null when it concerns the account.")
    summary: str = strawberry.field(
        description="One plain sentence, in the language of the request. Never holds a code, a secret or a token."
    )

    ip_address: str | None = strawberry.field(description="The address it was done from, where the event tells it.")
    user_agent: str | None = strawberry.field(description="The browser or program, where the event tells it.")
    method: str | None = strawberry.field(
        description="What was shown or tried, where the event tells it: names of RFC 8176 and `backup_code`, "
        "with spaces between them, as in `pwd otp mfa`; `email_link` is a link of an email. Of what was done in a "
        "session, without anything being shown anew, by what the session's person was recognised."
    )
    operator: str | None = strawberry.field(
        description="Who did it at the command line: the operating system's user. Null when it was done otherwise."
    )

    @classmethod
    def of(cls, entry: Entry, voice: Voice) -> AuditEvent:
        """The event as clients see it, in the words of this voice."""
        return cls(
            id=strawberry.ID(str(entry.id)),
            type=AuditEventType[entry.stored.type],
            occurred_at=entry.occurred_at,
            actor_email=entry.actor_email,
            subject_email=entry.subject_email,
            summary=entry.stored.summary(entry.actor_email, entry.subject_email, voice),
            ip_address=entry.stored.text("ipAddress"),
            user_agent=entry.stored.text("userAgent"),
            method=entry.stored.method(),
            operator=entry.stored.text(OPERATOR),
        )


@strawberry.type(description="An event at its place in the log.")
class AuditEventEdge:
    cursor: str = strawberry.field(description="Give as `after` to go on behind this one.")
    node: AuditEvent = strawberry.field(description="The event.")


async def _edges(self: AuditEventConnection) -> list[AuditEventEdge]:
    return await edges_of(AuditEventEdge, self.page.cursor_of, self.page.entries, self.nodes)


@strawberry.type(description="A page of events, newest first.")
class AuditEventConnection:
    edges: list[AuditEventEdge] = strawberry.field(resolver=_edges, description="The page's events with their cursors.")
    nodes: list[AuditEvent] = strawberry.field(description="The page's events.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    page: strawberry.Private[resolvers.audit.Page]

    @classmethod
    async def of(cls, page: resolvers.audit.Page, voice: Voice) -> AuditEventConnection:
        """The page as clients see it, in the words of this voice."""
        return cls(
            nodes=await made_in_turns(lambda entry: AuditEvent.of(entry, voice), page.entries),
            page_info=PageInfo.of(page.entries, page.cursor_of, page.has_next, page.has_previous),
            page=page,
        )
