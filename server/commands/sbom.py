"""What is installed here, as a software bill of materials: CycloneDX, read off the packages' own metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import click
from packaging.requirements import Requirement

ROOT = "gatehouse"
EXTRAS = ("", "otel")
# What packages from before license expressions say, in words of their own.
SPELLED_OUT = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "New BSD": "BSD-3-Clause",
}
BSD = "BSD License"  # which of them is not told


@click.command()
def sbom() -> None:
    """Print a software bill of materials (CycloneDX, JSON): what Gatehouse needs, as it is installed here."""
    click.echo(json.dumps(bill(), indent=2))


def bill() -> dict[str, Any]:
    """The bill: the same for the same installation."""
    packages = installed()
    itself = {"type": "application", "bom-ref": _purl(ROOT), "name": ROOT, "version": metadata.version(ROOT)}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": itself},
        "components": [
            {
                "type": "library",
                "bom-ref": _purl(name),
                "name": name,
                "version": metadata.version(name),
                "purl": _purl(name),
                "licenses": [_shown(license_of(name))],
            }
            for name in sorted(packages)
            if name != ROOT
        ],
        "dependencies": [
            {"ref": _purl(name), "dependsOn": sorted(map(_purl, needs))} for name, needs in sorted(packages.items())
        ],
    }


def installed() -> dict[str, set[str]]:
    """Gatehouse and all that it needs, directly or not, as far as it is installed; each with what it needs itself."""
    found: dict[str, set[str]] = {}
    waiting = [(ROOT, extra) for extra in EXTRAS]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        needs = found.setdefault(name, set())
        for need in _needs(name, extra):
            needed = _normalized(need.name)
            needs.add(needed)
            for wanted in {(needed, ""), *((needed, each) for each in need.extras)} - seen:
                seen.add(wanted)
                waiting.append(wanted)
    return found


def license_of(name: str) -> str:
    """The license of an installed package, an SPDX expression where the package tells so much."""
    told = metadata.metadata(name)
    if "License-Expression" in told:
        return told["License-Expression"]
    kinds = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier", []) if each.startswith("License ::")]
    if len(kinds) > 1 and BSD not in kinds:
        kinds = [kind for kind in kinds if kind != "OSI Approved"]
        return " OR ".join(sorted(SPELLED_OUT.get(kind, kind) for kind in kinds))
    given = told["License"].strip().partition("\n")[0] if "License" in told else ""
    by_name = SPELLED_OUT.get(given, given)
    if by_name and " " not in by_name and by_name != "BSD":
        return by_name
    return " OR ".join(sorted(SPELLED_OUT.get(kind, kind) for kind in kinds)) or by_name or "unknown"


def _shown(license: str) -> dict[str, Any]:  # noqa: A002
    if " OR " in license or " AND " in license:
        return {"expression": license} if BSD not in license else {"license": {"name": license}}
    return {"license": {"name" if " " in license else "id": license}}


def _needs(name: str, extra: str) -> Iterator[Requirement]:
    for text in metadata.requires(name) or ():
        need = Requirement(text)
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        if _is_installed(need.name):
            yield need


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _purl(name: str) -> str:
    return f"pkg:pypi/{name}@{metadata.version(name)}"
