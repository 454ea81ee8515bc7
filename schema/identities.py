"""The OpenID identities that people sign in by, as they see and remove them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.identities
import resolvers.staff_identities
from schema.common import Info
from schema.failures import NotPermitted


@strawberry.type(description="Somebody's account at an OpenID provider, which signs in as them, or did.")
class Identity:
    issuer: str = strawberry.field(description="The provider's issuer, of which a person has one identity at most.")
    title: str = strawberry.field(description="What the provider is called on its button, else the issuer.")
    linked_at: datetime | None = strawberry.field(description="When it was linked; null once it was removed.")
    removed_at: datetime | None = strawberry.field(
        description="When it was removed; null while it is linked. The provider's word links none of its accounts to "
        "the person until allowIdentity or allowStaffIdentity."
    )

    @classmethod
    def of(cls, seen: resolvers.identities.Seen) -> Identity:
        return cls(issuer=seen.issuer, title=seen.title, linked_at=seen.linked_at, removed_at=seen.removed_at)


@strawberry.input(description="Which of the viewer's identities to remove.")
class RemoveIdentityInput:
    issuer: str = strawberry.field(description="Its issuer.")


@strawberry.input(description="Which provider may sign the viewer in again.")
class AllowIdentityInput:
    issuer: str = strawberry.field(description="The issuer of a removed identity.")


@strawberry.input(description="Which identity of whom to remove.")
class RemoveStaffIdentityInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")
    issuer: str = strawberry.field(description="Its issuer.")


@strawberry.input(description="Which provider may sign whom in again.")
class AllowStaffIdentityInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")
    issuer: str = strawberry.field(description="The issuer of a removed identity.")


@strawberry.type(
    description="It signs nobody in any more. Sessions that were begun by a provider, and open challenges, have ended."
)
class IdentityRemoved:
    issuer: str = strawberry.field(description="Its issuer.")


@strawberry.type(description="The next sign-in there links the identity as a first one does, by the verified address.")
class IdentityAllowed:
    issuer: str = strawberry.field(description="Its issuer.")


RemoveIdentityResult = Annotated[
    IdentityRemoved | NotPermitted,
    strawberry.union("RemoveIdentityResult", description="What came of removing it."),
]
RemoveStaffIdentityResult = Annotated[
    IdentityRemoved | NotPermitted,
    strawberry.union("RemoveStaffIdentityResult", description="What came of removing it."),
]
AllowStaffIdentityResult = Annotated[
    IdentityAllowed | NotPermitted,
    strawberry.union("AllowStaffIdentityResult", description="What came of allowing it."),
]


@strawberry.type
class IdentityMutation:
    @strawberry.mutation(
        description="Removes an identity of the viewer, who needs a password to sign in by instead; one that is not "
        "theirs is NOT_FOUND. A session that was begun by a provider ends, this one too."
    )
    async def remove_identity(
        self,
        info: Info,
        input: Annotated[RemoveIdentityInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> RemoveIdentityResult | None:
        await resolvers.identities.remove(info.context, input.issuer)
        return IdentityRemoved(issuer=input.issuer)

    @strawberry.mutation(
        description="Lets a provider sign the viewer in again, whose identity there was removed; else NOT_FOUND."
    )
    async def allow_identity(
        self,
        info: Info,
        input: Annotated[AllowIdentityInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> IdentityAllowed | None:
        await resolvers.identities.allow(info.context, input.issuer)
        return IdentityAllowed(issuer=input.issuer)

    @strawberry.mutation(
        description="Removes an identity of a staff member, who is told by email; whoever has no password sets one by "
        "requestPasswordReset. Owners and admins only, of whom they may reset; one that is not theirs is NOT_FOUND."
    )
    async def remove_staff_identity(
        self,
        info: Info,
        input: Annotated[RemoveStaffIdentityInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> RemoveStaffIdentityResult | None:
        account_id, staff_id = (resolvers.access.parse_id(each) for each in (input.account_id, input.staff_id))
        await resolvers.staff_identities.remove(info.context, account_id, staff_id, input.issuer)
        return IdentityRemoved(issuer=input.issuer)

    @strawberry.mutation(
        description="Lets a provider sign a staff member in again, whose identity there was removed; they are told by "
        "email. Owners and admins only, of whom they may reset; else NOT_FOUND."
    )
    async def allow_staff_identity(
        self,
        info: Info,
        input: Annotated[AllowStaffIdentityInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> AllowStaffIdentityResult | None:
        account_id, staff_id = (resolvers.access.parse_id(each) for each in (input.account_id, input.staff_id))
        await resolvers.staff_identities.allow(info.context, account_id, staff_id, input.issuer)
        return IdentityAllowed(issuer=input.issuer)
