"""The schema as the transport runs it: documents prepared once, errors fit to be sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    is_input_object_type,
    subscribe,
)
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.types.execution import PreExecutionError

from rules.languages import ENGLISH
from server.transport.admission import Admission, Caller, bounds_of
from server.transport.aside import Aside
from server.transport.documents import MAX_ERRORS, Prepared, documents_for
from server.transport.errors import mask
from server.transport.executor import PlainExecutor
from server.transport.graphql_request import Params
from server.transport.introspection import only_introspects
from server.transport.leaves import DEFINITION
from settings import Settings
from telemetry import requests

MOST_INTROSPECTIONS = 8


class GatehouseSchema(strawberry.Schema):
    """A schema whose documents are as strict as the settings want them, prepared once for every transport.

    `known` are documents by whose names operations are counted; `own` ones are trusted as well, those of our pages.
    Raises SettingsError for a manifest of trusted documents that cannot be read.
    """

    def __init__(
        self, *args: Any, settings: Settings, known: Iterable[str] = (), own: Iterable[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"execution_context_class": PlainExecutor, **kwargs})
        self.documents = documents_for(self._schema, settings, known, own)
        # Strawberry's own resolver raises for a list or a non-null type, and takes other types for such inputs.
        self._schema.type_map["__Type"].fields["isOneOf"].resolve = _is_one_of  # type: ignore[attr-defined]
        # As the printed schema has them, so that reading and printing it anew gives the same text.
        self._schema.type_map = dict(sorted(self._schema.type_map.items()))
        self._introspected: OrderedDict[tuple[str, str | None], ExecutionResult] = OrderedDict()
        self._introspecting = Aside("introspection")

    async def prepare(self, text: str, context: Caller, admission: Admission) -> tuple[str | None, Prepared]:
        """Who asks, if they have a session, and the document as far as they may have it. Raises a Refusal."""
        person = await admission.person(context)
        return person, await self.documents.prepared(text, bounds_of(person))

    async def run(
        self, prepared: Prepared, operation: OperationDefinitionNode, params: Params, context: Any
    ) -> ExecutionResult:
        """Execute a query or mutation that has been prepared without errors; the result is fit to be sent."""
        assert prepared.document
        requests.chosen(self.documents.names.of(operation), operation.operation.value)
        if only_introspects(operation):
            result = await self._introspect(prepared, params)
        else:
            result = self._execute(prepared, params, context)
            if isawaitable(result):
                result = await result
        return _fit(result, operation, context)

    async def watch(
        self, prepared: Prepared, operation: OperationDefinitionNode, params: Params, context: Any
    ) -> AsyncGenerator[ExecutionResult | PreExecutionError, None]:
        """The results of a subscription that has been prepared without errors, each fit to be sent."""
        requests.chosen(self.documents.names.of(operation), operation.operation.value)
        results: Any = subscribe(
            self._schema,
            cast("DocumentNode", prepared.document),
            variable_values=params.variables,
            executor_class=self.execution_context_class,
            **self._given(prepared, params, context),
        )
        if isawaitable(results):
            results = await results
        if isinstance(results, ExecutionResult):
            yield PreExecutionError(None, _fit(results, operation, context).errors)
            return
        try:
            async with aclosing(results):
                async for result in results:
                    yield _fit(result, operation, context)
        except Exception as error:
            failed = GraphQLError(str(error), original_error=error)
            yield _fit(ExecutionResult(None, [failed]), operation, context)

    async def _introspect(self, prepared: Prepared, params: Params) -> ExecutionResult:
        """The same to everybody, so that it is kept; made in a thread, since it takes long and waits for nothing."""
        assert prepared.document and prepared.document.loc
        key = prepared.document.loc.source.body, params.operation_name
        if not params.variables and key in self._introspected:
            self._introspected.move_to_end(key)
            return self._introspected[key]
        result: ExecutionResult = await self._introspecting.run(self._execute, prepared, params, None)
        if not params.variables and not result.errors:
            self._introspected[key] = result
            if len(self._introspected) > MOST_INTROSPECTIONS:
                self._introspected.popitem(last=False)
        return result

    def _execute(self, prepared: Prepared, params: Params, context: Any) -> Any:
        """As graphql's own `execute`, without its layers that tell apart what incremental delivery may give."""
        executor = self.execution_context_class.build(
            self._schema,
            cast("DocumentNode", prepared.document),
            raw_variable_values=params.variables,
            **self._given(prepared, params, context),
        )
        return ExecutionResult(None, executor) if isinstance(executor, list) else executor.execute_operation()

    def _given(self, prepared: Prepared, params: Params, context: Any) -> dict[str, Any]:
        return {
            "operation_name": params.operation_name,
            "context_value": context,
            "is_awaitable": optimized_is_awaitable,
            "operation_extensions": None,
            "max_coercion_errors": MAX_ERRORS,
            "plan": prepared.plan,
        }


def _fit(result: ExecutionResult, operation: OperationDefinitionNode, context: Any) -> ExecutionResult:
    if not result.errors:
        return result
    name = operation.name.value if operation.name else None
    return ExecutionResult(
        result.data, mask(result.errors, context.request_id, name, getattr(context, "language", ENGLISH))
    )


def _is_one_of(kind: Any, _info: Any) -> bool | None:
    return bool(kind.extensions[DEFINITION].is_one_of) if is_input_object_type(kind) else None
