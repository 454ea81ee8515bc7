"""What people may ask of others, and the links and pauses that go with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rules import delivery, invitations, links, standing
from rules.failures import Forbidden, InvalidInput, NotFound, NotPermitted, TooManyAttempts
from rules.people import Role
from rules.service_keys import Right, ServiceKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OLIVE, MIA = UUID(int=1), UUID(int=2)


def test_an_exception_ends_in_the_future_and_within_90_days() -> None:
    standing.check_end(NOW + SECOND, NOW)
    standing.check_end(NOW + timedelta(days=90), NOW)
    for until in (NOW, NOW - SECOND, NOW + timedelta(days=90) + SECOND):
        with pytest.raises(InvalidInput):
            standing.check_end(until, NOW)


def test_an_exception_has_a_reason_of_at_most_500_characters() -> None:
    assert standing.checked_reason(f" {'x' * 500}\n") == "x" * 500
    for reason in ("", " \n", "x" * 501):
        with pytest.raises(InvalidInput):
            standing.checked_reason(reason)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("\x1b]0;title\x07 lost\tphone\x9b2J", "]0;title  lost phone 2J"),
        ("lost\r\nphone\u2028again\x85", "lost phone again"),
        ("lost \u202eenohp\u202c \u2066phone\u2069\u200f", "lost enohp phone"),
        # Joiners are letters' and pictures' own: Persian and emoji need them.
        (
            "\U0001f469\u200d\U0001f4bb می\u200cخواهم, naïve \xa0 2 phones",
            "\U0001f469\u200d\U0001f4bb می\u200cخواهم, naïve \xa0 2 phones",
        ),
    ],
)
def test_a_reason_is_one_line_that_steers_no_terminal_and_turns_no_text_round(given: str, kept: str) -> None:
    assert standing.checked_reason(given) == kept


def test_a_reason_of_nothing_that_shows_is_none() -> None:
    for reason in ("\x07\x1b", "\u202e", "\u200f\t"):
        with pytest.raises(InvalidInput):
            standing.checked_reason(reason)


def test_nobody_excepts_themselves_and_owners_alone_mark_a_break_glass_account() -> None:
    standing.check_author(OLIVE, Role.OWNER, MIA, is_break_glass=True)
    standing.check_author(OLIVE, Role.ADMIN, MIA, is_break_glass=False)
    for author, role, is_break_glass in ((MIA, Role.OWNER, False), (OLIVE, Role.ADMIN, True)):
        with pytest.raises(NotPermitted):
            standing.check_author(author, role, MIA, is_break_glass)


def test_an_admin_neither_invites_an_owner_nor_touches_one() -> None:
    invitations.require_permission(Role.OWNER, Role.OWNER, Role.MEMBER)
    invitations.require_permission(Role.ADMIN, Role.ADMIN, Role.MEMBER)
    for roles in ((Role.OWNER, Role.MEMBER), (Role.MEMBER, Role.OWNER)):
        with pytest.raises(NotPermitted):
            invitations.require_permission(Role.ADMIN, *roles)


def test_whoever_was_invited_is_invited_again_after_a_minute_and_never_once_they_have_come() -> None:
    invitations.require_pause(NOW - timedelta(minutes=1), NOW, "mia@agency.example")
    with pytest.raises(TooManyAttempts) as waiting:
        invitations.require_pause(NOW - timedelta(minutes=1) + SECOND, NOW, "mia@agency.example")
    assert waiting.value.retry_at == NOW + SECOND
    with pytest.raises(InvalidInput):
        invitations.require_pause(None, NOW, "mia@agency.example")


def test_a_service_key_does_what_it_was_given_where_it_was_given_it() -> None:
    key = ServiceKey(UUID(int=9), "web", frozenset({Right.SIGN_IN}), OLIVE)
    key.require_any(Right.PROVISION, Right.SIGN_IN)
    key.require_account(OLIVE)
    with pytest.raises(Forbidden, match="'provision' or 'scim'"):
        key.require_any(Right.PROVISION, Right.SCIM)
    with pytest.raises(Forbidden, match="whatever its rights"):
        key.require_any()
    with pytest.raises(NotFound):
        key.require_account(MIA)
    everywhere = ServiceKey(UUID(int=9), "web", frozenset(), None)
    everywhere.require_account(MIA)
    assert (key.answers_scope, everywhere.answers_scope) == (f"{OLIVE} web", "all web")


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(1, 0, 15), (2, 0, 30), (3, 0, 60), (8, 0, 1920), (9, 0, 3600), (5000, 0, 3600), (1, 1, 7.5), (2, 0.5, 22.5)],
)
def test_the_pause_between_tries_doubles_to_an_hour_less_up_to_half(
    attempts: int, jitter: float, seconds: float
) -> None:
    assert delivery.pause_s(attempts, jitter) == seconds


def test_a_links_token_stands_in_the_fragment_of_its_page() -> None:
    pages = ("https://mfa.example/", "https://app.example/security")
    assert links.INVITATION.url(*pages, "gh_l_x") == "https://mfa.example/set-password?invited#token=gh_l_x"
    assert links.ENROLLMENT.url(*pages, "gh_l_x") == "https://app.example/security#token=gh_l_x"


def test_links_hold_as_long_as_their_emails_say() -> None:
    half_an_hour, day = timedelta(minutes=30), timedelta(days=1)
    lifetimes = {each.purpose.value: each.lifetime for each in vars(links).values() if isinstance(each, links.Link)}
    assert lifetimes == {
        "INVITATION": 7 * day,
        "PASSWORD_RESET": half_an_hour,
        "NOT_ME": 7 * day,
        "NOT_MY_SIGN_IN": 7 * day,
        "STOP_RESET": day,
        "START_RECOVERY": half_an_hour,
        "STOP_RECOVERY": 8 * day,
        "ENROLLMENT": half_an_hour,
    }
