"""Evidence for an auditor: a bundle that shows each change made to it, to the command and to plain Python."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from server import evidence_verifier
from tests import warm
from tests.client import SECRET_KEYS
from tests.commands import command
from tests.parts import environment
from tests.people import World, email
from tests.waiting import until

Change = Callable[[dict[str, bytes]], None]


def gatehouse(*arguments: str, database_url: str = "") -> subprocess.CompletedProcess[str]:
    """Run an operator's command to its end."""
    return command(*arguments, database_url=database_url, secret_keys=SECRET_KEYS)


async def exported(world: World, database_url: str, path: Path) -> Path:
    """A bundle of the agency's last hour, in which somebody enrolled."""
    await world.enroll(await world.sign_in("mia"))
    await world.database.execute("UPDATE users SET email = '=cmd@agency.example' WHERE email = 'adam@agency.example'")
    now = datetime.now(UTC)
    window = ["--from", (now - timedelta(hours=1)).isoformat(), "--to", datetime.now(UTC).isoformat()]
    arguments = ["evidence", "export", "--account", str(world.account_id), *window, "--out", str(path)]
    done = gatehouse(*arguments, database_url=database_url)
    assert done.returncode == 0, done.stderr
    return path


def rewritten(bundle: Path, change: Change) -> Path:
    """A copy of the bundle with something else in it."""
    with ZipFile(bundle) as files:
        contents = {name: files.read(name) for name in files.namelist()}
    change(contents)
    path = bundle.with_name("changed.zip")
    with ZipFile(path, "w") as files:
        for name, content in contents.items():
            files.writestr(name, content)
    return path


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    """A change of the events' lines that mends the file's own hash, as a forger would."""

    def changed(contents: dict[str, bytes]) -> None:
        contents["events.jsonl"] = b"".join(change(contents["events.jsonl"].splitlines(keepends=True)))

    return changed


def with_cell(contents: dict[str, bytes]) -> None:
    contents["staff.csv"] = contents["staff.csv"].replace(b"MEMBER", b"OWNER")


def with_another_count(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    contents["manifest.json"] = json.dumps({**manifest, "events": 1}).encode()


FORGERIES: dict[str, Change] = {
    "a changed row": lines(lambda rows: [rows[0].replace(b"mia", b"sue"), *rows[1:]]),
    "a cut row": lines(lambda rows: rows[1:]),
    "a cut end": lines(lambda rows: rows[:-1]),
    "moved rows": lines(lambda rows: [*rows[1:], rows[0]]),
    "a doubled row": lines(lambda rows: [rows[0], *rows]),
    "a changed cell": with_cell,
    "a changed manifest": with_another_count,
    "a file more": lambda contents: contents.update({"more.csv": b"a"}),
}


async def test_a_bundle_is_whole_as_exported_and_each_forgery_is_found(
    world: World, database_url: str, tmp_path: Path
) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    key = gatehouse("evidence", "key").stdout.split()[1]
    assert evidence_verifier.problems_of(str(bundle), key) == []
    for name, change in FORGERIES.items():
        assert evidence_verifier.problems_of(str(rewritten(bundle, change)), key), name
    assert evidence_verifier.problems_of(str(bundle), "00" * 32) == ["manifest.json is not signed by this key."]


def with_rows(rows: list[bytes]) -> Change:
    """These lines of events in place of those that were exported."""
    return lambda contents: contents.update({"events.jsonl": b"".join(rows)})


async def test_every_row_that_is_changed_cut_doubled_or_moved_is_found(
    world: World, database_url: str, tmp_path: Path
) -> None:
    for name in ("olive", "adam"):
        await world.enrolled(name)
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    with ZipFile(bundle) as files:
        rows = files.read("events.jsonl").splitlines(keepends=True)
    assert len(rows) > 4
    for place, row in enumerate(rows):
        before, behind = rows[:place], rows[place + 1 :]
        others = before + behind
        moved = [[*others[:to], row, *others[to:]] for to in range(len(rows)) if to != place]
        changed = [*before, row.replace(b'"summary":"', b'"summary":"Not '), *behind]
        for forged in (others, [*before, row, row, *behind], changed, *moved):
            assert evidence_verifier.problems_of(str(rewritten(bundle, with_rows(forged)))), place


@pytest.mark.filterwarnings("ignore:Duplicate name")
async def test_a_file_that_stands_in_the_bundle_twice_is_found(world: World, database_url: str, tmp_path: Path) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    with ZipFile(bundle) as files:
        staff = files.read("staff.csv")
    for forged in (b"forged", staff):
        doubled = tmp_path / "doubled.zip"
        with ZipFile(doubled, "w") as files, ZipFile(bundle) as whole:
            files.writestr("staff.csv", forged)
            for name in whole.namelist():
                files.writestr(name, whole.read(name))
        assert evidence_verifier.problems_of(str(doubled)) == ["staff.csv is there more than once."]


async def test_an_auditor_verifies_it_by_one_short_file_of_plain_python(
    world: World, database_url: str, tmp_path: Path
) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    alone = tmp_path / "verifier.py"
    alone.write_text(gatehouse("evidence", "verifier").stdout)
    assert len(alone.read_text().splitlines()) < 100
    python = [shutil.which("python3") or sys.executable, "-I", "-S", str(alone)]
    key = gatehouse("evidence", "key").stdout.split()[1]
    whole = subprocess.run([*python, str(bundle), key], capture_output=True, text=True, check=False)
    assert (whole.returncode, whole.stdout) == (0, "The bundle is whole and signed.\n"), whole.stderr
    forged = rewritten(bundle, FORGERIES["a cut row"])
    found = subprocess.run([*python, str(forged), key], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "line 1" in found.stderr


async def test_it_holds_what_happened_and_nothing_that_a_spreadsheet_runs(
    world: World, database_url: str, tmp_path: Path
) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    with ZipFile(bundle) as files:
        events = [json.loads(line) for line in files.read("events.jsonl").splitlines()]
        staff = list(csv.DictReader(io.StringIO(files.read("staff.csv").decode())))
        counts = list(csv.DictReader(io.StringIO(files.read("compliance.csv").decode())))
    assert "MFA_ENABLED" in [event["type"] for event in events]
    assert [row["email"] for row in staff] == ["'=cmd@agency.example", "mia@agency.example", "olive@agency.example"]
    assert (counts[-1]["staff_count"], counts[-1]["enrolled_count"]) == ("3", "1")


async def test_no_cell_begins_a_formula_wherever_a_spreadsheet_splits_the_lines(
    world: World, database_url: str, tmp_path: Path
) -> None:
    texts = [" =1", "\u200b=1", "\uff1d1", "|calc", "%1", "\n=1", "holiday;=1+1|x"]
    await world.database.execute(
        "INSERT INTO mfa_exceptions (account_id, user_id, kind, reason, until, ended_at) "
        "SELECT $1, id, 'EXTENDED', unnest($2::text[]), now() + interval '1 day', now() FROM users WHERE email = $3",
        world.account_id,
        texts,
        email("olive"),
    )
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    with ZipFile(bundle) as files:
        written = {name: files.read(name).decode() for name in files.namelist() if name.endswith(".csv")}
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(written["exceptions.csv"], newline=""))]
    assert sorted(reasons) == sorted([*(f"'{text}" for text in texts[:-1]), texts[-1]])
    for line in "".join(written.values()).split("\r\n")[:-1]:
        assert line.startswith('"')
        assert line.endswith('"')
        assert "," not in line.replace('","', "")


async def test_it_has_room_for_more_events_than_2_gib_and_is_verified_in_pieces(
    world: World, database_url: str, tmp_path: Path
) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    with ZipFile(bundle) as files:
        # What may be larger is of version 4.5 of the format.
        assert files.getinfo("events.jsonl").extract_version == 45
    large = rewritten(bundle, lambda contents: contents.update({"staff.csv": (b"x" * 65_535 + b"\n") * 1000}))
    tracemalloc.start()
    assert evidence_verifier.problems_of(str(large)) == ["staff.csv is not the file that was exported."]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


async def test_wrong_windows_and_files_are_refused_in_one_sentence(
    world: World, database_url: str, tmp_path: Path
) -> None:
    there = tmp_path / "there.zip"
    there.write_text("kept")
    account = str(world.account_id)

    def export(account: str, begin: str, end: str, path: Path) -> str:
        arguments = ["--account", account, "--from", begin, "--to", end, "--out", str(path)]
        done = gatehouse("evidence", "export", *arguments, database_url=database_url)
        assert done.returncode != 0
        return done.stderr

    new = tmp_path / "new.zip"
    assert "must end after it begins" in export(account, "2026-01-02", "2026-01-01", new)
    assert "must end in the past" in export(account, "2026-01-02", "2999-01-01", new)
    assert "There is no account" in export(str(await world.user_id("mia")), "2026-01-01", "2026-01-02", new)
    assert "is no instant" in export(account, "yesterday", "2026-01-02", new)
    assert "is there already" in export(account, "2026-01-01", "2026-01-02", there)
    assert (there.read_text(), new.exists()) == ("kept", False)


async def test_of_two_exports_to_one_file_one_is_refused_and_the_other_kept(
    world: World, database_url: str, tmp_path: Path
) -> None:
    path, at = tmp_path / "one.zip", datetime.now(UTC)
    window = ["--from", (at - timedelta(hours=1)).isoformat(), "--to", at.isoformat(), "--out", str(path)]
    arguments = ["evidence", "export", "--account", str(world.account_id), *window]
    settings = environment(database_url=database_url, secret_keys=SECRET_KEYS)
    both = [warm.start(arguments, settings, stdout=tmp_path / f"log{number}") for number in range(2)]
    await until(lambda: all(each.poll() is not None for each in both), "both have ended")
    assert sorted(each.poll() or 0 for each in both) == [0, 2]
    assert "is there already" in "".join((tmp_path / f"log{number}").read_text() for number in range(2))
    assert evidence_verifier.problems_of(str(path)) == []


async def test_one_to_standard_output_is_whole_also_through_a_pipe(
    world: World, database_url: str, tmp_path: Path
) -> None:
    at = datetime.now(UTC)
    window = ["--from", (at - timedelta(hours=1)).isoformat(), "--to", at.isoformat(), "--out", "-"]
    arguments = [sys.executable, "-m", "server.commands.main", "evidence", "export", "--account", str(world.account_id)]
    settings = environment(database_url=database_url, secret_keys=SECRET_KEYS)
    done = subprocess.run([*arguments, *window], env=settings, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"event(s) written to standard output, signed under key test." in done.stderr
    bundle = tmp_path / "piped.zip"
    bundle.write_bytes(done.stdout)
    assert evidence_verifier.problems_of(str(bundle)) == []
    refused = subprocess.run(
        [*arguments, *window[:2], "--to", "2999-01-01", *window[4:]], env=settings, capture_output=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert not Path("-").exists()


async def test_a_key_that_nobody_has_vouched_for_is_named(world: World, database_url: str, tmp_path: Path) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    key_id, key = gatehouse("evidence", "key").stdout.split()
    ours = gatehouse("evidence", "verify", str(bundle)).stdout
    assert ours == f"The bundle is whole and signed, by the key {key_id} of this key ring.\n"
    theirs = command("evidence", "verify", str(bundle), secret_keys="test:" + "b" * 43 + "=").stdout
    brings = f"The bundle is whole and signed by the key that it brings, {key}: compare it"
    assert theirs.startswith(brings)
    given = gatehouse("evidence", "verify", str(bundle), "--public-key", key)
    assert given.stdout == "The bundle is whole and signed.\n"
    alone = [sys.executable, "-I", evidence_verifier.__file__, str(bundle)]
    assert subprocess.run(alone, capture_output=True, text=True, check=False).stdout.startswith(brings)


async def test_a_key_is_taken_as_it_was_printed_and_one_that_is_none_says_nothing_of_the_bundle(
    world: World, database_url: str, tmp_path: Path
) -> None:
    bundle = await exported(world, database_url, tmp_path / "evidence.zip")
    printed = gatehouse("evidence", "key").stdout
    alone = [sys.executable, "-I", evidence_verifier.__file__, str(bundle)]
    whole = "The bundle is whole and signed.\n"
    assert gatehouse("evidence", "verify", str(bundle), "--public-key", printed).stdout == whole
    for words in ([printed], printed.split()):
        found = subprocess.run([*alone, *words], capture_output=True, text=True, check=False)
        assert (found.returncode, found.stdout) == (0, whole)
    wrong = "A public key is 64 hexadecimal digits"
    for key in ("", "00" * 31, printed.strip() + "0", "no key"):
        refused = gatehouse("evidence", "verify", str(bundle), "--public-key", key)
        assert refused.returncode == 2
        # Where the line ends is click's.
        assert wrong in " ".join(refused.stderr.split())
        assert "is no bundle" not in refused.stderr
        found = subprocess.run([*alone, key], capture_output=True, text=True, check=False)
        assert found.returncode == 1
        assert found.stderr.startswith(wrong)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.zip"
    path.write_bytes(content)
    done = gatehouse("evidence", "verify", str(path))
    assert done.returncode == 1
    assert "is no bundle of evidence" in done.stderr
