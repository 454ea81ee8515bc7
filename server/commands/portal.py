"""`gatehouse portal`: people who only use an account's portal."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.accounts
from server.commands.operators import account_option, email_option, newcomer, opened, say, shared_options


@click.group()
def portal() -> None:
    """People who only use an account's portal; they have no role."""


@portal.command("add")
@account_option
@email_option
@shared_options
def add_portal_user(account_id: UUID, email: str, data_dir: Path | None, password_stdin: bool, as_json: bool) -> None:
    """Let a person sign in to an account's portal; a known person keeps the password."""
    person = newcomer(data_dir, email, password_stdin)
    with opened(data_dir) as run:
        user_id = run(lambda d: resolvers.operators.accounts.add_portal_user(d, account_id, person))
    say(as_json, f"Added {email} as a portal user.", accountId=account_id, userId=user_id)
