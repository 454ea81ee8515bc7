"""Staff as a product's backend keeps them, with a service key that has the right provision."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

import resolvers.access
import resolvers.provisioning
import rules.people
from schema.common import Info, Role
from schema.failures import InvalidInput, NotPermitted, TooManyAttempts

ACCOUNT = "The account; may be left out with a key that is for one account."
EXTERNAL_ID = "The person's id in the product."
IDEMPOTENCY_KEY = (
    "Any text of up to 255 characters, new for each change: sent again with the same input within 24 hours, it changes "
    "nothing and gets the same answer; with other input it is refused."
)


def _key() -> Any:
    return strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Who is to be staff.")
class ProvisionStaffInput:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    email: str = strawberry.field(
        description="The person's email address, which the product has verified: whoever has it already is meant."
    )
    role: Role = strawberry.field(description="The role in the account.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Who is to have which role.")
class ChangeStaffRoleInput:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    role: Role = strawberry.field(description="The new role.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Who is to be staff no more.")
class RemoveStaffInput:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Whose email address changes.")
class ChangeEmailInput:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    email: str = strawberry.field(description="The new address.")
    idempotency_key: str | None = _key()


@strawberry.type(description="The person is staff of the account.")
class StaffProvisioned:
    staff_id: strawberry.ID = strawberry.field(description="The membership's id.")
    user_id: strawberry.ID = strawberry.field(description="The person's id in Gatehouse.")
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    email: str = strawberry.field(description="The person's email address.")
    role: Role = strawberry.field(description="The role in the account.")


@strawberry.type(description="The staff member has the role.")
class StaffRoleChanged:
    staff_id: strawberry.ID = strawberry.field(description="The membership's id.")
    user_id: strawberry.ID = strawberry.field(description="The person's id in Gatehouse.")
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    email: str = strawberry.field(description="The person's email address.")
    role: Role = strawberry.field(description="The role in the account.")


@strawberry.type(description="The person is staff of the account no more.")
class StaffRemoved:
    user_id: strawberry.ID = strawberry.field(description="The person's id in Gatehouse.")
    external_id: str = strawberry.field(description=EXTERNAL_ID)


@strawberry.type(description="The person signs in with the new address; both addresses are told.")
class EmailChanged:
    user_id: strawberry.ID = strawberry.field(description="The person's id in Gatehouse.")
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    email: str = strawberry.field(description="The new address.")


ProvisionStaffResult = Annotated[
    StaffProvisioned | InvalidInput | NotPermitted,
    strawberry.union("ProvisionStaffResult", description="What came of adding the person."),
]
ChangeStaffRoleResult = Annotated[
    StaffRoleChanged | InvalidInput | NotPermitted,
    strawberry.union("ChangeStaffRoleResult", description="What came of changing the role."),
]
RemoveStaffResult = Annotated[
    StaffRemoved | InvalidInput | NotPermitted,
    strawberry.union("RemoveStaffResult", description="What came of taking the role away."),
]
ChangeEmailResult = Annotated[
    EmailChanged | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("ChangeEmailResult", description="What came of changing the address."),
]


@strawberry.type
class ProvisioningMutation:
    @strawberry.mutation(description="Lets a person be staff, for service keys with the right provision.")
    async def provision_staff(
        self,
        info: Info,
        input: Annotated[ProvisionStaffInput, strawberry.argument(description="Who.")],  # noqa: A002
    ) -> ProvisionStaffResult | None:
        answer = await resolvers.provisioning.provision(
            info.context,
            _account(input.account_id),
            input.external_id,
            input.email,
            rules.people.Role[input.role.name],
            input.idempotency_key,
        )
        return StaffProvisioned(**_with_role(answer))

    @strawberry.mutation(description="Gives a staff member another role, for service keys with the right provision.")
    async def change_staff_role(
        self,
        info: Info,
        input: Annotated[ChangeStaffRoleInput, strawberry.argument(description="Who, and which.")],  # noqa: A002
    ) -> ChangeStaffRoleResult | None:
        answer = await resolvers.provisioning.change_role(
            info.context,
            _account(input.account_id),
            input.external_id,
            rules.people.Role[input.role.name],
            input.idempotency_key,
        )
        return StaffRoleChanged(**_with_role(answer))

    @strawberry.mutation(description="Takes a staff member's role away, for service keys with the right provision.")
    async def remove_staff(
        self,
        info: Info,
        input: Annotated[RemoveStaffInput, strawberry.argument(description="Who.")],  # noqa: A002
    ) -> RemoveStaffResult | None:
        answer = await resolvers.provisioning.remove(
            info.context, _account(input.account_id), input.external_id, input.idempotency_key
        )
        return StaffRemoved(**answer)

    @strawberry.mutation(description="Changes a person's email address, for service keys with the right provision.")
    async def change_email(
        self,
        info: Info,
        input: Annotated[ChangeEmailInput, strawberry.argument(description="Whose, and to what.")],  # noqa: A002
    ) -> ChangeEmailResult | None:
        answer = await resolvers.provisioning.change_email(
            info.context, input.external_id, input.email, input.idempotency_key
        )
        return EmailChanged(**answer)


def _account(account_id: strawberry.ID | None) -> UUID | None:
    return resolvers.access.parse_id(account_id) if account_id is not None else None


def _with_role(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "role": Role[answer["role"]]}
