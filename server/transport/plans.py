"""What is found out about a document once and kept with it: which fields are asked of an object, and how they are read.

Where a field is one that Strawberry reads as an attribute, or by a function of the object alone, it is read here, and
the object below it likewise; at the first value that is not plainly right the field is left to graphql-core after all,
which reads it again and reports what is wrong. So nothing is decided here: data and errors are graphql-core's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet

from server.transport.leaves import DEFINITION, ODD, Step, reader

# What is planned takes some 600 bytes a field: no more fields than this for each character of the document.
FIELDS_PER_CHAR = 0.25
# Rows for which a function of their own is worth its 100 microseconds.
MANY = 300
# Where a type keeps the classes of its objects.
ORIGINS = "gatehouse-origins"

Row = dict[str, Any]


class Selection:
    """The fields asked of an object: those that are read here, and the rest."""

    def __init__(self, fields: GroupedFieldSet, steps: dict[str, Step]) -> None:
        self.steps = steps
        self.reads = [(name, steps[name].one) if name in steps else (name, None) for name in fields]
        self.is_plain = len(steps) == len(fields)
        self.size = sum(step.size for step in steps.values())
        self._together: Callable[[Sequence[Any]], list[Row]] | None = None
        self._made = 0

    def read(self, source: Any) -> Row:
        """The fields of one object in their order, ODD in place of those that are left to graphql-core."""
        row: Row = {}
        for name, read in self.reads:
            try:
                row[name] = ODD if read is None else read(source)
            except Exception:
                row[name] = ODD
        return row

    def plain(self, source: Any) -> Row | None:
        """The same, or None when one of them is left."""
        if not self.is_plain:
            return None
        row: Row = {}
        try:
            for name, read in self.reads:
                if (value := read(source)) is ODD:  # type: ignore[misc]
                    return None
                row[name] = value
        except Exception:
            return None
        return row

    def rows(self, sources: Sequence[Any]) -> list[Row] | None:
        """All fields of many objects, one column after another; None when one of them is left."""
        if not self.is_plain:
            return None
        try:
            columns = [step.column(sources) for step in self.steps.values()]
        except Exception:
            return None
        if None in columns:
            return None
        self._made += len(sources)
        if self._together is None and self._made >= MANY:
            self._together = _maker(list(self.steps))
        if self._together is not None:
            return self._together(columns)
        names = list(self.steps)
        return [dict(zip(names, row, strict=True)) for row in zip(*cast("list[list[Any]]", columns), strict=True)]


def _maker(names: Sequence[str]) -> Callable[[Sequence[Any]], list[Row]]:
    """What makes rows of columns: the display of a dict takes a third of the time of dict(zip(…)).

    Names of GraphQL are letters, digits and underscores.
    """
    values = [f"v{number}" for number in range(len(names))]
    row = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    made: Callable[[Sequence[Any]], list[Row]] = eval(  # noqa: S307
        f"lambda columns: [{{{row}}} for ({', '.join(values)},) in zip(*columns, strict=True)]"
    )
    return made


def below(definition: Any, kind: GraphQLObjectType, selection: Selection) -> Step | None:
    """How an object is read that another one has; None when it is not read here."""
    read, origins = reader(definition), origins_of(kind)
    if read is None or not origins or not selection.is_plain:
        return None
    may_be_null = kind is definition.type

    def one(source: Any) -> Any:
        value = read(source)
        if value is None:
            return None if may_be_null else ODD
        return ODD if type(value) not in origins else (ODD if (row := selection.plain(value)) is None else row)

    def column(sources: Sequence[Any]) -> list[Any] | None:
        values = list(map(read, sources))
        found = [value for value in values if value is not None]
        if {*map(type, found)} - origins or (not may_be_null and len(found) < len(values)):
            return None
        rows = selection.rows(found)
        if rows is None or len(found) == len(values):
            return rows
        left = iter(rows)
        return [None if value is None else next(left) for value in values]

    return Step(one, column, selection.size)


def origins_of(kind: GraphQLObjectType) -> frozenset[type]:
    """The classes whose objects are of the type: its own, and what it says may stand for it; none when that is not for
    the class alone to say.

    What stands for an object has all that is read as its attribute.
    """
    if ORIGINS not in kind.extensions:
        kind.extensions[ORIGINS] = frozenset() if kind.is_type_of else _origins(kind)
    found: frozenset[type] = kind.extensions[ORIGINS]
    return found


def _origins(kind: GraphQLObjectType) -> frozenset[type]:
    # Introspection's own types have no definition of Strawberry's.
    origin: type | None = getattr(kind.extensions.get(DEFINITION), "origin", None)
    if origin is None:
        return frozenset()
    found = frozenset({origin, getattr(origin, "stand_in", origin)})
    is_odd = any(issubclass(each, Exception) or hasattr(each, "__await__") for each in found)
    return frozenset() if is_odd else found


class Only(NamedTuple):
    """The one field that an operation asks for."""

    name: str
    parent: GraphQLObjectType
    details: FieldDetailsList


class Shape:
    """What one operation asks for, once it is known which of its fields are skipped."""

    def __init__(self) -> None:
        self.fields: GroupedFieldSet | None = None
        self.only: Only | None = None
        # As graphql-core keeps its own, by the list's identity: the list is kept along, so that no other gets its id.
        self.sub_fields: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self.selections: dict[tuple[str, int], tuple[GroupedFieldSet, Selection | None]] = {}

    def begin(self, root: GraphQLObjectType, fields: GroupedFieldSet, selection: Selection | None) -> None:
        """Keep what an operation asks for that is known by now."""
        self.fields, self.only = fields, only(root, fields)
        if self.only is None:
            self.selections[root.name, id(fields)] = fields, selection


def only(root: GraphQLObjectType, fields: GroupedFieldSet) -> Only | None:
    """The only field of an operation; introspection's are no coroutine's."""
    name, details = next(iter(fields.items()), ("", []))
    is_known = len(fields) == 1 and details[0].node.name.value in root.fields
    return Only(name, root, details) if is_known else None


class Blank:
    """What all documents of one schema are executed by: the executor of the first, without a document and a request."""

    executor: Any = None


class Plan:
    """The shapes of one document, which they must not outlive: they know its nodes by identity."""

    def __init__(self, document: DocumentNode, blank: Blank | None = None) -> None:
        self.document = document
        self.blank = blank or Blank()
        self.operation = _alone(document)
        self.room = FIELDS_PER_CHAR * document.loc.end if document.loc else 0
        self.shapes: dict[tuple[object, ...], Shape] = {}

    @cached_property
    def conditions(self) -> Sequence[str]:
        """The variables by which fields may be skipped."""
        text = self.document.loc.source.body if self.document.loc else "@$"
        if "@" not in text or "$" not in text:
            return ()
        found = _Conditions()
        visit(self.document, found)
        return sorted(found.names)

    def shape(self, operation: OperationDefinitionNode, values: dict[str, Any]) -> Shape:
        """The shape of an operation under these variables: a new one that is not kept where there is no more room."""
        given = [values.get(name, Undefined) for name in self.conditions]
        if self.room <= 0 or (given and not all(type(value) is bool or value is Undefined for value in given)):
            self.shapes = {}
            return Shape()
        key = (id(operation), *given)
        if key not in self.shapes:
            self.shapes[key] = Shape()
        return self.shapes[key]

    def keep(self, operation: OperationDefinitionNode, shape: Shape) -> None:
        """Keep the one shape of an operation of which nothing is skipped."""
        self.conditions = ()
        self.shapes[(id(operation),)] = shape
        self.room -= sum(len(fields) + 1 for fields, _ in shape.selections.values())


def _alone(document: DocumentNode) -> OperationDefinitionNode | None:
    """The operation that is all of the document, and says nothing about how it is executed."""
    first, *others = document.definitions
    return first if isinstance(first, OperationDefinitionNode) and not others and not first.directives else None


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
