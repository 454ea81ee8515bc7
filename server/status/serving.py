"""The status port: probes and metrics from a thread of their own, whatever the part itself is busy with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from settings import Settings

MOST_AT_ONCE = 50


@contextmanager
def status(settings: Settings, *, needs_database: bool = True) -> Iterator[None]:
    """Answer on the status port, where one is set, for as long as the part runs. Raises ListenError."""
    if not settings.status_port:
        yield
        return
    # A part that serves nothing else needs no server without it.
    import uvicorn

    from server.status.application import application
    from server.transport.sockets import listen

    listener = listen(settings.status_host, settings.status_port)
    config = uvicorn.Config(
        application(settings, needs_database=needs_database),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="status", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
