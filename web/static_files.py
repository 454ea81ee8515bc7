"""The pages' modules and stylesheets: read once, kept compressed, and served under the hash of them all."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
PREFIX = "/assets"
TYPES = {".js": "text/javascript", ".css": "text/css"}
IMPORT = re.compile(r'^import .* from "\./(.+\.js)";$', re.MULTILINE)
NAMED = re.compile(r'"\./([\w.]+\.js)"')
COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)
FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files of web/static, and `made` ones beside them."""

    def __init__(self, made: Mapping[str, str]) -> None:
        self.made = made

    @property
    def route(self) -> Route:
        """The route of the files. Modules import each other by name, so that all stand in one folder."""
        return Route(f"{PREFIX}/{{version}}/{{name}}", self._serve)

    def url(self, name: str) -> str:
        """Where a file is, as it is now."""
        return f"{PREFIX}/{self.version}/{name}"

    @cached_property
    def version(self) -> str:
        """The hash of all files."""
        digest = sha256()
        for name in sorted(self.contents):
            digest.update(name.encode() + b"\0" + self.contents[name] + b"\0")
        return digest.hexdigest()[:16]

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """Every file by its name."""
        files = {path.name: path.read_text() for path in STATIC.iterdir() if path.suffix in TYPES}
        return {name: _without_comments(text).encode() for name, text in (files | dict(self.made)).items()}

    @cached_property
    def compressed(self) -> dict[str, bytes]:
        """Every file by its name, gzipped."""
        return {name: gzip.compress(content, mtime=0) for name, content in self.contents.items()}

    def needed_by(self, module: str) -> list[str]:
        """The modules that one imports, and those that they import, so that a browser may fetch all at once."""
        found = [module]
        for name in found:
            found += [other for other in IMPORT.findall(self.contents[name].decode()) if other not in found]
        return found[1:]

    def sources_of(self, module: str) -> list[str]:
        """A module and all that it may load, now or when somebody wants it."""
        found = [module]
        for name in found:
            others = NAMED.findall(self.contents[name].decode())
            found += [other for other in dict.fromkeys(others) if other not in found]
        return [self.contents[name].decode() for name in found]

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.contents:
            raise HTTPException(404)
        # Beside a newer or older process the hash is another one: the file is served, and asked for again.
        caching = FOR_EVER if request.path_params["version"] == self.version else "no-cache"
        headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
        content = self.contents[name]
        if takes_gzip(request):
            content = self.compressed[name]
            headers["Content-Encoding"] = "gzip"
        return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


def _without_comments(text: str) -> str:
    """A file without the comments that stand in lines of their own, a fifth of it; its lines keep their numbers."""
    return COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)


def takes_gzip(request: Request) -> bool:
    """Whether the browser can unpack what is gzipped."""
    return "gzip" in request.headers.get("accept-encoding", "")
