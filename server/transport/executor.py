"""Execution by a plan that is kept with the document: see server.transport.plans.

graphql-core takes some 3 microseconds and a dozen calls for each field, whatever it is, and collects the fields of each
object anew in each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from inspect import isawaitable
from typing import Any, ClassVar, cast

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_nullable_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from server.transport.plans import ODD, Plan, Row, Selection, Shape, Step, below, leaf, origin_of


class PlainExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor that reads plain attributes itself."""

    most_in_one_turn: ClassVar[int] = 100  # objects, some 10 microseconds each

    def __init__(self, *args: Any, plan: Plan | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plan = plan
        self._shape = plan.shape(self.operation, self.variable_values.coerced) if plan else Shape()
        self._relevant_sub_fields = self._shape.sub_fields
        self._is_bare = not (self.middleware_manager and self.middleware_manager.middlewares)

    def execute_root_grouped_field_set(
        self, root_type: GraphQLObjectType, root_value: Any, grouped_field_set: GroupedFieldSet, *rest: Any
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Go on with the fields as they were collected for the first time, by whose identity all else is kept."""
        fields = self._shape.fields = self._shape.fields or grouped_field_set
        return super().execute_root_grouped_field_set(root_type, root_value, fields, *rest)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Read an object here, and by graphql-core what is left of it."""
        selection = self._selection_of(parent_type, grouped_field_set)
        if selection is None:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        row = selection.read(source_value)
        left = {name: grouped_field_set[name] for name, value in row.items() if value is ODD}
        if not left:
            return row
        found = super().execute_fields(parent_type, source_value, path, left, position_context)
        return _awaited(row, found) if self.is_awaitable(found) else _merged(row, cast("Row", found))

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Read the objects of a list here, or else as graphql-core does."""
        if isinstance(items, list) and self.get_stream_usage(field_details_list, path) is None:
            selection = self._selection_of_items(item_type, field_details_list, items)
            if selection and len(items) > self.most_in_one_turn:
                plain = partial(super().complete_iterable_value, item_type, field_details_list, info, path, items)
                return _read_in_turns(selection, items, self.most_in_one_turn, partial(plain, position_context))
            found = selection.rows(items) if selection else None
            if found is not None:
                return found
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _selection_of_items(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, items: list[Any]
    ) -> Selection | None:
        """What is asked of each item; None unless all are objects of the one type that they can have, and plain."""
        object_type = get_nullable_type(item_type)
        if not isinstance(object_type, GraphQLObjectType) or {*map(type, items)} != {origin_of(object_type)}:
            return None
        found = self._selection_below(object_type, details)
        return found if found and found.is_plain else None

    def _selection_below(self, kind: GraphQLObjectType, details: FieldDetailsList) -> Selection | None:
        fields, deferred, _ = self.collect_subfields(kind, details)
        return None if deferred else self._selection_of(kind, fields)

    def _selection_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Selection | None:
        """How the fields are read; None when that is graphql-core's alone."""
        key = (parent_type.name, id(fields))
        if key not in self._shape.selections:
            found = self._planned(parent_type, fields) if self._is_bare else None
            self._shape.selections[key] = fields, found
            if self._plan:
                self._plan.room -= len(fields) + 1
        return self._shape.selections[key][1]

    def _planned(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Selection | None:
        planned = {name: self._step(parent_type, details) for name, details in fields.items()}
        steps = {name: step for name, step in planned.items() if step}
        return Selection(fields, steps) if steps else None

    def _step(self, parent_type: GraphQLObjectType, details: FieldDetailsList) -> Step | None:
        definition = self.schema.get_field(parent_type, details[0].node.name.value)
        if definition is None:
            return None
        kind = get_nullable_type(definition.type)
        if not isinstance(kind, GraphQLObjectType):
            return leaf(parent_type, definition)
        try:
            selection = self._selection_below(kind, details)
        except Exception:  # it is graphql-core's to report, if it comes to that
            return None
        return below(definition, kind, selection) if selection else None


def _merged(row: Row, found: Row) -> Row:
    row.update(found)
    return row


async def _awaited(row: Row, found: Awaitable[Row]) -> Row:
    return _merged(row, await found)


async def _read_in_turns(
    selection: Selection, items: list[Any], most: int, plain: Callable[[], AwaitableOrValue[list[Any]]]
) -> list[Any]:
    """Each object's fields, with everybody else's turn between; or else as graphql-core reads the whole list."""
    found: list[Any] = []
    for start in range(0, len(items), most):
        part = selection.rows(items[start : start + most])
        if part is None:
            result = plain()
            return await result if isawaitable(result) else result
        found += part
        await asyncio.sleep(0)
    return found
