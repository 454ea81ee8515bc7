"""The ASGI application: the GraphQL endpoint, the health check, and what every answer passes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

import db.pool
import resolvers.hashing
import resolvers.queues
import settings as settings_module
from db.pool import REQUESTS, Database
from resolvers.context import Service
from resolvers.hub import Hub
from rules.failures import ServiceUnavailable
from rules.oidc import EXCHANGE_S
from rules.people import MANAGERS
from rules.sealing import KeyRing
from rules.slow_hash import HASH_COST, HashCost
from schema.roots import build
from server.context import RequestContext, context_for
from server.sign_in_with import SignInWith, callback_url
from server.status.readiness import Readiness
from server.status.routes import probes
from server.transport import charging
from server.transport.admission import ROOM, Room
from server.transport.graphql_http import GraphQLEndpoint
from server.transport.headers import middleware
from server.transport.in_turn import InTurn
from server.transport.schema import GatehouseSchema
from server.transport.scim_http import BASE_PATH, ScimEndpoint, ServiceProvider
from settings import Settings, SettingsError
from telemetry import life
from web.explorer import Explorer
from web.explorer_assets import WEB
from web.operations import page_operations
from web.pages import Pages, Visitor

if TYPE_CHECKING:
    from oidc.provider import Provider

OpenDatabase: TypeAlias = Callable[..., Awaitable[Database]]


@dataclass(frozen=True)
class Capacity:
    """What a process takes on."""

    hash_cost: HashCost = HASH_COST
    hashes_waiting: int = resolvers.hashing.LONGEST_QUEUE
    longest_queue: int = resolvers.queues.LONGEST_QUEUE
    exchange_s: float = EXCHANGE_S  # with an OpenID provider
    room: Room = ROOM


def schema_of(settings: Settings) -> GatehouseSchema:
    """The schema that these settings want. Raises SettingsError."""
    own = page_operations() if settings.pages else ()
    return build(GatehouseSchema, settings=settings, known=[(WEB / "examples.graphql").read_text()], own=own)


def create_app(
    settings: Settings | None = None,
    capacity: Capacity = Capacity(),
    schema: GatehouseSchema | None = None,
    open_database: OpenDatabase = db.pool.open_database,
) -> Starlette:
    """The application as the environment configures it, around its schema. Raises SettingsError."""
    settings = settings or settings_module.load()
    if not settings.database_url:
        raise SettingsError("GATEHOUSE_DATABASE_URL is not set: give postgresql://user:password@host/database.")
    ring = KeyRing(settings.keys)
    service: Service | None = None

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        nonlocal service
        database = await open_database(
            settings.database_url,
            settings.pool_size,
            "gatehouse-api",
            REQUESTS,
            through_pooler=settings.is_pooled,
            whose=charging.sharer,
        )
        hasher = resolvers.hashing.Hasher(capacity.hash_cost, capacity.hashes_waiting)
        limits = settings.time_limits
        hub = Hub(database, settings.direct_url, limits.session_idle)
        charging.charge_tasks(asyncio.get_running_loop())
        turning = asyncio.create_task(life.keep_turning())
        service = app.state.service = Service(
            database,
            ring,
            hasher,
            resolvers.queues.Queues(capacity.longest_queue),
            settings.issuer,
            settings.product,
            hub,
            limits,
            settings.production,
            settings.webhook_allow_private,
            _providers(settings, capacity.exchange_s),
        )
        try:
            yield
        finally:
            turning.cancel()
            for provider in service.providers.values():
                await provider.close()
            await explorer.close()
            await hub.close()
            hasher.close()
            await database.close()

    def make_context(connection: HTTPConnection) -> RequestContext:
        request_id: str = connection.scope["state"]["request_id"]
        assert service is not None
        return context_for(connection, service, settings, request_id)

    async def is_staff(request: Request) -> bool:
        person = await make_context(request).person_or_none()
        return person is not None and person.may_enroll

    async def visitor(request: Request) -> Visitor | None:
        person = await make_context(request).person_or_none()
        if person is None:
            return None
        managed = (membership for membership in person.memberships if membership.role in MANAGERS)
        return Visitor(tuple(str(membership.account.id) for membership in managed), person.is_super_admin)

    async def is_recovering(request: Request) -> bool:
        return await make_context(request).recovering_person() is not None

    pages = Pages(settings, visitor, is_recovering)
    schema = schema or schema_of(settings)
    explorer = Explorer(settings, schema, is_staff)
    endpoint = GraphQLEndpoint(schema, make_context, settings=settings, page=explorer.page, room=capacity.room)
    directory = ScimEndpoint(partial(_directory, settings), make_context, endpoint.admission)
    sign_in_with = SignInWith(settings, make_context, endpoint.admission, pages)
    app = Starlette(
        routes=[
            *probes(Readiness(settings)),
            *endpoint.routes,
            *directory.routes,
            *sign_in_with.routes,
            *explorer.routes,
            *pages.routes,
        ],
        middleware=[
            *middleware(settings, endpoint),
            Middleware(InTurn, endpoint.admission, make_context, _takes_turns_itself),
        ],
        exception_handlers={ServiceUnavailable: _unavailable},
        lifespan=lifespan,
    )
    # Behind a proxy that ends TLS it would send clients, and the tokens that they repeat, to http://.
    app.router.redirect_slashes = False
    return app


def _takes_turns_itself(path: str) -> bool:
    return path == "/graphql" or f"{path}/".startswith(BASE_PATH + "/")


def _directory(settings: Settings) -> ServiceProvider:
    from scim import service_provider

    return service_provider.ServiceProvider(settings.public_url.rstrip("/") + BASE_PATH)


def _providers(settings: Settings, exchange_s: float) -> dict[str, Provider]:
    """Those that are configured. What speaks to them takes 5 MiB, and is loaded only for them."""
    if not settings.oidc:
        return {}
    from oidc.provider import Provider

    return {each.name: Provider(each, callback_url(settings, each), exchange_s) for each in settings.oidc}


async def _unavailable(request: Request, error: Exception) -> Response:
    """What every path but the endpoint's answers while the database is away."""
    return JSONResponse({"status": "database unavailable"}, 503)
