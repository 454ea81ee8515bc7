"""The parts that a process talks to: database, broker and mail server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import BaseSettings

from settings import checks
from settings.variables import EMBEDDED, told


class Parts(BaseSettings):
    """Where the parts are. Empty URLs mean: use the embedded part (`gatehouse up` only)."""

    database_url: Annotated[
        str, checks.one_of_schemes("postgresql", "postgres"), told("PostgreSQL 15 or later: `postgresql://…`", EMBEDDED)
    ] = ""
    database_direct_url: Annotated[
        str,
        checks.one_of_schemes("postgresql", "postgres"),
        told(
            "PostgreSQL itself, where `GATEHOUSE_DATABASE_URL` leads to PgBouncer: for LISTEN, migrations and "
            "operators' commands",
            "none: there is no pooler",
        ),
    ] = ""
    broker_url: Annotated[
        str, checks.one_of_schemes("redis", "rediss", "redis+socket"), told("Redis 7, Valkey: `redis://…`", EMBEDDED)
    ] = ""
    smtp_url: Annotated[
        str,
        checks.one_of_schemes("smtp", "smtps", "smtp+starttls"),
        AfterValidator(checks.with_host),
        told("`smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`", "a mailbox (`up`)"),
    ] = ""
    data_dir: Annotated[Path, told("the folder of what `up` brings")] = Path(".gatehouse")

    @property
    def direct_url(self) -> str:
        """The database without a pooler before it: for LISTEN, migrations and what operators do."""
        return self.database_direct_url or self.database_url

    @property
    def is_pooled(self) -> bool:
        """Whether the database's URL may lead to a pooler in transaction mode."""
        return bool(self.database_direct_url)
