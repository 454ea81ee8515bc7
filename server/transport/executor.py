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
    DocumentNode,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import CollectedErrors
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import AwaitableOrValue, Path
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from server.transport.documents import MAX_ERRORS
from server.transport.leaves import ODD, Step, leaf
from server.transport.plans import Only, Plan, Row, Selection, Shape, below, only, origins_of


class PlainExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor that reads plain attributes itself."""

    most_in_one_turn: ClassVar[int] = 3_000  # leaves of a list's objects, some 0.2 microseconds each

    def __init__(self, *args: Any, plan: Plan | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._follow(plan)
        self._is_bare = not (self.middleware_manager and self.middleware_manager.middlewares)

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        *args: Any,
        plan: Plan | None = None,
        **given: Any,
    ) -> Any:
        """An executor for one request: where the document is one operation, a copy of one that has none."""
        operation = plan.operation if plan and root_value is None else None
        if plan and operation and plan.blank.executor:
            most_errors = given.get("max_coercion_errors", MAX_ERRORS)
            return plan.blank.executor.carrying_out(
                operation, plan, context_value, raw_variable_values or {}, most_errors
            )
        made = super().build(
            schema, document, root_value, context_value, raw_variable_values, *args, plan=plan, **given
        )
        if plan and operation and isinstance(made, PlainExecutor):
            nothing = VariableValues({}, {})
            plan.blank.executor = blank = made._copy(operation=None, context_value=None, variable_values=nothing)
            blank._follow(None)
            # The helpers know the executor that they are of, and it the request.
            blank.async_helpers = GraphQLResolveInfoHelpers(blank.gather_async_work, blank.track_async_work)
        return made

    def carrying_out(
        self, operation: OperationDefinitionNode, plan: Plan, context: Any, given: dict[str, Any], most_errors: int
    ) -> PlainExecutor | list[GraphQLError]:
        """Another for this operation under these variables, or what is wrong with them."""
        values: VariableValues | list[GraphQLError] = VariableValues({}, {})
        if operation.variable_definitions:
            values = get_variable_values(self.schema, operation.variable_definitions, given, max_errors=most_errors)
        if isinstance(values, list):
            return values
        shape = plan.shape(operation, values.coerced)
        return self._copy(
            operation=operation,
            context_value=context,
            variable_values=values,
            _plan=plan,
            _shape=shape,
            _relevant_sub_fields=shape.sub_fields,
        )

    def _copy(self, **own: Any) -> PlainExecutor:
        """As graphql-core makes one for each event of a subscription, and with these of its own."""
        made = object.__new__(type(self))
        # Filling a new object's own dict, one name after another, would take five times as long.
        made.__dict__ = {
            **vars(self),
            **own,
            "collected_errors": CollectedErrors(),
            "pending_incremental_futures": set(),
            "background_futures": set(),
        }
        return made

    def _follow(self, plan: Plan | None) -> None:
        self._plan = plan
        self._shape = plan.shape(self.operation, self.variable_values.coerced) if plan else Shape()
        self._relevant_sub_fields = self._shape.sub_fields

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:
        """Ask the only field of an operation at once; collect the fields of others, or for the first time."""
        asked = self._shape.only
        return super().execute_operation(serially) if asked is None else self._ask(asked)

    async def _ask(self, asked: Only) -> Any:
        path = Path(None, asked.name, asked.parent.name)
        try:
            value = self.execute_field(asked.parent, self.root_value, asked.details, path, None)
            return self.build_response({asked.name: await value if self.is_awaitable(value) else value})
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self.build_response(None)

    def execute_root_grouped_field_set(
        self, root_type: GraphQLObjectType, root_value: Any, grouped_field_set: GroupedFieldSet, *rest: Any
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Go on with the fields as they were collected for the first time, by whose identity all else is kept."""
        if self._shape.fields is None:
            self._shape.fields = grouped_field_set
            self._shape.only = only(root_type, grouped_field_set) if rest[-1] is None else None
        return super().execute_root_grouped_field_set(root_type, root_value, self._shape.fields, *rest)

    async def complete_awaitable_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Read an object here that was waited for, or else as graphql-core does."""
        try:
            found = await result
            kind = get_nullable_type(return_type)
            if isinstance(kind, GraphQLObjectType) and type(found) in origins_of(kind):
                selection = self._selection_below(kind, field_details_list)
                if selection and (row := selection.plain(found)) is not None:
                    return row
            completed = self.complete_value(return_type, field_details_list, info, path, found, position_context)
            return await completed if self.is_awaitable(completed) else completed
        except Exception as error:
            self.handle_field_error(error, return_type, field_details_list, path)
            return None

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
            if selection and len(items) > (most := max(1, self.most_in_one_turn // selection.size)):
                plain = partial(super().complete_iterable_value, item_type, field_details_list, info, path, items)
                return _read_in_turns(selection, items, most, partial(plain, position_context))
            found = selection.rows(items) if selection else None
            if found is not None:
                return found
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _selection_of_items(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, items: list[Any]
    ) -> Selection | None:
        """What is asked of each item; None unless all are objects of the one type that they can have, and plain."""
        object_type = get_nullable_type(item_type)
        if not isinstance(object_type, GraphQLObjectType) or not items:
            return None
        if not origins_of(object_type).issuperset(map(type, items)):
            return None
        found = self._selection_below(object_type, details)
        return found if found and found.is_plain else None

    def _selection_below(self, kind: GraphQLObjectType, details: FieldDetailsList) -> Selection | None:
        fields, deferred, _ = self.collect_subfields(kind, details)
        return None if deferred else self._selection_of(kind, fields)

    def _selection_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Selection | None:
        """How the fields are read; None when that is graphql-core's alone."""
        if not self._is_bare:
            return None
        key = (parent_type.name, id(fields))
        if key not in self._shape.selections:
            self._shape.selections[key] = fields, self._planned(parent_type, fields)
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
            # A list may be one to stream.
            is_streamed = isinstance(kind, GraphQLList) and any(each.node.directives for each in details)
            return None if is_streamed else leaf(parent_type, definition)
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
        if start:
            await asyncio.sleep(0)
        part = selection.rows(items[start : start + most])
        if part is None:
            result = plain()
            return await result if isawaitable(result) else result
        found += part
    return found
