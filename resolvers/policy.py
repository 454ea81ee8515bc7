"""The account's policy: reading it, trying it out, and saving it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import db.nearer_deadlines
import db.outbox
import db.policy
import resolvers.access
import rules.events.policy
import rules.policy
import rules.resets
from db.policy import Impact, Progress
from db.pool import Connection
from resolvers.context import Context
from rules.events.base import AccountEvent
from rules.events.policy import ResetConfirmationChanged
from rules.events.resets import ResetApprovalChanged
from rules.failures import BadUserInput, InvalidInput, NotFound, NotPermitted
from rules.people import Account, Person
from rules.policy import Policy, RequiredOf, Wanted
from rules.resets import OWNERS_CHOOSE, ResetApproval
from rules.service_keys import Right, ServiceKey


async def security_policy(context: Context, account_id: UUID) -> Policy:
    """The policy, for owners, admins and super-admins. Raises what viewed_account raises."""
    return (await resolvers.access.viewed_account(context, account_id, Right.POLICY)).policy


async def enrollment_progress(context: Context, account_id: UUID) -> Progress:
    """Counts over the account's staff. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.policy.progress(connection, account_id)


async def impact(
    context: Context,
    account_id: UUID,
    require_mfa: bool,
    grace_period_days: int | None,
    joiner_days: int | None = None,
    required_of: RequiredOf | None = None,
    reset_approval: ResetApproval | None = None,
) -> tuple[Impact, int]:
    """What saving would do, and of how many no reset could be approved. As viewed_account, and raises BadUserInput."""
    policy = (await resolvers.access.viewed_account(context, account_id)).policy
    held = policy.grace_days
    try:
        grace_days = rules.policy.wanted_grace_days(require_mfa, grace_period_days if require_mfa else None, held)
        rules.policy.check_joiner_days(joiner_days)
    except InvalidInput as error:
        raise BadUserInput(error.message) from None
    async with context.database.connection() as connection:
        found = await db.policy.impact(connection, account_id, Wanted(grace_days, joiner_days, required_of))
    approval = reset_approval or policy.reset_approval
    return found, rules.resets.never_approved(approval, found.owner_count, found.admin_count, found.member_count)


async def update(
    context: Context,
    account_id: UUID,
    require_mfa: bool,
    grace_period_days: int | None,
    joiner_days: int | None = None,
    required_of: RequiredOf | None = None,
    confirm_reset_by_email: bool | None = None,
    reset_approval: ResetApproval | None = None,
    if_updated_at: datetime | None = None,
) -> Account:
    """Save the policy; saving what already holds is no change.

    Raises what managed_account raises, InvalidInput, and ChangedMeanwhile where it was updated at another time by now.
    """
    editor = await resolvers.access.policy_account(context, account_id)
    rules.policy.check_joiner_days(joiner_days)
    async with context.changing(account_id) as connection:
        before = await db.policy.lock(connection, account_id)
        if before is None:
            raise NotFound
        await resolvers.access.confirm_policy_editor(connection, editor, account_id)
        rules.policy.check_seen(before.policy, if_updated_at)
        grace_days = rules.policy.wanted_grace_days(require_mfa, grace_period_days, before.policy.grace_days)
        wanted = Wanted(grace_days, joiner_days, required_of)
        actor_id, key_name = (editor.id, None) if isinstance(editor, Person) else (None, editor.name)
        after = before
        events: list[AccountEvent] = []
        if rules.policy.is_change(before.policy, wanted):
            after = await db.policy.save(connection, account_id, wanted)
            events.append(rules.events.policy.saved(before.policy, after.policy, account_id, actor_id))
        if confirm_reset_by_email not in {None, before.policy.confirm_reset_by_email}:
            is_required = bool(confirm_reset_by_email)
            after = await db.policy.set_reset_confirmation(connection, account_id, is_required)
            events.append(ResetConfirmationChanged(account_id=account_id, actor_id=actor_id, is_required=is_required))
        if reset_approval not in {None, before.policy.reset_approval}:
            after = await _choose_approval(connection, editor, account_id, ResetApproval(reset_approval))
            events.append(
                ResetApprovalChanged(account_id=account_id, actor_id=actor_id, approval=after.policy.reset_approval)
            )
        if not events:
            return before
        await db.outbox.append_all(connection, [replace(event, service_key=key_name) for event in events])
        if rules.policy.asks_sooner(before.policy, after.policy):
            is_mailed = events[0].emailed_as() is not None
            await db.nearer_deadlines.tell(connection, account_id, before.policy, is_mailed=is_mailed)
    if not context.is_service:
        await context.reload()
    return after


async def _choose_approval(
    connection: Connection, editor: Person | ServiceKey, account_id: UUID, approval: ResetApproval
) -> Account:
    """Owners alone choose it: an admin could otherwise switch off the approval that their own reset would need."""
    if not isinstance(editor, Person) or not editor.owns(account_id):
        raise NotPermitted(OWNERS_CHOOSE)
    await resolvers.access.confirm_owner(connection, editor, account_id)
    return await db.policy.set_reset_approval(connection, account_id, approval)
