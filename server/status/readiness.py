"""Whether a part can do its work: each check by name, with what is wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

import db.away
import db.keys
import db.ledger
from db.pooler import LentConnection
from rules.sealed import KeyMissingError
from rules.sealing import KeyRing
from rules.totp import TOTP_PURPOSE
from server.status.kept import Kept
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
        self._database = Kept(self._look_at_database, DATABASE_KEPT_S)
        self._beside = Kept(self._look_beside, OTHERS_KEPT_S)

    async def report(self) -> Report:
        """How it is now, or was a moment ago."""
        checks = {"process": "ends" if life.is_ending() else OK}
        if self._needs_database:
            checks |= await self._database.get()
        return Report(checks, await self._beside.get())

    async def _look_at_database(self) -> dict[str, str]:
        """The checks of what lies in the database; without it there is nothing to check."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = await asyncpg.connect(
                    self._settings.database_url, statement_cache_size=0, connection_class=LentConnection
                )
                try:
                    checks = {"database": OK, "migrations": (await db.ledger.read(connection)).problem or OK}
                    if self._settings.secret_keys and checks["migrations"] == OK:
                        checks["keys"] = await key_problem(connection, KeyRing(self._settings.keys)) or OK
                    return checks
                finally:
                    connection.terminate()
        except Exception as error:
            if not db.away.is_of_way(error):
                raise
            return {"database": f"does not answer ({type(error).__name__})"}

    async def _look_beside(self) -> dict[str, str]:
        broker, mail = await asyncio.gather(
            word_of(self._settings.broker_url, ask_broker), word_of(self._settings.smtp_url, ask_mail_server)
        )
        return {"broker": broker, "mail": mail}


async def key_problem(connection: asyncpg.Connection[asyncpg.Record], ring: KeyRing) -> str | None:
    """Which keys are missing, or open nothing that was sealed under their id; None when all is well."""
    needed = [usage.key_id for usage in await db.keys.usage(connection)]
    wrong = [key_id for key_id in needed if key_id not in ring.keys]
    for user_id, sealed in await db.keys.samples(connection, [key_id for key_id in needed if key_id in ring.keys]):
        try:
            ring.open(sealed, TOTP_PURPOSE, user_id)
        except KeyMissingError:
            wrong.append(sealed.key_id)
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
