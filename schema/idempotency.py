"""The idempotencyKey that every mutation takes: in its input, or as an argument where it has none."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLString,
    get_nullable_type,
)

import resolvers.once
import rules.idempotency
from resolvers.context import Context
from resolvers.once import Work
from schema import kept
from schema.common import Error

KEY = "idempotencyKey"
DESCRIPTION = (
    "A new UUID for each change that is wanted. Sent again within 10 minutes by the same caller, it changes nothing "
    "and gets the same answer, with what is shown only once; with other input it is IDEMPOTENCY_KEY_REUSED. A failure "
    "is not kept: the key may be used again."
)
# By whom a mutation is asked that needs no session, from its input; all others are asked in a session, or by a service.
BY_TOKEN = {
    "completeMfaChallenge": "challengeToken",
    "redeemRecoveryPass": "challengeToken",
    "setPassword": "token",
    "rejectSignIn": "token",
    "disputeMfaReset": "token",
    "stopMfaReset": "token",
    "requestAccountRecovery": "challengeToken",
    "startAccountRecovery": "token",
    "stopAccountRecovery": "token",
}
BY_EMAIL = {"signIn": "email", "requestPasswordReset": "email"}
# These had keys before, under which a service gets the same answer for 24 hours.
KEEP_THEIR_OWN = frozenset({"provisionStaff", "changeStaffRole", "removeStaff", "changeEmail"})


def let_repeat(schema: GraphQLSchema) -> None:
    """Let every mutation take a key."""
    assert schema.mutation_type
    for name, field in schema.mutation_type.fields.items():
        if name in KEEP_THEIR_OWN:
            continue
        argument = field.args.get("input")
        if argument is None:
            field.args[KEY] = GraphQLArgument(GraphQLString, description=DESCRIPTION)
        else:
            given = get_nullable_type(argument.type)
            assert isinstance(given, GraphQLInputObjectType)
            given.fields.setdefault(KEY, GraphQLInputField(GraphQLString, description=DESCRIPTION))
        field.resolve = _repeatable(name, field)


def _repeatable(name: str, field: GraphQLField) -> Callable[..., Any]:
    resolve = field.resolve
    assert resolve is not None

    def repeatable(source: Any, info: Any, **arguments: Any) -> Any:
        key, arguments = _taken(arguments)
        if key is None or not isinstance(info.context, Context):
            return resolve(source, info, **arguments)
        return _once(
            info.context, rules.idempotency.checked(key), name, arguments, lambda: resolve(source, info, **arguments)
        )

    return repeatable


async def _once(context: Context, key: str, name: str, arguments: dict[str, Any], resolve: Callable[[], Any]) -> Any:
    async def execute() -> Any:
        result = resolve()
        return await result if isawaitable(result) else result

    work = Work(execute, lambda result: isinstance(result, Error), kept.written, kept.read)
    asked = await resolvers.once.asked(context, key, name, arguments, BY_TOKEN.get(name), BY_EMAIL.get(name))
    return await resolvers.once.once(context, asked, work)


def _taken(arguments: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The key, and the arguments without it."""
    given = arguments.get("input")
    if isinstance(given, dict) and KEY in given:
        return given[KEY], {**arguments, "input": {name: each for name, each in given.items() if name != KEY}}
    return arguments.get(KEY), {name: each for name, each in arguments.items() if name != KEY}
