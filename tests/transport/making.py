"""Random documents, and random trees for them in which much is not as it should be."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.transport.mixed import (
    Cat,
    Colour,
    Dog,
    Later,
    Lean,
    Other,
    Row,
    Stone,
)

RIGHT: dict[str, list[Any]] = {
    "text": ["", "a"],
    "number": [0, -1],
    "share": [0.5, 1],
    "is_it": [True, False],
    "identity": ["x", 7],
    "colour": list(Colour),
    "key": [UUID(int=1)],
    "maybe": [None, "a"],
    "when": [None, datetime(2026, 11, 25, tzinfo=UTC)],
    "maybe_colour": [None, *Colour],
    "words": [[], ["a", "b"]],
}
MISSING = object()
WRONG = [
    *[
        None,
        None,
        None,
        None,
        ValueError("wrong"),
        Later("a"),
        Later(ValueError("late")),
        Other.RED,
        Colour.RED,
        "red",
        "",
        True,
    ],
    *[1.5, float("nan"), 10**12, [], ["a", None], {"a": 1}, b"a", MISSING],
]
OBJECTS: dict[str, list[type[Any]]] = {
    "row": [Row],
    "maybe_row": [Row],
    "named": [Cat, Dog],
    "things": [Cat, Dog, Stone],
    "rows": [Row],
    "maybe_rows": [Row],
}
LISTS = {"rows", "maybe_rows", "named", "things"}
FIELDS = {
    "Row": [
        *["text", "number", "share", "isIt", "identity", "colour", "key", "maybe", "when", "maybeColour", "words"],
        *["later", "counted", "row", "maybeRow", "rows", "maybeRows", "named", "things"],
    ],
    "Named": ["text", "maybe"],
    "Cat": ["text", "maybe", "number"],
    "Dog": ["text", "maybe", "colour"],
    "Stone": ["share"],
    "Thing": [],
}
TYPE_OF = {"row": "Row", "maybeRow": "Row", "rows": "Row", "maybeRows": "Row", "named": "Named", "things": "Thing"}
NARROWER = {"Named": ["Cat", "Dog"], "Thing": ["Named", "Cat", "Dog", "Stone"]}


class Maker:
    """Makes a random document and a random tree for it, in which so large a share of the values is wrong."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wrong = self.random.choice([0, 0.01, 0.1])
        self.fragments: list[str] = []
        self.aliases = 0

    def tree(self, kind: type[Any], depth: int = 2) -> Any:
        names = [field.python_name for field in kind.__strawberry_definition__.fields if field.init]
        values = {name: self.value(name, depth) for name in names}
        made = kind(**values)
        for name in names:
            if values[name] is MISSING:
                delattr(made, name)
        return Lean(made) if kind is Row and self.random.random() < 0.3 else made

    def value(self, name: str, depth: int) -> Any:
        if self.random.random() < self.wrong:
            return self.random.choice(WRONG)
        if name in RIGHT:
            return self.random.choice(RIGHT[name])
        if name not in LISTS:
            return self.item(name, depth) if depth else None
        items = [self.item(name, depth) for _ in range(self.random.randint(0, 3) if depth else 0)]
        return tuple(items) if self.random.random() < 0.3 else items

    def item(self, name: str, depth: int) -> Any:
        if self.random.random() < 3 * self.wrong:
            wrong = [None, ValueError("wrong"), Later(None), Later(self.tree(Cat)), "a", Stone(share=1)]
            return wrong[self.random.randrange(len(wrong))]
        return self.tree(self.random.choice(OBJECTS[name]), depth - 1)

    def document(self) -> str:
        operation = f"query ($yes: Boolean!) {{ {self.typename()} @include(if: $yes) row {self.selection('Row', 3)} }}"
        return " ".join([operation, *self.fragments])

    def typename(self) -> str:
        return self.random.choice(["", self.alias()]) + "__typename"

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}: "

    def selection(self, kind: str, depth: int) -> str:
        if self.random.random() < 0.15:
            return "{ __typename }"
        parts = [self.part(kind, depth) for _ in range(self.random.randint(1, 5))]
        return "{ " + " ".join(parts) + " }"

    def part(self, kind: str, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.1 or (not FIELDS[kind] and (chance < 0.3 or not depth)):
            return self.typename()
        directive = self.random.choice(["", "", "", "", " @include(if: $yes)", " @skip(if: $yes)"])
        if (chance < 0.25 or not FIELDS[kind]) and depth:
            narrower = self.random.choice(NARROWER.get(kind, [kind]))
            inner = self.selection(narrower, depth - 1)
            if chance < 0.2:
                return f"... on {narrower}{directive} {inner}"
            self.fragments.append(f"fragment F{len(self.fragments)} on {narrower} {inner}")
            return f"...F{len(self.fragments) - 1}{directive}"
        name = self.random.choice([field for field in FIELDS[kind] if depth or field not in TYPE_OF])
        alias = self.alias() if self.random.random() < 0.3 else ""
        argument = "(times: 3)" if name == "counted" and alias else ""
        inner = self.selection(TYPE_OF[name], depth - 1) if name in TYPE_OF else ""
        return f"{alias}{name}{argument}{directive} {inner}"
