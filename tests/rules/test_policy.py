"""The deadline, the days remaining, the notice, and what saving a policy is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rules import notice, policy
from rules.events.base import Event
from rules.events.policy import PolicyChanged, PolicyDisabled, PolicyEnabled, saved
from rules.events.stored import Stored
from rules.failures import InvalidInput
from rules.people import Account, Membership, Person, Role
from rules.policy import Policy, RequiredOf, Wanted

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OFF = Policy(None, None, None, NOW)
SECOND = timedelta(seconds=1)


def on(days: int, since: datetime = NOW) -> Policy:
    """A requirement with that many days of grace."""
    return Policy(since, days, since + timedelta(days=days), NOW)


def of(policy: Policy, required_of: RequiredOf, joiner_days: int = 0) -> Policy:
    """The same requirement, of these people."""
    return replace(policy, required_of=required_of, joiner_days=joiner_days)


def person(*policies: Policy, enrolled: bool = False, reset: bool = False) -> Person:
    """A member of one account for each policy."""
    return Person(
        now=NOW,
        session_id=UUID(int=1),
        password_at=NOW,
        amr=("pwd",),
        expires_at=NOW + timedelta(days=30),
        second_factor_at=None,
        proof_lifetime=timedelta(minutes=15),
        id=UUID(int=2),
        email="mia@agency.example",
        is_super_admin=False,
        mfa_enabled_at=NOW if enrolled else None,
        backup_codes_remaining=0,
        reenrollment_required_at=NOW if reset else None,
        enrollment_stopped_at=None,
        enrollment_confirmed_at=None,
        memberships=tuple(
            Membership(UUID(int=10 + n), Role.MEMBER, Account(UUID(int=20 + n), f"Agency {n}", p), p.deadline)
            for n, p in enumerate(policies)
        ),
    )


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=7), 7),
        (timedelta(days=6) + SECOND, 7),
        (timedelta(days=1), 1),
        (timedelta(days=1) + SECOND, 2),
        (SECOND, 1),
        (timedelta(0), 0),
        (-SECOND, 0),
    ],
)
def test_days_remaining_are_rounded_up_and_zero_exactly_from_the_deadline(left: timedelta, days: int) -> None:
    assert policy.days_remaining(NOW + left, NOW) == days


@pytest.mark.parametrize(("left", "blocking"), [(SECOND, False), (timedelta(0), True), (-SECOND, True)])
def test_the_gate_closes_at_the_deadline_to_the_second(left: timedelta, blocking: bool) -> None:
    account = on(7, NOW - timedelta(days=7) + left)
    assert person(account).memberships[0].is_blocking(NOW) is blocking


@pytest.mark.parametrize(
    ("require", "given", "held", "wanted"),
    [
        (True, None, None, 7),
        (True, None, 14, 14),
        (True, None, 0, 0),
        (True, 0, 14, 0),
        (True, 30, None, 30),
        (False, None, 14, None),
    ],
)
def test_the_grace_period_is_kept_and_begins_with_seven_days(
    require: bool, given: int | None, held: int | None, wanted: int | None
) -> None:
    assert policy.wanted_grace_days(require, given, held) == wanted


@pytest.mark.parametrize(("require", "given"), [(True, -1), (True, 31), (False, 7), (False, 0)])
def test_a_grace_period_out_of_range_or_without_requirement_names_the_field(require: bool, given: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        policy.wanted_grace_days(require, given, None)
    assert raised.value.field == "gracePeriodDays"


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (OFF, on(7), PolicyEnabled),
        (OFF, OFF, None),
        (on(7), on(7), None),
        (on(7), on(3), PolicyChanged),
        (on(7), OFF, PolicyDisabled),
    ],
)
def test_saving_is_an_event_only_when_something_changes(
    before: Policy, after: Policy, event: type[Event] | None
) -> None:
    assert policy.is_change(before, policy.Wanted(after.grace_days)) == (event is not None)
    if event is not None:
        told = saved(before, after, UUID(int=1), UUID(int=2))
        assert (type(told), told.account_id, told.actor_id) == (event, UUID(int=1), UUID(int=2))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (OFF, on(7), "required MFA of all staff by 1 December 2026."),
        (
            OFF,
            of(on(7), RequiredOf.OWNERS_AND_ADMINS),
            "required MFA of owners and admins by 1 December 2026, with 0 days for those who join later.",
        ),
        (
            OFF,
            of(on(7), RequiredOf.EVERYONE, 5),
            "required MFA of all staff by 1 December 2026, with 5 days for those who join later.",
        ),
        (on(7), on(8), "moved the MFA deadline to 2 December 2026."),
        (
            on(7),
            of(on(8), RequiredOf.OWNERS_AND_ADMINS),
            "moved the MFA deadline to 2 December 2026: required of owners and admins, with 0 days for those who join "
            "later.",
        ),
        (
            of(on(7), RequiredOf.OWNERS_AND_ADMINS),
            on(8),
            "moved the MFA deadline to 2 December 2026: required of all staff, with 0 days for those who join later.",
        ),
        (
            of(on(7), RequiredOf.EVERYONE, 5),
            on(8),
            "moved the MFA deadline to 2 December 2026: required of all staff, with 0 days for those who join later.",
        ),
        (
            on(7),
            of(on(7), RequiredOf.OWNERS_AND_ADMINS),
            "required MFA of owners and admins, with 0 days for those who join later.",
        ),
    ],
)
def test_the_log_says_of_whom_it_is_required_wherever_that_was_chosen(
    before: Policy, after: Policy, sentence: str
) -> None:
    stored = Stored.of(saved(before, after, UUID(int=1), UUID(int=2)))
    assert stored.summary("adam", None) == stored.alert_summary("adam", None) == f"adam {sentence}"


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (7, "Your agency requires MFA for all staff. You have 7 days to set it up."),
        (1, "Your agency requires MFA for all staff. You have 1 day to set it up."),
        (0, "Your agency requires MFA for all staff. Set it up now to continue accessing your account."),
    ],
)
def test_the_notice_says_how_many_days_are_left(days: int, message: str) -> None:
    found = notice.for_person(person(on(days)))
    assert found is not None
    assert (found.message, found.days_remaining, found.blocking) == (message, days, days == 0)


@pytest.mark.parametrize("days", [0, 1, 7])
def test_a_policy_that_began_amid_the_request_has_all_of_its_days_and_no_more(days: int) -> None:
    found = notice.for_person(person(on(days, since=NOW + timedelta(milliseconds=20))))
    assert found is not None
    assert (found.days_remaining, found.blocking) == (days, days == 0)


def test_the_most_urgent_account_is_the_one_noticed() -> None:
    found = notice.for_person(person(on(7), on(3), OFF))
    assert found is not None
    assert found.account is not None
    assert found.account.name == "Agency 1"


def test_whoever_is_enrolled_or_asked_by_nobody_sees_no_notice() -> None:
    assert notice.for_person(person(on(0), enrolled=True)) is None
    assert notice.for_person(person(OFF)) is None


def test_after_a_reset_the_notice_blocks_whatever_the_policies_say() -> None:
    found = notice.for_person(person(OFF, reset=True))
    assert found is not None
    assert (found.account, found.blocking, found.days_remaining) == (None, True, 0)


def test_whoever_has_no_role_any_more_is_not_asked_for_what_they_may_not_do() -> None:
    assert notice.for_person(person(reset=True)) is None


def test_the_gate_is_per_account() -> None:
    member = person(on(0), on(7))
    assert [member.is_blocked_at(m.account) for m in member.memberships] == [True, False]


def test_after_a_reset_the_gate_is_closed_everywhere_until_enrolled() -> None:
    member = person(OFF, on(7), reset=True)
    assert [member.is_blocked_at(m.account) for m in member.memberships] == [True, True]


@pytest.mark.parametrize(
    ("wanted", "is_change"),
    [
        (Wanted(7), False),
        (Wanted(7, 0, RequiredOf.EVERYONE), False),
        (Wanted(8), True),
        (Wanted(None), True),
        (Wanted(7, joiner_days=1), True),
        (Wanted(7, required_of=RequiredOf.OWNERS_AND_ADMINS), True),
    ],
)
def test_any_one_difference_is_a_change_and_what_is_not_said_is_none(wanted: Wanted, is_change: bool) -> None:
    assert policy.is_change(on(7), wanted) is is_change


@pytest.mark.parametrize(("days", "is_taken"), [(None, True), (0, True), (30, True), (-1, False), (31, False)])
def test_joiners_get_0_to_30_days(days: int | None, is_taken: bool) -> None:
    if is_taken:
        policy.check_joiner_days(days)
    else:
        with pytest.raises(InvalidInput):
            policy.check_joiner_days(days)
