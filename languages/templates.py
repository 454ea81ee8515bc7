"""The templates of pages and emails: compiled once, whichever language they are filled in with."""

from __future__ import annotations

from functools import cache
from types import CodeType

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket

import languages


class _Compiled(BytecodeCache):
    """What the templates of one package were compiled to, in this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Called before a template is compiled."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Called once it was."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_compiled = cache(lambda _package: _Compiled())


def environment(package: str, domain: str, language: str) -> Environment:
    """The templates of a package, whose texts are those of a domain in the language."""
    made = Environment(
        loader=PackageLoader(package),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_compiled(package),
    )
    made.install_gettext_translations(languages.texts(language, domain), newstyle=True)  # type: ignore[attr-defined]
    return made
