"""How long an endpoint waits for those who talk to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """All in seconds."""

    body_s: float = 10.0  # for a whole body
    init_s: float = 5.0  # for a WebSocket's first message
    socket_read_s: float = 10.0  # for a WebSocket's reader
    idle_s: float = 30.0  # with a stranger's WebSocket that has nothing to do
    stream_read_s: float = 30.0  # for the reader of server-sent events
    heartbeat_s: float = 12.0  # between two signs of life that these get


PATIENCE = Patience()
