"""Account recovery: coming back alone without the second factor, where the person's accounts allow it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import db.account_recovery
import resolvers.access
import resolvers.account_recovery
import rules.account_recovery
from schema.common import Info
from schema.failures import ChallengeExpired, ChangedMeanwhile, InvalidInput, LinkExpired, NotPermitted, TooManyAttempts


@strawberry.type(description="How long staff who come back alone wait, by their role.")
class AccountRecoveryDelays:
    owner_days: int = strawberry.field(description="Owners: 1 to 7 days.")
    admin_days: int = strawberry.field(description="Admins: 1 to 7 days.")
    member_days: int = strawberry.field(description="Members: 1 to 7 days.")

    @classmethod
    def of(cls, delays: rules.account_recovery.Delays) -> AccountRecoveryDelays:
        return cls(owner_days=delays.owner_days, admin_days=delays.admin_days, member_days=delays.member_days)


@strawberry.type(description="An account recovery that waits: unless it is stopped, MFA is reset at its end.")
class AccountRecovery:
    started_at: datetime = strawberry.field(description="Since when it waits.")
    ends_at: datetime = strawberry.field(
        description="When MFA is reset. Later where a longer wait is asked for meanwhile, never earlier."
    )

    @classmethod
    def of(cls, waiting: db.account_recovery.Waiting | rules.account_recovery.Recovery) -> AccountRecovery:
        return cls(started_at=waiting.started_at, ends_at=waiting.ends_at)


@strawberry.input(description="The sign-in of somebody who has neither app nor backup code.")
class RequestAccountRecoveryInput:
    challenge_token: str = strawberry.field(description="The token that signIn returned.")


@strawberry.type(
    description="An email is on its way, with a link to startAccountRecovery that works once, for 30 minutes."
)
class AccountRecoveryRequested:
    delay_days: int = strawberry.field(description="How many days they wait once they have opened it.")


RequestAccountRecoveryResult = Annotated[
    AccountRecoveryRequested | ChallengeExpired | NotPermitted | TooManyAttempts,
    strawberry.union(
        "RequestAccountRecoveryResult",
        description="What came of asking. NotPermitted: an account of theirs does not allow it, or wants a second "
        "owner or admin to approve their resets, or they did not sign in by password.",
    ),
]


@strawberry.input(description="The token out of the email's link.")
class StartAccountRecoveryInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(
    description="It waits. The person and the owners of their accounts are told, each with a link to stop it."
)
class AccountRecoveryStarted:
    account_recovery: AccountRecovery = strawberry.field(description="What waits; begun before where one did already.")


StartAccountRecoveryResult = Annotated[
    AccountRecoveryStarted | LinkExpired | TooManyAttempts,
    strawberry.union("StartAccountRecoveryResult", description="What came of beginning."),
]


@strawberry.input(description="The token out of a link to stop it.")
class StopAccountRecoveryInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(description="It is stopped; nothing has changed for the person.")
class AccountRecoveryStopped:
    email: str = strawberry.field(description="Whose it was.")
    by_person: bool = strawberry.field(
        description="Whether by an email to the person, who had best change the password then; else by an owner's."
    )


StopAccountRecoveryResult = Annotated[
    AccountRecoveryStopped | LinkExpired | TooManyAttempts,
    strawberry.union("StopAccountRecoveryResult", description="What came of stopping it."),
]


@strawberry.type(description="Nothing waits for the viewer any more.")
class AccountRecoveryCancelled:
    ok: bool = strawberry.field(description="Always true.")


@strawberry.input(description="How many days who waits.")
class AccountRecoveryDelaysInput:
    owner_days: int = strawberry.field(description="Owners: 1 to 7.")
    admin_days: int = strawberry.field(description="Admins: 1 to 7.")
    member_days: int = strawberry.field(description="Members: 1 to 7.")

    def asked(self) -> rules.account_recovery.Delays:
        return rules.account_recovery.Delays(self.owner_days, self.admin_days, self.member_days)


@strawberry.input(description="What the client has seen of an account's recovery.")
class AccountRecoverySeenInput:
    delays: AccountRecoveryDelaysInput | None = strawberry.field(default=None, description="Null: nobody may.")

    def asked(self) -> rules.account_recovery.Seen:
        return rules.account_recovery.Seen(self.delays.asked() if self.delays else None)


@strawberry.input(description="Whether staff may come back alone, and after how long.")
class SetAccountRecoveryInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    delays: AccountRecoveryDelaysInput | None = strawberry.field(
        default=None, description="Null: nobody may, and what waits ends."
    )
    if_held: AccountRecoverySeenInput | None = strawberry.field(
        default=None,
        description="What was seen: ChangedMeanwhile if something else holds by now. Saved whatever holds when null.",
    )


@strawberry.type(description="It holds as asked for.")
class AccountRecoverySet:
    account_recovery: AccountRecoveryDelays | None = strawberry.field(description="What holds now; null: nobody may.")


SetAccountRecoveryResult = Annotated[
    AccountRecoverySet | ChangedMeanwhile | InvalidInput | NotPermitted,
    strawberry.union("SetAccountRecoveryResult", description="What came of choosing."),
]


@strawberry.type
class AccountRecoveryMutation:
    @strawberry.mutation(
        description="Asks, between password and second factor, to come back without the latter: an email with a link "
        "is sent. Nothing changes by it."
    )
    async def request_account_recovery(
        self,
        info: Info,
        input: Annotated[RequestAccountRecoveryInput, strawberry.argument(description="The challenge.")],  # noqa: A002
    ) -> RequestAccountRecoveryResult | None:
        days = await resolvers.account_recovery.request(info.context, input.challenge_token)
        return AccountRecoveryRequested(delay_days=days)

    @strawberry.mutation(
        description="Begins to wait, by the one-use link of that email. The person is told now and each day, and "
        "anything stops it: a link of these emails, any code, a recovery pass, a new password. Needs no session."
    )
    async def start_account_recovery(
        self,
        info: Info,
        input: Annotated[StartAccountRecoveryInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> StartAccountRecoveryResult | None:
        waiting = await resolvers.account_recovery.start(info.context, input.token)
        return AccountRecoveryStarted(account_recovery=AccountRecovery.of(waiting))

    @strawberry.mutation(
        description="Stops an account recovery, by the one-use link of any of its emails, to the person or to an "
        "owner. Needs no session."
    )
    async def stop_account_recovery(
        self,
        info: Info,
        input: Annotated[StopAccountRecoveryInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> StopAccountRecoveryResult | None:
        stopped = await resolvers.account_recovery.stop(info.context, input.token)
        return AccountRecoveryStopped(email=stopped.email, by_person=stopped.by_person)

    @strawberry.mutation(description="Stops the viewer's own account recovery, see Viewer.accountRecovery.")
    async def cancel_account_recovery(self, info: Info) -> AccountRecoveryCancelled | None:
        await resolvers.account_recovery.cancel(info.context)
        return AccountRecoveryCancelled(ok=True)

    @strawberry.mutation(
        description="Chooses whether an account's staff may come back alone, and after how many days. Owners alone. "
        "Off unless switched on."
    )
    async def set_account_recovery(
        self,
        info: Info,
        input: Annotated[SetAccountRecoveryInput, strawberry.argument(description="The delays.")],  # noqa: A002
    ) -> SetAccountRecoveryResult | None:
        wanted = input.delays.asked() if input.delays else None
        seen = input.if_held.asked() if input.if_held else None
        account_id = resolvers.access.parse_id(input.account_id)
        await resolvers.account_recovery.set_delays(info.context, account_id, wanted, seen)
        return AccountRecoverySet(account_recovery=AccountRecoveryDelays.of(wanted) if wanted else None)
