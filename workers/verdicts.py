"""What the mail server's refusals mean: for good for one person, for one mail now, or for all mail now."""

from __future__ import annotations

import re
import threading

CLOSING = 421
# The server does not understand us, or wants a login: nothing that the recipient could mend.
ABOUT_US = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538})
WORDS_ABOUT_US = re.compile(r"relay|authenticat|rcpthosts|sender|blocked using|black ?list|block ?list", re.IGNORECASE)
# RFC 3463: 5.1.x is about an address, 5.1.7 and 5.1.8 about the sender's; 5.7.x is a policy, which may be about us.
ABOUT_RECIPIENT = re.compile(r"5\.1\.[0-6]\b")
POLICY = "5.7."
SEVERAL = 3


class OvertakenError(Exception):
    """What the mail tells, or its link, does not hold any more: nobody has any use of it."""


class RefusedError(Exception):
    """The server refuses this recipient or message for good; the text is in its words."""


class UnsendableError(RefusedError):
    """The mail cannot be handed over at all, whatever the server says."""


class DeferredError(Exception):
    """This mail may get through later; the text is in the server's words."""


class LeftError(Exception):
    """This mail waits, and none behind it: a worker of a later version knows what it is, or it cannot be read now."""


class ServerError(Exception):
    """The server cannot be used now, for any recipient: down, slow, or refusing us."""

    def __init__(self, text: str, *, body_has_left: bool = False) -> None:
        super().__init__(text)
        self.body_has_left = body_has_left


def verdict(code: int, text: bytes, recipient: str) -> Exception:
    """What a refusal of a recipient or a message means."""
    words = in_words(code, text)
    if code == CLOSING or not 400 <= code < 600:
        return ServerError(words)
    if code < 500 or _is_about_us(code, _without(recipient, text.decode(errors="replace"))):
        return DeferredError(words)
    return RefusedError(words)


def in_words(code: int, text: bytes) -> str:
    """A reply as it is recorded."""
    return f"{code} {text.decode(errors='replace')}"[:300].replace("\0", "\ufffd")


def _is_about_us(code: int, text: str) -> bool:
    if text.startswith(POLICY) or WORDS_ABOUT_US.search(text):
        return True
    return code in ABOUT_US and not ABOUT_RECIPIENT.match(text)


def _without(recipient: str, text: str) -> str:
    """The text without the recipient, so that the same refusal of several people reads the same."""
    local, _, _ = recipient.partition("@")
    return re.sub(rf"(?<!\w)({re.escape(recipient)}|{re.escape(local)})(?!\w)", "", text, flags=re.IGNORECASE)


class Refusals:
    """What a process has heard of late: the same refusal of several people in a row is about us, whatever it says."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """The server has taken a mail: it takes mails."""
        self._text = ""
        self._recipients: set[str] = set()
        self._failed: list[int] = []

    def hear(self, delivery_id: int, recipient: str, words: str) -> list[int]:
        """A delivery has failed of this; those that have failed of what is about us, each told once."""
        text = _without(recipient, words)
        with self._lock:
            if text != self._text:
                self.forget()
                self._text = text
            self._recipients.add(recipient)
            self._failed.append(delivery_id)
            if len(self._recipients) < SEVERAL:
                return []
            failed, self._failed = self._failed, []
            return failed
