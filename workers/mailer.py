"""The mailer: one SMTP connection for many mails, and what each answer of the server means.

smtplib, in the task's own thread: it is the standard library's, and nothing is faster over one connection.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from workers.letters import Mail

CONNECT_TIMEOUT_S = 5.0
TIMEOUT_S = 10.0
VERDICT_TIMEOUT_S = 30.0  # for the answer to the whole message, which may be scanned first
DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
CLOSING = 421
BEGIN_BODY = 354
INTERNATIONAL = ["SMTPUTF8", "BODY=8BITMIME"]


class RefusedError(Exception):
    """The server refuses this recipient or message for good; the text is in its words."""


class DeferredError(Exception):
    """This mail may get through later; the text is in the server's words."""


class ServerError(Exception):
    """The server cannot be used now, for any recipient: down, slow, or refusing us."""

    def __init__(self, text: str, *, body_has_left: bool = False) -> None:
        super().__init__(text)
        self.body_has_left = body_has_left


class Mailer:
    """A connection to the server of an smtp://, smtps:// or smtp+starttls:// URL; a context manager."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._smtp: smtplib.SMTP | None = None
        self._carried = 0
        self._is_aborted = False

    def __enter__(self) -> Self:
        """Connect. Raises ServerError."""
        self._connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Say goodbye, if the server still listens."""
        if self._smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def abort(self) -> None:
        """From another thread: end the connection, so that whoever waits for the server gets a ServerError."""
        self._is_aborted = True
        smtp = self._smtp
        if smtp is not None and smtp.sock is not None:
            with contextlib.suppress(OSError):
                smtp.sock.shutdown(socket.SHUT_RDWR)

    def send(self, mail: Mail, before_body: Callable[[], None]) -> None:
        """Hand one mail over: on return the server has taken it.

        `before_body` is called once the server has taken the recipient, just before the message leaves; what it raises
        is raised, and nothing has left. Raises RefusedError, DeferredError and ServerError.
        """
        carried = self._carried
        try:
            self._hand_over(mail, before_body)
        except ServerError as error:
            self._drop()
            if error.body_has_left or not carried:
                raise
            # Many servers end a connection after so many mails: the next goes over a new one.
            self._connect()
            self._hand_over(mail, before_body)

    def _hand_over(self, mail: Mail, before_body: Callable[[], None]) -> None:
        if self._smtp is None:
            self._connect()
        assert self._smtp is not None
        body_has_left = False
        try:
            self._address(self._smtp, mail)
            self._smtp.putcmd("data")
            self._before_body(before_body)  # while the server makes up its mind
            code, text = self._smtp.getreply()
            if code != BEGIN_BODY:
                raise _verdict(code, text)
            body_has_left = True
            code, text = _send_body(self._smtp, mail.content)
            if code >= 300:
                raise _verdict(code, text)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise ServerError(_plain(error), body_has_left=body_has_left) from None
        self._carried += 1

    def _before_body(self, before_body: Callable[[], None]) -> None:
        try:
            before_body()
        except BaseException:
            self._drop()  # the server waits for a message that will not come
            raise

    def _address(self, smtp: smtplib.SMTP, mail: Mail) -> None:
        options = INTERNATIONAL if mail.needs_utf8 else []
        if options and not smtp.has_extn("smtputf8"):
            raise RefusedError("The mail server takes no addresses with such letters.")
        code, text = smtp.mail(mail.sender, options)
        if code >= 300:
            raise ServerError(_words(code, text))
        code, text = smtp.rcpt(mail.recipient)
        if code >= 300:
            verdict = _verdict(code, text)
            if not isinstance(verdict, ServerError):
                smtp.rset()
            raise verdict

    def _connect(self) -> None:
        host = self._parts.hostname or "localhost"
        port = self._parts.port or DEFAULT_PORTS[self._parts.scheme]
        self._carried = 0
        if self._is_aborted:
            raise ServerError("It took too long.")
        try:
            if self._parts.scheme == "smtps":
                self._smtp = smtplib.SMTP_SSL(
                    host, port, timeout=CONNECT_TIMEOUT_S, context=ssl.create_default_context()
                )
            else:
                self._smtp = smtplib.SMTP(host, port, timeout=CONNECT_TIMEOUT_S)
            assert self._smtp.sock is not None
            self._smtp.sock.settimeout(TIMEOUT_S)
            if self._parts.scheme == "smtp+starttls":
                self._smtp.starttls(context=ssl.create_default_context())
            if self._parts.username:
                self._smtp.login(unquote(self._parts.username), unquote(self._parts.password or ""))
            self._smtp.ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise ServerError(_plain(error)) from None

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _send_body(smtp: smtplib.SMTP, body: bytes) -> tuple[int, bytes]:
    assert smtp.sock is not None
    smtp.sock.settimeout(VERDICT_TIMEOUT_S)
    smtp.send(body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    answer = smtp.getreply()
    smtp.sock.settimeout(TIMEOUT_S)
    return answer


def _verdict(code: int, text: bytes) -> Exception:
    """What a refusal of a recipient or a message means."""
    words = _words(code, text)
    if code == CLOSING:
        return ServerError(words)
    # 5.7: a policy, which may be about us and not about the recipient.
    if code >= 500 and not text.startswith(b"5.7."):
        return RefusedError(words)
    return DeferredError(words)


def _words(code: int, text: bytes) -> str:
    return f"{code} {text.decode(errors='replace')}"[:300]


def _plain(error: Exception) -> str:
    # Never a refused login's own text: it may repeat what it was given.
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refuses our name and password ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
        return _words(error.smtp_code, reply if isinstance(reply, bytes) else reply.encode())
    return f"{type(error).__name__}: {error}"[:300]
