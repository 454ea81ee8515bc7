"""Owners are told by email of what happens in their account: of each event by what, or why not."""

from __future__ import annotations

import pytest

from rules.alerts import AlertKind
from rules.events.base import Event
from rules.events.catalogue import EVENTS
from rules.events.mailing import Audience

# Alerts, as owners have chosen.
ALERTED = {
    "SignInLocked": AlertKind.LOCKED,
    "MfaChallengeLocked": AlertKind.LOCKED,
    "SignInRejected": AlertKind.SIGN_IN_REJECTED,
    "BackupCodeUsed": AlertKind.LAST_BACKUP_CODE_USED,
    "BreakGlassSignedIn": AlertKind.BREAK_GLASS_SIGNED_IN,
    "MfaDisabled": AlertKind.MFA_DISABLED,
    "MfaReset": AlertKind.MFA_RESET,
    "AccountRecoveryCompleted": AlertKind.MFA_RESET,
    "PolicyEnabled": AlertKind.POLICY_CHANGED,
    "PolicyChanged": AlertKind.POLICY_CHANGED,
    "PolicyDisabled": AlertKind.POLICY_CHANGED,
    "PolicyPrepared": AlertKind.POLICY_CHANGED,
    "ResetConfirmationChanged": AlertKind.POLICY_CHANGED,
    "ResetApprovalChanged": AlertKind.POLICY_CHANGED,
    "AccountRecoveryChanged": AlertKind.POLICY_CHANGED,
    "DomainReleased": AlertKind.POLICY_CHANGED,
    "DomainRequested": AlertKind.POLICY_CHANGED,
    "ProviderMfaAllowed": AlertKind.POLICY_CHANGED,
    "WebhookAdded": AlertKind.POLICY_CHANGED,
    "WebhookSecretRotated": AlertKind.POLICY_CHANGED,
    "MfaDeadlineExtended": AlertKind.EXCEPTION_GIVEN,
    "MfaExempted": AlertKind.EXCEPTION_GIVEN,
    "AccountViewed": AlertKind.ACCOUNT_VIEWED,
    "StaffInvited": AlertKind.OWNER_ADDED,
    "StaffAdded": AlertKind.OWNER_ADDED,
    "StaffRoleChanged": AlertKind.OWNER_ADDED,
    "StaffReactivated": AlertKind.OWNER_ADDED,
}
# Mail of their own to the owners, which nobody switches off but the digest.
MAILED = {
    "AccountRecoveryStarted",
    "AccountRecoveryReminded",
    "AlertsChanged",
    "AuthenticatorDisputed",
    "BreakGlassSignedIn",
    "DigestSent",
    "MfaResetDisputed",
    "MfaResetRequested",
    "MfaResetDeclined",
    "MfaResetStopped",
    "MfaResetExpired",
    "RecoveryPassIssued",
    "RecoveryPassUsed",
    "WebhookDisabled",
}
ORDINARY = "what people do each day"
OF_THE_PERSON = "the person is mailed, and says so if it was somebody else"
OF_ONES_OWN = "it changes nothing but what is the person's own"
SAFER = "it takes away, and nobody comes in by it"
ENDS = "it ends what owners were told of"
NOBODYS = "it is of no account"
CARRIED_ON = "it carries on what they were told of"
WHOLE_ROSTER = "the roster shows who is to act, and the digest how many"
# Why the owners are told of no other by email; the audit log has each that is of their account.
NOT_TOLD = {
    "SignInSucceeded": ORDINARY,
    "SignedOut": ORDINARY,
    "Reauthenticated": ORDINARY,
    "MfaProved": ORDINARY,
    "BackupCodesSaved": ORDINARY,
    "PasswordRejected": "ten of them are a lock, which they are told of",
    "CodeRejected": "ten of them are a lock, which they are told of",
    "CodeReplayed": "it counts as a wrong one",
    "SignInSlowed": "it comes after locks, which they are told of",
    "NewDeviceSignedIn": OF_THE_PERSON,
    "SessionsEnded": OF_ONES_OWN,
    "MfaEnabled": OF_THE_PERSON,
    "AuthenticatorReplaced": OF_THE_PERSON,
    "BackupCodesRegenerated": OF_THE_PERSON,
    "PasswordResetRequested": OF_THE_PERSON,
    "PasswordChanged": OF_THE_PERSON,
    "EmailChanged": "both addresses are mailed",
    "IdentityLinked": OF_THE_PERSON,
    "IdentityRemoved": SAFER,
    "IdentityAllowed": OF_THE_PERSON,
    "EnrollmentLinkRequested": CARRIED_ON,
    "EnrollmentConfirmed": CARRIED_ON,
    "AccountRecoveryRequested": "nothing waits until its link is opened",
    "AccountRecoveryStopped": ENDS,
    "MfaExceptionEnded": ENDS,
    "DomainRequestEnded": ENDS,
    "WebhookRemoved": SAFER,
    "WebhookEnabled": "owners were told when it was added, and when it was switched off",
    "DomainBound": SAFER,
    "ProviderMfaDisallowed": SAFER,
    "InvitationRevoked": SAFER,
    "StaffRemoved": SAFER,
    "StaffDeactivated": SAFER,
    "StaffSessionEnded": SAFER,
    "PortalUserAdded": "a portal user has no role in the account",
    "AccountCreated": "nobody else is there yet",
    "AccountLanguageChanged": "words alone",
    "LanguageChanged": OF_ONES_OWN,
    "MfaRequired": WHOLE_ROSTER,
    "GraceReminderSent": WHOLE_ROSTER,
    "GracePeriodEnded": WHOLE_ROSTER,
    "CheckUpReminded": OF_ONES_OWN,
    "AlertRaised": "it is what tells them",
    "SuperAdminGranted": NOBODYS,
    "SuperAdminRevoked": NOBODYS,
    "ServiceKeyCreated": NOBODYS,
    "ServiceKeyRevoked": NOBODYS,
    "ServiceKeySessionsEnded": NOBODYS,
}
TO_OWNERS = {Audience.OWNERS, Audience.MANAGERS}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_owners_hear_of_it_or_there_is_a_reason_why_not(event: type[Event]) -> None:
    name = event.__name__
    is_mailed = any(mailing is not None and mailing.audience in TO_OWNERS for mailing in (event.mailing, event.copy))
    assert event.alert == ALERTED.get(name)
    assert is_mailed is (name in MAILED)
    assert (name in NOT_TOLD) is (event.alert is None and not is_mailed)


def test_nothing_is_told_of_that_there_is_not() -> None:
    assert {*ALERTED, *MAILED, *NOT_TOLD} == {event.__name__ for event in EVENTS}
