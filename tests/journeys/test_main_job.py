"""The main job, as a person lives it: enroll, sign in with a second factor, and read the emails that follow.

Every part is its own process: the API, the relay, a Celery worker; PostgreSQL, Valkey and the mail server are real.
"""

from __future__ import annotations

from tests.operations import COMPLETE, DISABLE, REGENERATE, SIGN_OUT
from tests.parts import Mailbox, body_of
from tests.people import World, email


async def test_a_person_enrolls_signs_in_with_a_second_factor_and_is_told_by_email(
    product: World, mailbox: Mailbox
) -> None:
    mia = await product.sign_in("mia")
    factor = await product.enroll(mia)
    assert len(factor.backup_codes) == 10
    mail = await mailbox.mail(email("mia"), "MFA is on for your sign-in")
    assert mail["auto-submitted"] == "auto-generated"
    for secret in (factor.secret, *factor.backup_codes):
        assert secret not in body_of(mail) + body_of(mail, "html")

    assert await mia.do(SIGN_OUT) == {"ok": True}
    mia, challenge = await product.challenge("mia")
    answer = await mia.do(COMPLETE, token=challenge, code={"totp": await factor.code()})
    assert answer["__typename"] == "SignedIn"

    mia, challenge = await product.challenge("mia")
    answer = await mia.do(COMPLETE, token=challenge, code={"backupCode": factor.backup_codes[0]})
    assert answer["viewer"]["mfa"]["backupCodesRemaining"] == 9
    mia.token = answer["sessionToken"]
    mail = await mailbox.mail(email("mia"), "A backup code was used to sign in")
    assert "9" in body_of(mail)

    other, challenge = await product.challenge("mia")
    spent = await other.do(COMPLETE, token=challenge, code={"backupCode": factor.backup_codes[0]})
    assert spent["__typename"] == "InvalidCode"

    regenerated = await mia.do(REGENERATE, code=await factor.code(1))
    assert len(regenerated["backupCodes"]) == 10
    await mailbox.wait_for_mail(email("mia"), 3)
    await product.forget_spent_steps("mia")
    assert (await mia.do(DISABLE, code=await factor.code()))["__typename"] == "MfaDisabled"
    await mailbox.wait_for_mail(email("mia"), 4)
    assert set(mailbox.subjects(email("mia"))) == {
        "MFA is on for your sign-in",
        "A backup code was used to sign in",
        "Your backup codes were replaced",
        "MFA is off for your sign-in",
    }
    assert len({mail["message-id"] for mail in mailbox.messages if mail["to"] == email("mia")}) == 4
    await product.sign_in("mia")


async def test_whoever_guesses_is_locked_out_and_the_person_is_told(product: World, mailbox: Mailbox) -> None:
    mia = await product.sign_in("mia")
    await product.enroll(mia)
    for _ in range(11):
        await mia.do(DISABLE, code="000000")
    await mailbox.wait_for_mail(email("mia"), 2)
    assert set(mailbox.subjects(email("mia"))) == {
        "MFA is on for your sign-in",
        "Too many wrong codes for your sign-in",
    }
