"""Step-up over the whole schema: each mutation is guarded by a fresh proof, or stands here as free of it."""

from __future__ import annotations

from schema.services import FOR_PEOPLE_TOO, RIGHTS
from tests.mutations import MUTATIONS, known_things, operation
from tests.people import World, age_proofs

STEP_UP = "REAUTHENTICATION_REQUIRED"
OF_SERVICES = RIGHTS.keys() - FOR_PEOPLE_TOO
# What signs in or shows anew, what a link or an email decides, what only ends sessions or keeps things as they are,
# what only reminds, and what only says something of oneself.
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
    "stopMfaReset",
    "endSession",
    "signOutOtherSessions",
    "signOut",
    "remindStaff",
    "setLanguage",
    "confirmBackupCodesSaved",
    "proveMfa",
    "requestAccountRecovery",
    "startAccountRecovery",
    "stopAccountRecovery",
    "cancelAccountRecovery",
    "stopStaffAccountRecovery",
}
GUARDED = MUTATIONS.keys() - FREE - OF_SERVICES
# What brings a code itself, beside which the password is proof enough.
BRINGS_A_CODE = {"disableMfa", "regenerateBackupCodes", "beginAuthenticatorReplacement"}


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
