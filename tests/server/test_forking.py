"""Children that are forked: as if each had been started anew."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.local import forking
from tests import warm
from tests.parts import environment
from tests.server import forks
from tests.waiting import LIMIT_S


def test_a_child_has_the_environment_that_it_is_given_and_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    _, status = warm.apart(forks.end_of, ["settings"], environment(of_the_child=1), log)
    assert status == 0
    assert "GATEHOUSE_OF_THE_CHILD is no setting" in log.read_text()
    assert "GATEHOUSE_OF_THE_PARENT" not in log.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--version"], 0, "version"),
        (["serve"], 1, "Error: GATEHOUSE_DATABASE_URL is not set"),
        (["no-such-command"], 2, "No such command 'no-such-command'."),
    ],
)
def test_a_child_ends_with_its_commands_status_and_never_goes_back_to_what_its_parent_does(
    tmp_path: Path, arguments: list[str], status: int, says: str
) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    pid, found = warm.apart(forks.end_of, arguments, environment(), log)
    assert found == status
    assert log.read_text().startswith("before\n")
    assert says in log.read_text()
    assert "came back" in log.read_text()
    assert f"{pid} came back" not in log.read_text()


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGHUP, -signal.SIGHUP), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)]
)
def test_a_child_has_none_of_its_parents_signal_handlers(tmp_path: Path, sent: signal.Signals, status: int) -> None:
    assert warm.apart(forks.ends_by, sent, environment(), tmp_path) == (True, status)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_thread_that_has_ended_makes_no_child_start_anew(tmp_path: Path) -> None:
    assert all(warm.apart(forks.are_forked_after_threads, environment(), tmp_path / "log"))


def test_beside_another_thread_a_child_is_started_anew(tmp_path: Path) -> None:
    end = threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        child = forking.start(["--version"], environment(), log=tmp_path / "log")
        assert isinstance(child, subprocess.Popen)
        assert isinstance(child.args, list)
        assert child.args[0] == sys.executable
        assert child.wait(LIMIT_S) == 0
    finally:
        end.set()
        other.join()
    assert "version" in (tmp_path / "log").read_text()
