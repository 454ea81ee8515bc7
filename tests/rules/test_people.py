"""What follows from what is known of a signed-in person: proofs, roles, and whom they may act on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rules import notice
from rules.people import ENROLLMENT_STOPPED, LINK_NEEDED, NEVER_ENROLLED, Account, Membership, Person, Role
from rules.policy import Policy

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROOF = timedelta(minutes=15)
HERE, ELSEWHERE, STRANGE = (UUID(int=n) for n in (20, 21, 22))


def account(account_id: UUID, **policy: bool) -> Account:
    return Account(account_id, "Agency", Policy(None, None, None, NOW, **policy))  # type: ignore[arg-type]


def person(*roles: tuple[UUID, Role], **facts: object) -> Person:
    """Somebody with these roles, who has no factor and has just given the password."""
    plain = Person(
        now=NOW,
        session_id=UUID(int=1),
        password_at=NOW,
        amr=("pwd",),
        expires_at=NOW + timedelta(days=30),
        second_factor_at=None,
        proof_lifetime=PROOF,
        id=UUID(int=2),
        email="olive@agency.example",
        is_super_admin=False,
        mfa_enabled_at=None,
        backup_codes_remaining=0,
        reenrollment_required_at=None,
        enrollment_stopped_at=None,
        enrollment_confirmed_at=None,
        memberships=tuple(Membership(UUID(int=10), role, account(each), None) for each, role in roles),
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


def enrolled(*roles: tuple[UUID, Role], **facts: object) -> Person:
    return person(*roles, **({"mfa_enabled_at": NOW} | facts))


@pytest.mark.parametrize(
    ("facts", "is_fresh", "is_fresh_beside_code"),
    [
        ({"password_at": NOW - PROOF + SECOND}, True, True),
        ({"password_at": NOW - PROOF}, False, False),
        ({"mfa_enabled_at": NOW}, False, True),
        ({"mfa_enabled_at": NOW, "second_factor_at": NOW - PROOF + SECOND, "password_at": NOW - PROOF}, True, True),
        ({"mfa_enabled_at": NOW, "second_factor_at": NOW - PROOF, "password_at": NOW - PROOF}, False, False),
        ({"mfa_enabled_at": NOW, "second_factor_at": NOW - PROOF}, False, True),
    ],
)
def test_a_proof_holds_for_so_long_and_is_the_second_factor_where_there_is_one(
    facts: dict[str, object], is_fresh: bool, is_fresh_beside_code: bool
) -> None:
    found = person((HERE, Role.OWNER), **facts)
    assert (found.is_fresh, found.is_fresh_beside_code) == (is_fresh, is_fresh_beside_code)


def test_who_manages_and_who_owns() -> None:
    roles = {role: person((HERE, role)) for role in Role}
    assert {role: (each.manages(HERE), each.owns(HERE)) for role, each in roles.items()} == {
        Role.OWNER: (True, True),
        Role.ADMIN: (True, False),
        Role.MEMBER: (False, False),
    }
    assert not roles[Role.OWNER].manages(ELSEWHERE)
    assert not roles[Role.OWNER].owns(ELSEWHERE)


OWNER, ADMIN = (HERE, Role.OWNER), (HERE, Role.ADMIN)
BOTH = (OWNER, (ELSEWHERE, Role.ADMIN))


@pytest.mark.parametrize(
    ("who", "whose", "elsewhere", "owned_elsewhere", "is_let"),
    [
        ((OWNER,), Role.OWNER, [], [], True),
        ((ADMIN,), Role.OWNER, [], [], False),
        ((ADMIN,), Role.ADMIN, [], [], True),
        (BOTH, Role.MEMBER, [ELSEWHERE], [], True),
        (BOTH, Role.MEMBER, [ELSEWHERE], [ELSEWHERE], False),
        ((OWNER, (ELSEWHERE, Role.OWNER)), Role.MEMBER, [ELSEWHERE], [ELSEWHERE], True),
        ((OWNER, (ELSEWHERE, Role.MEMBER)), Role.MEMBER, [ELSEWHERE], [], False),
        (BOTH, Role.MEMBER, [ELSEWHERE, STRANGE], [], False),
    ],
)
def test_nobody_acts_on_an_owner_but_an_owner_nor_on_whom_they_do_not_manage_everywhere(
    who: tuple[tuple[UUID, Role], ...],
    whose: Role,
    elsewhere: list[UUID],
    owned_elsewhere: list[UUID],
    is_let: bool,
) -> None:
    found = enrolled(*who)
    assert (found.may_reset(whose, HERE, elsewhere, owned_elsewhere) is None) is is_let
    assert (found.may_end_sessions(whose, HERE, elsewhere, owned_elsewhere) is None) is is_let


def test_whoever_resets_has_mfa_on_and_owners_alone_reset_whom_a_dispute_has_stopped() -> None:
    assert person(OWNER).may_reset(Role.MEMBER, HERE, [], []) is not None
    assert person(OWNER).may_end_sessions(Role.MEMBER, HERE, [], []) is None
    assert enrolled(ADMIN).may_reset(Role.MEMBER, HERE, [], [], is_stopped=True) is not None
    assert enrolled(OWNER).may_reset(Role.MEMBER, HERE, [], [], is_stopped=True) is None


def test_what_keeps_somebody_from_enrolling() -> None:
    confirming = Membership(UUID(int=10), Role.MEMBER, account(HERE, confirm_reset_by_email=True), None)
    reset = person(reenrollment_required_at=NOW, memberships=(confirming,))
    assert reset.why_not_enroll == LINK_NEEDED
    assert replace(reset, enrollment_confirmed_at=NOW).why_not_enroll is None
    assert replace(reset, reenrollment_required_at=None).why_not_enroll is None
    assert person(OWNER, reenrollment_required_at=NOW).why_not_enroll is None
    assert replace(reset, enrollment_stopped_at=NOW).why_not_enroll == ENROLLMENT_STOPPED
    assert person().why_not_enroll == NEVER_ENROLLED
    assert person(is_super_admin=True).why_not_enroll is None


def test_a_reset_closes_the_gate_everywhere_and_a_deadline_at_its_own_account_until_the_person_enrolls() -> None:
    passed = Membership(UUID(int=10), Role.MEMBER, account(HERE), NOW)
    late = person((ELSEWHERE, Role.MEMBER))
    late = replace(late, memberships=(passed, *late.memberships))
    assert [late.is_blocked_at(account(each)) for each in (HERE, ELSEWHERE, STRANGE)] == [True, False, False]
    reset = replace(late, reenrollment_required_at=NOW)
    assert [reset.is_blocked_at(account(each)) for each in (HERE, ELSEWHERE, STRANGE)] == [True, True, True]
    assert not replace(reset, mfa_enabled_at=NOW).is_blocked_at(account(HERE))


def test_the_notice_is_of_the_earliest_deadline_and_of_none_that_an_exemption_holds_off() -> None:
    later = Membership(UUID(int=10), Role.MEMBER, account(HERE), NOW + timedelta(days=5))
    sooner = Membership(UUID(int=11), Role.MEMBER, account(ELSEWHERE), NOW + timedelta(days=1))
    both = person(memberships=(later, sooner))
    found = notice.for_person(both)
    assert found is not None
    assert found.account is not None
    assert (found.account.id, found.days_remaining, found.blocking) == (ELSEWHERE, 1, False)
    assert found.message == "Your agency requires MFA for all staff. You have 1 day to set it up."
    exempt = notice.for_person(replace(both, memberships=(later, replace(sooner, is_exempt=True))))
    assert exempt is not None
    assert exempt.days_remaining == 5
    assert notice.for_person(replace(both, mfa_enabled_at=NOW)) is None
    assert notice.for_person(person(reenrollment_required_at=NOW)) is None
