"""Importing authenticators: the keys that seal them are read once."""

from __future__ import annotations

from io import BytesIO

import pyotp

import resolvers.operators.importing
from db.pool import Database
from resolvers.operators.importing import Wishes
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.client import SECRET_KEYS
from tests.people import World
from tests.reminders.cast import pool

__all__ = ["pool"]


async def test_the_keys_are_asked_for_once_however_many_authenticators_come_along(world: World, pool: Database) -> None:
    asked = []

    def ring() -> KeyRing:
        asked.append(1)
        return KeyRing(parse_secret_keys(SECRET_KEYS))

    for count, secret in ((3, pyotp.random_base32()), (2, "")):
        rows = "".join(f"s{count}{n}@agency.example,member,{secret}\n" for n in range(count))
        source = BytesIO(f"email,role,totp_secret\n{rows}".encode())
        await resolvers.operators.importing.import_staff(
            pool, ring, world.account_id, source, Wishes(False, False), lambda lines: None
        )
        assert len(asked) == 1  # and not at all where none comes along
