"""The roots, put together from the capabilities, and the schema that is built from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar, overload

import strawberry
from graphql import GraphQLSchema, Undefined, build_schema, is_abstract_type
from strawberry.schema.config import StrawberryConfig

import resolvers.access
from schema.account_recovery import AccountRecoveryMutation
from schema.accounts import Account
from schema.alerts import AlertMutation
from schema.check_up import CheckUpMutation
from schema.coming_in import ComingInMutation
from schema.common import DateTime, Error, Info
from schema.devices import DeviceMutation
from schema.enrollment import EnrollmentMutation
from schema.failures import HANDLERS
from schema.idempotency import let_repeat
from schema.identities import IdentityMutation
from schema.languages import LanguageMutation
from schema.lock_out import LockOutMutation
from schema.policy_changes import PolicyMutation
from schema.providers import ProviderMutation
from schema.provisioning import ProvisioningMutation
from schema.recovery import RecoveryMutation
from schema.reenrollment import ReenrollmentMutation
from schema.resets import ResetMutation
from schema.service import ServiceMutation, ServiceQuery
from schema.services import guard
from schema.sign_in import SignInMutation
from schema.staff_care import StaffMutation
from schema.staff_recoveries import StaffRecoveryMutation
from schema.staff_sessions import StaffSessionMutation
from schema.standing import StandingMutation
from schema.viewer import Viewer, viewer
from schema.watching import Subscription
from schema.webhook_changes import WebhookMutation
from schema.webhooks import WebhookQuery

Made = TypeVar("Made", bound=strawberry.Schema)


@strawberry.type(description="Reading.")
class Query(ServiceQuery, WebhookQuery):
    viewer: Viewer | None = strawberry.field(
        resolver=viewer, description="The signed-in person; null without a valid session."
    )

    @strawberry.field(
        description="An account the viewer is staff of (or any, for a platform super-admin). Otherwise null with "
        "NOT_FOUND."
    )
    async def account(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The account's id.")],  # noqa: A002
    ) -> Account | None:
        return Account.of(await resolvers.access.account(info.context, resolvers.access.parse_id(id)))


@strawberry.type(
    description="Changing. Root fields may be null, so that one that fails at the top level does not take its "
    "finished sisters with it."
)
class Mutation(
    SignInMutation,
    ComingInMutation,
    DeviceMutation,
    EnrollmentMutation,
    ReenrollmentMutation,
    RecoveryMutation,
    PolicyMutation,
    AlertMutation,
    StaffMutation,
    ResetMutation,
    StaffSessionMutation,
    StandingMutation,
    ServiceMutation,
    ProvisioningMutation,
    WebhookMutation,
    ProviderMutation,
    IdentityMutation,
    LanguageMutation,
    LockOutMutation,
    CheckUpMutation,
    AccountRecoveryMutation,
    StaffRecoveryMutation,
):
    pass


@overload
def build() -> strawberry.Schema: ...
@overload
def build(make: Callable[..., Made], **given: object) -> Made: ...


def build(make: Callable[..., strawberry.Schema] = strawberry.Schema, **given: object) -> strawberry.Schema:
    """The schema; the server brings its class, and what that needs beside the types."""
    schema = make(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Error],
        **given,
        exception_handlers=HANDLERS,
        config=StrawberryConfig(scalar_map={datetime: DateTime}),
    )
    _drop_null_defaults(schema._schema)
    let_repeat(schema._schema)
    guard(schema._schema)
    return schema


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Let what may be left out have no default, as in the contract: Strawberry makes Python's None one."""
    for type_ in schema.type_map.values():
        for field in getattr(type_, "fields", {}).values():
            for given in (field, *getattr(field, "args", {}).values()):
                if getattr(given, "default_value", Undefined) is None:
                    given.default_value = Undefined


def possible_types() -> dict[str, list[str]]:
    """The types that each interface and union stands for: without them Apollo Client drops `... on Error`."""
    schema = build_schema(build().as_str())
    return {
        name: sorted(member.name for member in schema.get_possible_types(type_))
        for name, type_ in sorted(schema.type_map.items())
        if is_abstract_type(type_)
    }
