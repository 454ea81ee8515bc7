"""An alert's email tells what happened as it leaves: in the owner's language, of the agencies that are theirs then."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from db import outbox
from db.pool import Database
from rules.clients import Client
from rules.events.mfa import MfaDisabled
from tests.alerts import hearing
from tests.line import Line
from tests.people import email
from tests.reminders.cast import pool
from workers.alerts import tell_gathered

__all__ = ["pool"]


async def turned_off(line: Line, name: str) -> None:
    """Let somebody have turned off MFA."""
    user_id = await line.world.user_id(name)
    await outbox.append(line.database, MfaDisabled(subject_id=user_id, actor_id=user_id, client=Client(None, None)))


async def join_other(line: Line, name: str, role: str) -> None:
    """Let somebody have a role in the other agency, too."""
    await line.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE email = $2",
        line.world.other_account_id,
        email(name),
        role,
    )


async def text_to(line: Line, name: str) -> str:
    """The text of the newest email to somebody, once there is one."""
    body = (await line.mailbox.mail(email(name), "")).get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


async def test_it_comes_in_the_owners_language_with_the_name_of_the_agency(line: Line) -> None:
    await line.database.execute("UPDATE users SET language = 'de' WHERE email = $1", email("olive"))
    await line.start("relay", "worker")
    await turned_off(line, "mia")
    text = await text_to(line, "olive")
    assert 'In Ihrer Agentur "Agency" ist Folgendes geschehen:' in text
    assert f"{email('mia')} hat MFA deaktiviert." in text


async def test_of_two_agencies_that_are_theirs_it_names_each(line: Line) -> None:
    await join_other(line, "olive", "OWNER")
    await line.database.execute(
        "INSERT INTO alert_hours SELECT id, 'MFA_DISABLED', now() + interval '1 minute' FROM users WHERE email = $1",
        email("olive"),
    )
    await line.start("relay", "worker", "beat")
    for name in ("mia", "sam"):
        await turned_off(line, name)

    async def are_gathered() -> object:
        return await line.database.fetchval("SELECT count(*) = 2 FROM gathered_alerts")

    await line.until(are_gathered, "both wait for the hour's end")
    await line.database.execute("UPDATE alert_hours SET until = now()")
    text = await text_to(line, "olive")
    assert "this happened in your agencies 2 more times:" in text
    assert f'"Agency": {email("mia")} turned off MFA.' in text
    assert f'"Other": {email("sam")} turned off MFA.' in text


@pytest.mark.parametrize(
    ("of_agency", "of_other", "says", "earlier"),
    [
        (1, 2, 'in your agency "Agency" 1 more time:', []),
        # More than an email lists, of which the newest are all the other agency's.
        (2, 12, 'in your agency "Agency" 2 more times:', []),
        (12, 2, 'in your agency "Agency" 12 more times:', ["And 2 earlier ones."]),
    ],
)
async def test_it_counts_only_what_is_of_agencies_that_are_theirs_as_it_leaves(
    line: Line, pool: Database, of_agency: int, of_other: int, says: str, earlier: list[str]
) -> None:
    await join_other(line, "olive", "OWNER")
    for name in ["mia"] * (of_agency + 1) + ["sam"] * of_other:
        await hearing.happen(line.world, pool, await hearing.turned_off(line.world, name))
    await hearing.let_an_hour_pass(line.world)
    await tell_gathered(pool)
    await hearing.settle(line.world, pool)
    await line.database.execute(
        "DELETE FROM staff WHERE account_id = $1 AND email = $2", line.world.other_account_id, email("olive")
    )
    await line.start("relay", "worker", "beat")
    await line.mailbox.wait_for_mail(email("olive"), 2)
    mail = await line.mailbox.mail(email("olive"), "")
    assert str(mail["Subject"]).startswith(f"{of_agency} more alert")
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    text = str(body.get_content())
    assert says in text.replace("\n", " ")
    assert text.count(f"{email('mia')} turned off MFA.") == min(of_agency, 10)
    assert email("sam") not in text
    assert [each for each in text.splitlines() if "earlier" in each] == earlier
