"""How many statements a query costs: one for whoever asks, and one for each list or count, however long."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio
from graphql import OperationDefinitionNode, OperationType, parse, print_ast

from server.app import create_app
from tests.client import Client, http_client, settings_for
from tests.operations import (
    ACCOUNT,
    AT_A_GLANCE,
    AUDIT,
    EVERYTHING,
    IMPACT,
    NOTICE,
    OWN_SESSIONS,
    POLICY,
    PROGRESS,
    ROSTER,
    SIGN_IN,
)
from tests.people import PASSWORD, World, email, make_world
from web.explorer_assets import WEB

COSTS = [
    (AT_A_GLANCE, 1),
    (NOTICE, 1),
    (OWN_SESSIONS, 2),
    (ACCOUNT, 1),
    (POLICY, 1),
    (IMPACT, 2),
    (PROGRESS, 2),
    (ROSTER.replace("totalCount", ""), 2),
    (ROSTER, 3),
    (AUDIT, 2),
    (EVERYTHING, 5),
]
EXAMPLES = {
    operation.name.value: print_ast(operation)
    for operation in parse((WEB / "examples.graphql").read_text()).definitions
    if isinstance(operation, OperationDefinitionNode) and operation.name and operation.operation is OperationType.QUERY
}
# Of a webhook or a staff member that is there, and for a product's own system: their own tests ask these.
del EXAMPLES["WebhookDeliveries"], EXAMPLES["Session"], EXAMPLES["StaffSessions"], EXAMPLES["StaffIdentities"]
EXAMPLE_COSTS = {
    "Viewer": 1,
    "Sessions": 2,
    "Identities": 2,
    "SecurityPolicy": 2,
    "Staff": 4,
    "AuditLog": 2,
    "Alerts": 2,
    "SignInProviders": 4,
    "MfaResetRequests": 2,
    "LockOutForecast": 2,
    "CheckUp": 1,
    "AccountRecovery": 2,
    "AccountRecoveries": 2,
}


@pytest_asyncio.fixture
async def counted(
    database_url: str, database: asyncpg.Connection[asyncpg.Record]
) -> AsyncIterator[tuple[World, Client, list[str]]]:
    """Olive's client, and the statements that the server sends, over its one connection."""
    app = create_app(settings_for(database_url, pool_size=1))
    statements: list[str] = []
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with http_client(transport=transport, base_url="http://localhost") as http:
            client = Client(http)
            world = await make_world("http://localhost", database)
            client.token = (await client.do(SIGN_IN, email=email("olive"), password=PASSWORD))["sessionToken"]
            async with app.state.service.database.pool.acquire() as connection:
                connection.add_query_logger(lambda record: statements.append(record.query))
            yield world, client, statements


@pytest.mark.parametrize(("query", "cost"), COSTS)
async def test_a_query_costs_so_many_statements(
    counted: tuple[World, Client, list[str]], query: str, cost: int
) -> None:
    world, client, statements = counted
    variables = {"account": str(world.account_id), "require": True}
    asked = {name: value for name, value in variables.items() if f"${name}:" in query}
    assert await client.ask(query, **asked)
    assert len(statements) == cost, statements


async def test_the_explorers_examples_cost_so_many_statements(counted: tuple[World, Client, list[str]]) -> None:
    world, client, statements = counted
    costs: dict[str, int] = {}
    for name, query in EXAMPLES.items():
        statements.clear()
        variables = {"accountId": str(world.account_id), "requireMfa": True} if "$accountId" in query else {}
        assert await client.ask(query, **variables)
        costs[name] = len(statements)
    assert costs == EXAMPLE_COSTS
