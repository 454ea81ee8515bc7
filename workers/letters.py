"""Letters: what all mails of one event share, made once, then addressed to each person.

Making a mail takes ten times as long as handing it over, and a fan-out sends the same one to thousands.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from email import policy
from email.utils import parseaddr
from html import escape

from workers.emails import Facts, message_id, on_the_wire, render

# A name that RFC 2606 keeps from being anyone's; nobody can guess it, whose own address a mail may name.
STAND_IN = f"{secrets.token_hex(8)}@stand-in.invalid"
# Needs no quoting in a header, no encoding, and no SMTPUTF8.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9.-]+")
QP_LINE = 60  # of the 76 that RFC 2045 allows, so that an encoded character still fits


@dataclass(frozen=True)
class Mail:
    """A mail as it goes over the wire; `needs_utf8` when an address has other letters than ASCII."""

    sender: str
    recipient: str
    content: bytes

    @property
    def is_plain(self) -> bool:
        """Whether both addresses go over the wire as they are."""
        return all(PLAIN_ADDRESS.fullmatch(address) for address in (self.sender, self.recipient))

    @property
    def needs_utf8(self) -> bool:
        """Whether the server must speak SMTPUTF8."""
        return not (self.sender + self.recipient).isascii()


class Letter:
    """The mails of one event and message. Raises what `render` raises, when it is made or addressed."""

    def __init__(self, message: str, facts: Facts) -> None:
        self._message = message
        self._facts = facts
        mail = render(message, replace(facts, recipient=STAND_IN))
        self._sender = parseaddr(str(mail["From"]))[1]
        del mail["To"], mail["Message-ID"]
        self._head, self._middle, self._tail = mail.as_bytes(policy=policy.SMTP).split(STAND_IN.encode())

    def to(self, recipient: str, delivery_id: int) -> Mail:
        """The mail of one delivery."""
        facts = replace(self._facts, recipient=recipient, delivery_id=delivery_id)
        if not PLAIN_ADDRESS.fullmatch(recipient) or not self._sender.isascii():
            to = on_the_wire(recipient)
            content = render(self._message, facts).as_bytes(policy=policy.SMTP.clone(utf8=not to.isascii()))
            return Mail(self._sender, to, content)
        headers = f"To: {recipient}\r\nMessage-ID: {message_id(facts)}\r\n".encode()
        shown = _quoted(recipient), _quoted(escape(recipient, quote=False))
        return Mail(
            self._sender, recipient, b"".join((headers, self._head, shown[0], self._middle, shown[1], self._tail))
        )


def _quoted(text: str) -> bytes:
    """Quoted-printable, between soft line breaks, so that no line grows too long."""
    chunks = (text[start : start + QP_LINE].replace("=", "=3D") for start in range(0, len(text), QP_LINE))
    return "=\r\n".join(("", *chunks, "")).encode()
