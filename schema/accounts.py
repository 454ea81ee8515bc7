"""The account, and what its security page shows of it."""

from __future__ import annotations

import strawberry

from rules import people


@strawberry.type(description="An account: an agency with its staff and its security policy.")
class Account:
    id: strawberry.ID = strawberry.field(description="The account's id.")
    name: str = strawberry.field(description="The account's name, as its people chose it.")
    facts: strawberry.Private[people.Account]

    @classmethod
    def of(cls, account: people.Account) -> Account:
        """The account as clients see it."""
        return cls(id=strawberry.ID(str(account.id)), name=account.name, facts=account)
