"""What is kept of an answer: whole objects, as they have always been written, whatever lists are read off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db import staff, users
from db.staff import Filter
from resolvers.staff import Page
from rules import tokens
from schema import kept
from schema.resets import StaffMfaReset
from schema.roster import StaffConnection
from schema.staff import SeenMember, StaffMember, StaffMfaState
from tests.client import settings_for
from tests.people import World

ID = "00000000-0000-0000-0000-000000000001"
# As versions before the one that reads members of a page field by field have written it.
WRITTEN = {
    "type": "schema.resets:StaffMfaReset",
    "fields": {
        "staff_member": {
            "type": "schema.staff:StaffMember",
            "fields": {
                "id": ID,
                "email": "mia@agency.example",
                "role": {"enum": "schema.common:Role", "member": "MEMBER"},
                "mfa_enabled": False,
                "mfa_state": {"enum": "schema.staff:StaffMfaState", "member": "NOT_ENABLED"},
                "mfa_deadline": {"datetime": "2026-11-24T12:00:00+00:00"},
                "mfa_deadline_reason": {"enum": "schema.staff:MfaDeadlineReason", "member": "POLICY"},
                "mfa_enabled_at": None,
                "last_reminded_at": {"datetime": "2026-11-24T12:00:00+00:00"},
                "last_reminder_failed_at": None,
                "can_reset_mfa": False,
                "can_give_recovery_pass": False,
                "enrollment_stopped": False,
                "mfa_reset_waiting": False,
                "state": {"enum": "schema.staff:StaffState", "member": "INVITED"},
                "invitation": {
                    "type": "schema.staff:Invitation",
                    "fields": {
                        "id": ID,
                        "invited_at": {"datetime": "2026-11-24T12:00:00+00:00"},
                        "expires_at": {"datetime": "2026-12-01T12:00:00+00:00"},
                    },
                },
            },
        }
    },
}


def test_an_answer_that_an_earlier_version_has_kept_is_read_and_would_be_written_alike() -> None:
    answer = kept.read(WRITTEN)
    assert type(answer) is StaffMfaReset and type(answer.staff_member) is StaffMember
    assert answer.staff_member.mfa_state is StaffMfaState.NOT_ENABLED
    assert answer.staff_member.mfa_deadline == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert kept.written(answer) == WRITTEN


async def test_a_whole_member_is_kept_and_one_of_a_page_cannot_be(world: World) -> None:
    token_hash = tokens.digest(tokens.SESSION_PREFIX, (await world.sign_in("olive")).token or "")
    assert token_hash
    olive = await users.person_of_session(world.database, token_hash, settings_for("").time_limits)
    assert olive
    members = await staff.page(world.database, world.account_id, Filter(), None, 100)
    whole = [StaffMember.of(member, olive, world.account_id) for member in members]
    assert kept.read(kept.written(whole)) == whole
    page = Page(members, lambda member: member.email, has_next=False, has_previous=False, notice=None)
    connection = StaffConnection(notice=None, page=page, person=olive, account_id=world.account_id, wanted=Filter())
    for seen in (SeenMember(members[0], olive, world.account_id), connection):
        with pytest.raises(TypeError, match="cannot be kept"):
            kept.written(seen)
