"""The pages in a second browser: Debian's Firefox."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.people import PASSWORD, World, email
from tests.transport.node import installed

SCRIPTS = Path(__file__).parent / "firefox"


@pytest.mark.long
async def test_a_person_sets_mfa_up_and_signs_in_with_a_code(world: World, tmp_path: Path) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    assert firefox, "This test drives Firefox: install it (Debian: apt-get install firefox-esr)."
    node = await installed(tmp_path / "firefox", SCRIPTS)
    seen = await node.run("journey.js", world.base_url, email("mia"), PASSWORD, firefox)
    assert seen["complaints"] == []
    assert seen["browser"].startswith("firefox/")
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 1
