"""Email addresses: one form for each, and a reason for what is none."""

from __future__ import annotations

import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

import rules.typed

# Scripts that are written together; any other mixture within a name imitates something.
WRITTEN_TOGETHER = {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"}
# Letters of other alphabets that look like Latin ones: a name made of these alone imitates, too.
LOOK_LATIN = set("асеорхуѕіјһԁԛԝѵкӏαονρυικτγχօսցհո")
# Latin letters that are easily taken for others.
LOOK_ALIKE = set("ıɩɪɑɡſ\u0307")

# What the library says of most that is no address, word for word; of the rest it is enough that it is none.
OF_LIBRARY = (
    "An email address must have an @-sign.",
    "There must be something before the @-sign.",
    "There must be something after the @-sign.",
    "Quoting the part before the @-sign is not allowed here.",
    "A bracketed IP address after the @-sign is not allowed here.",
    "An email address cannot have two periods in a row.",
    "An email address cannot start with a period.",
    "An email address cannot end with a period.",
    "An email address cannot have a period immediately before the @-sign.",
    "An email address cannot have a period immediately after the @-sign.",
    "The email address contains invalid characters before the @-sign: {characters}.",
    "The part after the @-sign contains invalid characters: {characters}.",
)
# In letters of any alphabet or in ASCII; what is longer is none, and is not looked at.
LONGEST = 320
# Octets of a domain, and of a label of it in letters of other alphabets: xn-- and what these become.
LONGEST_DOMAIN, SHORTEST_FOREIGN = 253, 7
NO_ADDRESS = "This is no email address that mail can be sent to."


class NotAnAddressError(Exception):
    """The text is no address that mail can be sent to; the message is one plain sentence."""


def checked(text: str) -> str:
    """The address in its one form: NFC, lower-case, the domain in Unicode. Raises NotAnAddressError.

    Reserved domains such as .example are taken, too.
    """
    text = rules.typed.visible(text)
    if len(text) > LONGEST:
        raise NotAnAddressError(NO_ADDRESS)
    try:
        address = validate_email(
            text, check_deliverability=False, test_environment=True, globally_deliverable=False
        ).normalized
    except EmailNotValidError as error:
        raise NotAnAddressError(_in_words(str(error))) from None
    address = unicodedata.normalize("NFC", address.lower())
    local, _, domain = address.rpartition("@")
    if "." not in domain:
        raise NotAnAddressError("The part after the @-sign must be a whole domain, as in agency.example.")
    if unicodedata.normalize("NFKC", local) != local:
        plain = unicodedata.normalize("NFKC", local)
        raise NotAnAddressError(f"The part before the @-sign has full-width or special letters: write {plain!r}.")
    for name in (local, *domain.split(".")):
        if _imitates(name):
            raise NotAnAddressError(
                f"{name!r} mixes alphabets, or has letters that look like others: type it anew on one keyboard."
            )
    return address


def _in_words(problem: str) -> str:
    """What the library says, as far as that is known and translated."""
    return problem if any(problem.startswith(known.partition("{")[0]) for known in OF_LIBRARY) else NO_ADDRESS


def checked_domain(text: str) -> str:
    """What stands behind the @, in its one form. Raises NotAnAddressError."""
    if "@" in text:
        raise NotAnAddressError("It must be a domain, as in agency.example.")
    return checked(f"someone@{rules.typed.visible(text)}").rpartition("@")[2]


def normalized(text: str) -> str:
    """The form in which an address is looked up; what is none is lower-cased and finds nobody."""
    address = rules.typed.visible(text).lower()
    if len(address) > LONGEST:
        return address
    address = unicodedata.normalize("NFC", address)
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    if not _may_be_domain(labels):
        return address
    return f"{local}{at}{'.'.join(map(_in_unicode, labels))}"


def _may_be_domain(labels: list[str]) -> bool:
    """Whether they are few enough: to put one label into order takes as long as to look at a thousand characters."""
    octets = [len(label) if label.isascii() else max(len(label), SHORTEST_FOREIGN) for label in labels]
    return sum(octets) + len(octets) - 1 <= LONGEST_DOMAIN


def _in_unicode(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        return label
    try:
        return idna.decode(idna.encode(label, uts46=True).decode())
    except (idna.IDNAError, UnicodeError):
        return label


def _imitates(name: str) -> bool:
    letters = [c for c in name if c.isalpha()]
    scripts = {unicodedata.name(c, "UNKNOWN").split(" ")[0].split("-")[0] for c in letters}
    foreign = [c for c in letters if not c.isascii()]
    return (
        (len(scripts) > 1 and not scripts <= WRITTEN_TOGETHER)
        or any(c in LOOK_ALIKE for c in name)
        or (bool(foreign) and all(c in LOOK_LATIN for c in letters))
    )
