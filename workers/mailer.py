"""The mailer: one SMTP connection for many mails.

smtplib, in the task's own thread: it is the standard library's, and nothing is faster over one connection.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable

from workers.connection import TIMEOUT_S, Connection, Lifeline
from workers.letters import Mail
from workers.verdicts import ServerError, UnsendableError, in_words, verdict

VERDICT_TIMEOUT_S = 120.0  # for the answer to the whole message, which may be scanned first
BEGIN_BODY = 354
INTERNATIONAL = ["SMTPUTF8", "BODY=8BITMIME"]


class Mailer:
    """The way to the server of an smtp://, smtps:// or smtp+starttls:// URL, to be closed at the end."""

    def __init__(self, url: str, ehlo_name: str) -> None:
        self._url = url
        self._ehlo_name = ehlo_name
        self._smtp: Connection | None = None
        self._carried = 0
        self._lifeline = Lifeline()

    def connect(self) -> None:
        """Be ready to send. Raises ServerError."""
        self._carried = 0
        if self._lifeline.is_cut:
            raise ServerError("It took too long.")
        try:
            self._smtp = Connection(self._url, self._ehlo_name, self._lifeline)
        except (smtplib.SMTPException, OSError) as error:
            raise ServerError(self._plain(error)) from None

    def name_sender(self, sender: str) -> None:
        """Ask over the connection whether the server takes mails of this sender; none is sent. Raises ServerError."""
        assert self._smtp is not None
        try:
            code, text = self._smtp.mail(sender, [] if sender.isascii() else INTERNATIONAL)
            if not 200 <= code < 300:
                raise ServerError(in_words(code, text))
            self._smtp.rset()
        except (smtplib.SMTPException, OSError) as error:
            raise ServerError(self._plain(error)) from None

    def close(self) -> None:
        """Say goodbye, if there is a connection."""
        if self._smtp is not None:
            self._smtp.say_goodbye()
            self._smtp = None

    def abort(self) -> None:
        """From another thread: end the connection, so that whoever waits for the server gets a ServerError."""
        self._lifeline.cut()

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
            self.connect()
            self._hand_over(mail, before_body)

    def _hand_over(self, mail: Mail, before_body: Callable[[], None]) -> None:
        if self._smtp is None:
            self.connect()
        assert self._smtp is not None
        body_has_left = False
        try:
            self._address(self._smtp, mail)
            self._smtp.putcmd("data")
            self._before_body(before_body)  # while the server makes up its mind
            code, text = self._smtp.getreply()
            if code != BEGIN_BODY:
                raise verdict(code, text, mail.recipient)
            body_has_left = True
            code, text = _send_body(self._smtp, mail.content)
            if not 200 <= code < 300:
                raise verdict(code, text, mail.recipient)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise ServerError(self._plain(error), body_has_left=body_has_left) from None
        self._carried += 1

    def _before_body(self, before_body: Callable[[], None]) -> None:
        try:
            before_body()
        except BaseException:
            self._drop()  # the server waits for a message that will not come
            raise

    def _address(self, smtp: Connection, mail: Mail) -> None:
        options = INTERNATIONAL if mail.needs_utf8 else []
        if options and not smtp.has_extn("smtputf8"):
            raise UnsendableError("The mail server takes no addresses with such letters.")
        is_together = mail.is_plain and smtp.has_extn("pipelining")
        if is_together:  # RFC 2920: one way there and back for both
            smtp.send(f"MAIL FROM:<{mail.sender}>\r\nRCPT TO:<{mail.recipient}>\r\n".encode())
        code, text = smtp.getreply() if is_together else smtp.mail(mail.sender, options)
        if not 200 <= code < 300:
            raise ServerError(in_words(code, text))
        code, text = smtp.getreply() if is_together else smtp.rcpt(mail.recipient)
        if not 200 <= code < 300:
            refusal = verdict(code, text, mail.recipient)
            if not isinstance(refusal, ServerError):
                smtp.rset()
            raise refusal

    def _plain(self, error: Exception) -> str:
        if self._lifeline.is_cut:
            return "It took too long."
        # Never a refused login's own text: it may repeat what it was given.
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return f"The mail server refuses our name and password ({error.smtp_code})."
        if isinstance(error, smtplib.SMTPResponseException):
            reply = error.smtp_error
            return in_words(error.smtp_code, reply if isinstance(reply, bytes) else reply.encode())
        return f"{type(error).__name__}: {error}"[:300]

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _send_body(smtp: Connection, body: bytes) -> tuple[int, bytes]:
    assert smtp.sock is not None
    smtp.sock.settimeout(VERDICT_TIMEOUT_S)
    smtp.send(body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    answer = smtp.getreply()
    smtp.sock.settimeout(TIMEOUT_S)
    return answer
