"""The parts that a process talks to: database, broker and mail server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from settings import checks
from settings.texts import text
from settings.variables import EMBEDDED, told

POSTGRES = text(checks.one_of_schemes("postgresql", "postgres"))


@dataclass(frozen=True, kw_only=True, repr=False)
class Parts:
    """Where the parts are. Empty URLs mean: use the embedded part (`gatehouse up` only)."""

    database_url: str = told("PostgreSQL 15 or later: `postgresql://…`", "", POSTGRES, unset=EMBEDDED)
    database_direct_url: str = told(
        "PostgreSQL itself, where `GATEHOUSE_DATABASE_URL` leads to PgBouncer: for LISTEN, migrations and "
        "operators' commands",
        "",
        POSTGRES,
        unset="none: there is no pooler",
    )
    broker_url: str = told(
        "Redis 7, Valkey: `redis://…`",
        "",
        text(checks.one_of_schemes("redis", "rediss", "redis+socket")),
        unset=EMBEDDED,
    )
    smtp_url: str = told(
        "`smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`",
        "",
        text(checks.one_of_schemes("smtp", "smtps", "smtp+starttls"), checks.with_host),
        unset="a mailbox (`up`)",
    )
    data_dir: Path = told("the folder of what `up` brings", Path(".gatehouse"), Path)

    @property
    def direct_url(self) -> str:
        """The database without a pooler before it: for LISTEN, migrations and what operators do."""
        return self.database_direct_url or self.database_url

    @property
    def is_pooled(self) -> bool:
        """Whether the database's URL may lead to a pooler in transaction mode."""
        return bool(self.database_direct_url)
