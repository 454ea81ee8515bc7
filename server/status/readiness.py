"""Whether a part can do its work: each check by name, with what is wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import db.away
import db.keys
import db.ledger
import db.looking
from db.pool import Connection
from rules.sealed import KeyMissingError
from rules.sealing import KeyRing
from rules.totp import TOTP_PURPOSE
from server.status.kept import LIMITED_SHARE, Kept
from settings import Settings
from telemetry import life

OK = "ok"
DATABASE_KEPT_S = 1.0
OTHERS_KEPT_S = 5.0
TIMEOUT_S = 3.0
MAIL_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True)
class Report:
    """Every check's word; those that failed keep the part from being ready, those of `beside` do not."""

    checks: dict[str, str]
    beside: dict[str, str]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [name for name, word in self.checks.items() if word != OK]

    @property
    def is_ready(self) -> bool:
        """Whether it can do its work."""
        return not self.failed


class Readiness:
    """The checks of one part, over connections of their own: a busy pool is no broken one."""

    def __init__(self, settings: Settings, *, needs_database: bool = True) -> None:
        self._settings = settings
        self._needs_database = needs_database
        self._database = Kept(self._look_at_database, DATABASE_KEPT_S, LIMITED_SHARE)
        self._beside = Kept(self._look_beside, OTHERS_KEPT_S)

    async def report(self) -> Report:
        """How it is now, or was a moment ago."""
        checks, beside = {"process": "ends" if life.is_ending() else OK}, await self._beside.get()
        if self._needs_database:
            found = await self._database.get()
            checks, beside = checks | found.checks, beside | found.beside
        return Report(checks, beside)

    async def _look_at_database(self) -> Report:
        """The checks of what lies in the database; without it there is nothing to check.

        That there was no time left to look at keys says nothing of them, and stops nobody.
        """
        checks: dict[str, str] = {}
        try:
            async with db.looking.looking(self._settings.database_url, TIMEOUT_S) as connection:
                checks |= {"database": OK, "migrations": (await db.ledger.read(connection)).problem or OK}
                if self._settings.secret_keys and checks["migrations"] == OK:
                    checks["keys"] = await key_problem(connection, KeyRing(self._settings.keys)) or OK
        except Exception as error:
            if not db.away.is_of_way(error):
                raise
            word = f"does not answer ({type(error).__name__})"
            return Report(checks, {"keys": word}) if checks else Report({"database": word}, {})
        return Report(checks, {})

    async def _look_beside(self) -> dict[str, str]:
        broker, mail = await asyncio.gather(
            word_of(self._settings.broker_url, ask_broker), word_of(self._settings.smtp_url, ask_mail_server)
        )
        return {"broker": broker, "mail": mail}


async def key_problem(connection: Connection, ring: KeyRing) -> str | None:
    """Which keys are missing, or open nothing that was sealed under their id; None when all is well."""
    wrong = {key_id for key_id in await db.keys.others_in_use(connection) if key_id not in ring.keys}
    for user_id, sealed in await db.keys.samples(connection):
        try:
            ring.open(sealed, TOTP_PURPOSE, user_id)
        except KeyMissingError:
            wrong.add(sealed.key_id)
    return f"missing or wrong: {', '.join(sorted(wrong))}" if wrong else None


async def word_of(url: str, ask: Callable[[str], Awaitable[None]]) -> str:
    """A part's word; "not set" where this process has no address of it."""
    if not url:
        return "not set"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await ask(url)
    except (OSError, TimeoutError, ValueError, EOFError) as error:
        return f"does not answer ({type(error).__name__})"
    return OK


async def ask_broker(url: str) -> None:
    """Ping the broker. Raises ConnectionError."""
    # Half a second and some 15 MB, which a part without a broker does not need.
    from redis import RedisError
    from redis.asyncio import Redis

    try:
        async with Redis.from_url(url) as client:
            await client.ping()
    except RedisError as error:
        raise ConnectionError(str(error)) from error


async def ask_mail_server(url: str) -> None:
    """Hear the mail server's greeting. Raises ValueError when it is none."""
    parts = urlsplit(url)
    context = ssl.create_default_context() if parts.scheme == "smtps" else None
    host, port = parts.hostname or "localhost", parts.port or MAIL_PORTS[parts.scheme]
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        if not (await reader.readline()).startswith(b"220"):
            raise ValueError("no greeting")
        writer.write(b"QUIT\r\n")
        await writer.drain()
    finally:
        writer.close()
