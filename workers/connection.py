"""A connection to the mail server, made ready for mails; another thread can end it at any moment of its making."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from urllib.parse import unquote, urlsplit

CONNECT_TIMEOUT_S = 5.0
TIMEOUT_S = 10.0
GOODBYE_TIMEOUT_S = 1.0
DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
READY = 220


class Lifeline:
    """A second descriptor of whatever socket is in use: shut down, it ends every wait, that of a TLS handshake too."""

    def __init__(self) -> None:
        self.is_cut = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def hold(self, connecting: socket.socket | None) -> None:
        """Hold this one from now on, or none."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = connecting and connecting.dup()
            if self.is_cut:
                self._shut_down()

    def cut(self) -> None:
        """From another thread: whoever waits gets an error, now and later."""
        with self._lock:
            self.is_cut = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class Connection(smtplib.SMTP):
    """smtplib's, connected, greeted and logged in. Raises smtplib.SMTPException and OSError.

    Each answer has its own time; a server that says a word now and then is for the lifeline's owner to end.
    """

    def __init__(self, url: str, ehlo_name: str, lifeline: Lifeline) -> None:
        parts = urlsplit(url)
        super().__init__(local_hostname=ehlo_name)
        self._lifeline = lifeline
        host = self._host = parts.hostname or "localhost"
        try:
            self.sock = _connected(host, parts.port or DEFAULT_PORTS[parts.scheme], lifeline)
            self.sock.settimeout(TIMEOUT_S)
            if parts.scheme == "smtps":
                self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=host)
            code, text = self.getreply()
            if code != READY:
                raise smtplib.SMTPConnectError(code, text)
            if parts.scheme == "smtp+starttls":
                self.starttls(context=ssl.create_default_context())
            if parts.username:
                self.login(unquote(parts.username), unquote(parts.password or ""))
            self.ehlo_or_helo_if_needed()
        except BaseException:
            self.close()
            raise

    def say_goodbye(self) -> None:
        """End it, whether or not the server still listens."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self.sock is not None:
                self.sock.settimeout(GOODBYE_TIMEOUT_S)
                self.quit()
        self.close()

    def close(self) -> None:
        """End it without a word."""
        self._lifeline.hold(None)
        super().close()


def _connected(host: str, port: int, lifeline: Lifeline) -> socket.socket:
    """A socket to the first of the host's addresses that takes the connection."""
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connecting = socket.socket(family, kind, protocol)
        lifeline.hold(connecting)
        try:
            connecting.settimeout(CONNECT_TIMEOUT_S)
            connecting.connect(address)
        except OSError as error:
            connecting.close()
            failure = error
        else:
            return connecting
        if lifeline.is_cut:
            break
    raise failure
