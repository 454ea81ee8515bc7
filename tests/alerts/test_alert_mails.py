"""An alert's email tells what happened as it leaves: in the owner's language, of the agencies that are theirs then."""

from __future__ import annotations

from email.message import EmailMessage

from db import outbox
from rules.clients import Client
from rules.events.mfa import MfaDisabled
from tests.line import Line
from tests.people import email


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
