"""What emails are made of beside their templates, in the language of whoever gets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import languages
from db.alerts import Heard
from rules.alerts import HEADLINES
from rules.events.alerts import AlertRaised, DigestSent
from rules.events.base import LABEL, ROLES
from rules.events.catalogue import BY_TYPE, EVENTS
from workers.wording import LONGEST_NAME, clean, quoted

DOMAIN = "emails"
WHEN, IP_ADDRESS, BROWSER, BROWSER_ON_SYSTEM = "When", "IP address", "Browser", "%(browser)s on %(system)s"
AGENCY, NAMED_AGENCY = "agency", "agency %(name)s"
LONGEST_SENTENCE = 6 * LONGEST_NAME


def texts() -> Iterator[str | tuple[str, str]]:
    """All that stands in no template; a singular with its plural."""
    yield from (WHEN, IP_ADDRESS, BROWSER, BROWSER_ON_SYSTEM, AGENCY, NAMED_AGENCY)
    yield from ROLES.values()
    yield from HEADLINES.values()
    yield from (event.alert_headline for event in EVENTS if event.alert_headline)
    yield from DigestSent.KINDS
    for event in EVENTS:
        yield from (field.metadata[LABEL] for field in event.__dataclass_fields__.values() if LABEL in field.metadata)


def agencies(heard: Sequence[Heard]) -> list[str]:
    """The names of those where it has happened, each once."""
    return sorted({name for each in heard for name in each.account_names})


def headline(alert: AlertRaised, heard: Sequence[Heard], language: str) -> str:
    """What the subject says: what fits all of the alert's kind, unless nothing that it tells of goes by that."""
    own = [BY_TYPE[each.stored.type].alert_headline if each.stored.type in BY_TYPE else None for each in heard]
    newest = own[0] if own and all(own) else None
    return languages.texts(language, DOMAIN).gettext(newest or alert.kind.headline)


def sentences(alert: AlertRaised, heard: Sequence[Heard], language: str) -> list[str]:
    """What has happened, each in the audit log's sentence; behind the agency's name where there are several."""
    voice, is_of_several = languages.voice(language), len(agencies(heard)) > 1
    return [
        (f"{', '.join(map(quoted, each.account_names))}: " if is_of_several else "")
        + clean(each.stored.alert_summary(each.actor_email, each.subject_email, voice), LONGEST_SENTENCE)
        for each in heard
    ] or list(alert.told)


def count(alert: AlertRaised, heard: Sequence[Heard]) -> int:
    """How many things the alert is of: without those of agencies that are not theirs any more.

    It knows the newest alone, and counts what is earlier as theirs.
    """
    known = len(alert.event_ids) + len(alert.earlier_ids)
    return alert.count - (max(0, known - heard[0].of_all) if heard else 0)


def lines(digest: DigestSent, language: str) -> list[str]:
    """What is open, each kind in a line."""
    ngettext = languages.texts(language, DOMAIN).ngettext
    return [ngettext(one, many, count) % {"count": count} for count, (one, many) in digest.counted()]
