"""The mailer: one SMTP connection for many mails, and what each answer of the server means.

smtplib, in the task's own thread: it is the standard library's, and nothing is faster over one connection.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 5.0
DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class TemporaryError(Exception):
    """The recipient's mail may get through later."""


class PermanentError(Exception):
    """The server refuses this recipient or message for good; the message is in its words."""


class ServerError(Exception):
    """The server cannot be used now, for any recipient: down, slow, or refusing us."""


class Mailer:
    """A connection to the server of an smtp://, smtps:// or smtp+starttls:// URL; a context manager."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Connect. Raises ServerError."""
        self._connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Say goodbye, if the server still listens."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None

    def send(self, message: EmailMessage) -> None:
        """Hand one message over: on return the server has taken it. Raises the errors above."""
        sender, recipient = parseaddr(str(message["From"]))[1], parseaddr(str(message["To"]))[1]
        try:
            self._connected().send_message(message, sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, text),) = error.recipients.values()
            raise _of_recipient(code, text) from None
        except smtplib.SMTPDataError as error:
            raise _of_recipient(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPSenderRefused as error:
            raise ServerError(_words(error.smtp_code, error.smtp_error)) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._drop()
            raise ServerError(f"{type(error).__name__}: {error}"[:300]) from None

    def _connected(self) -> smtplib.SMTP:
        # The server may have closed after the last mail (421): the next one goes over a new connection.
        if self._smtp is None or self._smtp.sock is None:
            self._connect()
        assert self._smtp is not None
        return self._smtp

    def _connect(self) -> None:
        host = self._parts.hostname or "localhost"
        port = self._parts.port or DEFAULT_PORTS[self._parts.scheme]
        try:
            if self._parts.scheme == "smtps":
                context = ssl.create_default_context()
                self._smtp = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
            else:
                self._smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
            if self._parts.scheme == "smtp+starttls":
                self._smtp.starttls(context=ssl.create_default_context())
            if self._parts.username:
                self._smtp.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            # Never the error's own text: a refused login may repeat what it was given.
            code = getattr(error, "smtp_code", "")
            raise ServerError(f"{type(error).__name__} {code}".strip()) from None

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _of_recipient(code: int, text: bytes | str) -> Exception:
    words = _words(code, text)
    if code == 421:
        return ServerError(words)
    return PermanentError(words) if code >= 500 else TemporaryError(words)


def _words(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"[:300]
