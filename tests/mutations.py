"""Any mutation of the schema, with something for all that it requires."""

from __future__ import annotations

from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, build_schema, print_ast
from graphql.utilities import ast_from_value

from schema.roots import build
from tests.people import World

SCHEMA = build_schema(build().as_str())
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields


def value_of(type_: object, name: str, known: dict[str, object]) -> object:
    """Something that a required argument or field of this type may be."""
    if name in known:
        return known[name]
    if isinstance(type_, GraphQLNonNull):
        return value_of(type_.of_type, name, known)
    if isinstance(type_, GraphQLList):
        return [value_of(type_.of_type, name, known)]
    if isinstance(type_, GraphQLInputObjectType):
        fields = {key: field.type for key, field in type_.fields.items()}
        if type_.is_one_of:
            fields = dict([next(iter(fields.items()))])
        else:
            # Of one member or of several: the schema requires neither, and the operation one of them.
            fields = {key: each for key, each in fields.items() if isinstance(each, GraphQLNonNull) or key == "staffId"}
        return {key: value_of(each, key, known) for key, each in fields.items()}
    values = getattr(type_, "values", None)
    if values:
        return next(iter(values))
    return {"Boolean": True, "Int": 1, "DateTime": "2030-01-01T00:00:00Z"}.get(str(type_), "123456")


def operation(name: str, known: dict[str, object]) -> str:
    """The mutation with all that it requires."""
    given = []
    for argument, details in MUTATIONS[name].args.items():
        if argument == "idempotencyKey":
            continue
        node = ast_from_value(value_of(details.type, argument, known), details.type)
        assert node is not None
        given.append(f"{argument}: {print_ast(node)}")
    arguments = f"({', '.join(given)})" if given else ""
    return f"mutation {{ {name}{arguments} {{ __typename }} }}"


async def known_things(world: World) -> dict[str, object]:
    """What the ids of the schema's inputs are in this agency."""
    webhook = await world.database.fetchval(
        "INSERT INTO webhooks (id, account_id, url, secret_sealed, secret_key_id) "
        "VALUES (gen_random_uuid(), $1, 'https://hooks.example/x', '', 'test') RETURNING id",
        world.account_id,
    )
    delivery = await world.database.fetchval(
        "INSERT INTO webhook_deliveries (webhook_id) VALUES ($1) RETURNING id", webhook
    )
    staff = str(await world.staff_id("mia"))
    return {
        "accountId": str(world.account_id),
        "staffId": staff,
        "staffIds": [staff],
        "webhookId": str(webhook),
        "deliveryId": str(delivery),
    }
