"""Facts: dataclasses that nobody changes, of which every request makes several.

Frozen by the type checker alone: to set a field past a dataclass's own freeze takes three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Fact = TypeVar("Fact")


@dataclass_transform(frozen_default=True)
def fact(kind: type[Fact]) -> type[Fact]:
    """The class as such a dataclass."""
    return dataclass(unsafe_hash=True)(kind)
