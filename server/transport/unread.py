"""An answer that its client does not read: it is kept for so long as some of it is read from look to look."""

from __future__ import annotations

import asyncio
import struct
import termios
from contextlib import suppress
from fcntl import ioctl


class Unread:
    """What has been written to a connection and is not read: whoever reads none of it between two looks is let go."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, every_s: float) -> None:
        self._transport, self._loop, self._every_s = transport, loop, every_s
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there will be a look."""
        return self._timer is not None

    def expect(self) -> None:
        """From now on it is to become less; there is nothing to expect where the system has taken all."""
        self.forget()
        if self._transport.get_write_buffer_size():
            self._left = self._count()
            self._timer = self._loop.call_later(self._every_s, self.look)

    def look(self) -> None:
        """Let go of a reader who has read nothing. To close would wait for them."""
        if self._transport.get_write_buffer_size() and self._count() >= self._left:
            self.forget()
            self._transport.abort()
        else:
            self.expect()

    def forget(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _count(self) -> int:
        """Our bytes, and the system's that are not acknowledged: it takes more of ours by the megabyte."""
        queued = bytes(4)
        with suppress(OSError):
            queued = ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, queued)
        return self._transport.get_write_buffer_size() + int(struct.unpack("i", queued)[0])
