"""Step-up over the whole schema: each mutation is guarded by a fresh proof, or stands here as free of it."""

from __future__ import annotations

from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, build_schema, print_ast
from graphql.utilities import ast_from_value

from schema.roots import build
from schema.services import FOR_PEOPLE_TOO, RIGHTS
from tests.people import World, age_proofs

STEP_UP = "REAUTHENTICATION_REQUIRED"
SCHEMA = build_schema(build().as_str())
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
OF_SERVICES = RIGHTS.keys() - FOR_PEOPLE_TOO
# What signs in or shows anew, what a link or an email decides, what only ends sessions, and what only reminds.
FREE = {
    "signIn",
    "completeMfaChallenge",
    "redeemRecoveryPass",
    "reauthenticate",
    "requestPasswordReset",
    "setPassword",
    "rejectSignIn",
    "confirmMfaEnrollment",
    "disputeMfaReset",
    "endSession",
    "signOutOtherSessions",
    "signOut",
    "remindStaff",
}
GUARDED = MUTATIONS.keys() - FREE - OF_SERVICES
# What brings a code itself, beside which the password is proof enough.
BRINGS_A_CODE = {"disableMfa", "regenerateBackupCodes", "beginAuthenticatorReplacement"}


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
    field = MUTATIONS[name]
    given = []
    for argument, details in field.args.items():
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


def test_what_is_free_of_a_proof_is_there() -> None:
    assert MUTATIONS.keys() >= FREE | BRINGS_A_CODE | OF_SERVICES & MUTATIONS.keys()
    assert not FREE & OF_SERVICES


async def test_every_mutation_but_these_wants_a_password_of_the_last_fifteen_minutes(world: World) -> None:
    known, olive = await known_things(world), await world.sign_in("olive")
    before = await world.events()
    await age_proofs(world, "16 minutes")
    outcomes = {name: await olive.raw(operation(name, known)) for name in sorted(GUARDED)}
    codes = {name: [each["extensions"]["code"] for each in body.get("errors", [])] for name, body in outcomes.items()}
    assert codes == {name: [STEP_UP] for name in GUARDED}
    assert await world.events() == before


async def test_every_mutation_but_these_wants_the_second_factor_of_whoever_has_one(world: World) -> None:
    known, olive = await known_things(world), await world.sign_in("olive")
    await world.let_have_mfa("olive")
    await world.database.execute("UPDATE sessions SET second_factor_at = now() - interval '16 minutes'")
    before = await world.events()
    asked = sorted(GUARDED - BRINGS_A_CODE)
    outcomes = {name: await olive.raw(operation(name, known)) for name in asked}
    codes = {name: [each["extensions"]["code"] for each in body.get("errors", [])] for name, body in outcomes.items()}
    assert codes == {name: [STEP_UP] for name in asked}
    assert await world.events() == before


async def test_what_is_free_of_a_proof_asks_for_none(world: World) -> None:
    known, olive = await known_things(world), await world.sign_in("olive")
    await age_proofs(world, "16 minutes")
    for name in [*sorted(FREE - {"signOut"}), "signOut"]:
        body = await olive.raw(operation(name, known))
        assert STEP_UP not in {each["extensions"]["code"] for each in body.get("errors", [])}, name
