"""Service keys: what a product's own systems may ask, and of which account."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import rules.facts
from rules.failures import Forbidden, NotFound

ANSWER_LIFETIME = timedelta(hours=24)
# So exactly a key's last use is known.
NOTED_EVERY = timedelta(minutes=1)
NOT_FOR_SERVICES = "A service key cannot do this, whatever its rights."


class Right(StrEnum):
    """What a service key may be given."""

    SIGN_IN = "sign-in"
    PROVISION = "provision"
    SCIM = "scim"
    POLICY = "policy"
    AUDIT = "audit"


@rules.facts.fact
class BegunBy:
    """The key that has begun a challenge or a session, which outlives it; no id where an earlier version began it."""

    name: str
    key_id: UUID | None
    account_id: UUID | None


@rules.facts.fact
class ServiceKey:
    """A live key; without an account it is for all of them."""

    id: UUID
    name: str
    rights: frozenset[Right]
    account_id: UUID | None

    def require_any(self, *rights: Right) -> None:
        """Raises Forbidden unless the key was given one of these rights."""
        if self.rights.isdisjoint(rights):
            wanted = " or ".join(f"'{right}'" for right in rights)
            raise Forbidden(f"This service key was not given the right {wanted}." if rights else NOT_FOR_SERVICES)

    def require_account(self, account_id: UUID) -> None:
        """Raises NotFound for an account that the key is not for, as if there were none."""
        if self.account_id not in {None, account_id}:
            raise NotFound

    @property
    def begins(self) -> BegunBy:
        """What is kept with whatever it begins."""
        return BegunBy(self.name, self.id, self.account_id)

    @property
    def answers_scope(self) -> str:
        """Where its idempotency keys count: a key that replaces this one goes on under the same name."""
        return f"{self.account_id or 'all'} {self.name}"
