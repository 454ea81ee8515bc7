"""Which root fields a service may ask: every other refuses a service key, whatever its rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLSchema

from resolvers.context import Context
from rules.service_keys import Right

RIGHTS = {
    "account": (Right.POLICY, Right.AUDIT),
    "session": (Right.SIGN_IN,),
    "serviceSignIn": (Right.SIGN_IN,),
    "completeMfaChallenge": (Right.SIGN_IN,),
    "redeemRecoveryPass": (Right.SIGN_IN,),
    "provisionStaff": (Right.PROVISION,),
    "changeStaffRole": (Right.PROVISION,),
    "removeStaff": (Right.PROVISION,),
    "changeEmail": (Right.PROVISION,),
    "updateSecurityPolicy": (Right.POLICY,),
}
# What people ask, too; the others of these are for services alone.
FOR_PEOPLE_TOO = {"account", "completeMfaChallenge", "redeemRecoveryPass", "updateSecurityPolicy"}
# What looks at the key first over the connection that it takes anyway: a product asks it on each of its requests.
LOOKS_ITSELF = {"session"}


def guard(schema: GraphQLSchema) -> None:
    """Let every root field look at the service key, if one came, before anything else."""
    for type_ in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name, field in type_.fields.items() if type_ else ():
            rights = RIGHTS.get(name, ())
            is_for_people = name not in RIGHTS or name in FOR_PEOPLE_TOO
            is_for_services = name in LOOKS_ITSELF
            if field.resolve is not None:
                field.resolve = _guarded(field.resolve, rights, is_for_people, is_for_services)
            if field.subscribe is not None:
                field.subscribe = _guarded(field.subscribe, rights, is_for_people, is_for_services)


def _guarded(
    resolve: Callable[..., Any], rights: tuple[Right, ...], is_for_people: bool, is_for_services: bool
) -> Callable[..., Any]:
    """Look at the key, except where whoever asks, a person or a service, is let through."""

    def guarded(source: Any, info: Any, **arguments: Any) -> Any:
        # A subscription's values come to its resolver, which has been let through already.
        if isinstance(info.context, Context) and not (is_for_services if info.context.is_service else is_for_people):
            return _after_key(resolve, rights, source, info, arguments)
        return resolve(source, info, **arguments)

    return guarded


async def _after_key(
    resolve: Callable[..., Any], rights: tuple[Right, ...], source: Any, info: Any, arguments: dict[str, Any]
) -> Any:
    await info.context.service_key(*rights)
    return await resolve(source, info, **arguments)
