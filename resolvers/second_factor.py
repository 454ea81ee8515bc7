"""The second factor: codes of the authenticator app and backup codes, looked at and spent."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import db.backup_codes
import db.factors
import resolvers.account_recovery
import rules.backup_codes
import rules.totp
from db.factors import Factor
from db.pool import Connection
from resolvers.context import Context
from resolvers.guessing.charged import NotACode, WrongGuess
from resolvers.hashing import Asker
from rules.events.base import Event
from rules.events.signing_in import BackupCodeUsed
from rules.failures import MfaNotEnabled
from rules.sealing import KeyRing
from rules.totp import TOTP_PURPOSE

NO_CODE = "That is no code. Enter the 6 digits that your authenticator app shows now."
WRONG_CODE = (
    "That code is not right. Enter the code that your authenticator app shows now; each code works once: wait for the "
    "next if you have used it."
)
# What is spent or past is worth nothing to a guesser any more, so that they may know.
PAST_CODE = (
    "That code has been used already, or it is too old; each code works once: wait for the next. If that is refused, "
    "too, set your phone's clock to automatic time."
)
NO_BACKUP_CODE = "That is no backup code. Enter the 8 letters and digits of one that you have not used yet."
WRONG_BACKUP_CODE = "That backup code is not right. Enter one of the codes that you saved last."
SPENT_BACKUP_CODE = "That backup code has been used already. Each works once: enter another one."


@dataclass(frozen=True)
class Answer:
    """A code of the app, or else what is kept of a backup code."""

    totp_code: str | None
    digest: bytes | None


async def load(connection: Connection, user_id: UUID) -> Factor:
    """The person's factor. Raises MfaNotEnabled."""
    factor = await db.factors.load(connection, user_id)
    if factor is None:
        raise MfaNotEnabled
    return factor


async def answer(
    context: Context, user_id: UUID, factor: Factor, totp_code: str | None, backup_code: str | None
) -> Answer:
    """One of the two codes, hashed where it must be: that is slow, and comes before any lock."""
    if backup_code is None:
        return Answer(totp_code, None)
    normalized = rules.backup_codes.normalize(backup_code)
    if normalized is None:
        raise NotACode(NO_BACKUP_CODE)
    salt, key_id = factor.backup_salt, factor.backup_key_id
    ring, hasher = context.service.ring, context.service.hasher
    digest = await hasher.run(
        Asker(str(user_id)), rules.backup_codes.digest, ring, normalized, salt, key_id, hasher.cost
    )
    return Answer(None, digest)


async def spend(
    context: Context, connection: Connection, user_id: UUID, given: Answer, signing_in: Factor | None = None
) -> list[Event]:
    """Spend the code, under the person's lock; the events of it. Raises WrongGuess and MfaNotEnabled.

    `signing_in` is the factor where it has been read under that lock, to sign in by it.
    """
    if given.totp_code is not None:
        return await spend_totp(context, connection, user_id, given.totp_code, signing_in)
    digest = given.digest or b""
    spent = await db.backup_codes.spend(connection, user_id, digest)
    if spent is None:
        is_spent = await db.backup_codes.is_spent(connection, user_id, digest)
        message = SPENT_BACKUP_CODE if is_spent else WRONG_BACKUP_CODE
        raise WrongGuess(message, method="backup_code", is_replay=is_spent)
    used = BackupCodeUsed(subject_id=user_id, actor_id=user_id, client=context.client, remaining=spent.remaining)
    return [used, *resolvers.account_recovery.told_of_end(user_id, "backup_code", spent.was_recovering)]


async def spend_totp(
    context: Context, connection: Connection, user_id: UUID, code: str, signing_in: Factor | None = None
) -> list[Event]:
    """The same, of a code of the app. Raises WrongGuess and MfaNotEnabled."""
    factor = signing_in or await load(connection, user_id)
    step = matching_step(context.service.ring, factor, user_id, code)
    spent = await db.factors.spend_step(connection, user_id, step, is_sign_in=signing_in is not None)
    if spent is None:
        raise WrongGuess(PAST_CODE, is_replay=True)
    return resolvers.account_recovery.told_of_end(user_id, "otp", spent.was_recovering)


def require_digits(code: str) -> None:
    """Raises NotACode for what no authenticator app shows."""
    if rules.totp.normalize(code) is None:
        raise NotACode(NO_CODE)


def matching_step(ring: KeyRing, factor: Factor, user_id: UUID, code: str) -> int:
    """The unspent time step whose code this is. Raises KeyMissingError, NotACode, WrongGuess."""
    require_digits(code)
    secret = ring.open(factor.secret, TOTP_PURPOSE, user_id)
    step = rules.totp.matching_step(secret, code, factor.now, factor.last_step)
    # Looked at in any case, so that the time taken tells nothing.
    is_past = rules.totp.is_past(secret, code, factor.now, factor.last_step)
    is_replay = rules.totp.matching_step(secret, code, factor.now) is not None
    if step is None:
        raise WrongGuess(PAST_CODE if is_past else WRONG_CODE, is_replay=is_replay)
    return step
