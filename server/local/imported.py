"""What our parts import until they are ready, late imports of libraries included: done once, before they are forked."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from importlib import import_module

MAIN = "server.commands.main"
API = (
    MAIN,
    "encodings.idna",
    "jinja2.ext",
    "server.app",
    "server.status.serving",
    "server.transport.serving",
    "strawberry.federation.schema_directives",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
)
API_BROKER = "redis.asyncio"
ALL = (
    *API,
    "billiard.pool",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.concurrency.thread",
    "celery.events.receiver",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "kombu.transport.redis",
    "server.local.mailbox",
    "workers.beat",
    "workers.processes",
    "workers.relay",
)


def load(names: Iterable[str]) -> None:
    """Import these, to be shared with whatever is forked from now on."""
    gc.disable()  # nearly all of it stays
    for name in names:
        import_module(name)
    gc.enable()
    # No child's collections look at what is there by now: that would write to it, and so make a copy.
    gc.collect()
    gc.freeze()
