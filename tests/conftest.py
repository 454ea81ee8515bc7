"""Fixtures for all tests."""

from tests.parts import administrator, database_url, mailbox, parts_folder, postgres, valkey
from tests.world import database, world

__all__ = ["administrator", "database", "database_url", "mailbox", "parts_folder", "postgres", "valkey", "world"]
