"""Every event there is, in the order in which the schema lists them."""

from __future__ import annotations

from dataclasses import MISSING, fields

from rules.events.account_recovery import (
    AccountRecoveryChanged,
    AccountRecoveryCompleted,
    AccountRecoveryReminded,
    AccountRecoveryRequested,
    AccountRecoveryStarted,
    AccountRecoveryStopped,
)
from rules.events.alerts import AlertRaised, AlertsChanged, DigestSent
from rules.events.base import Event
from rules.events.languages import AccountLanguageChanged, LanguageChanged
from rules.events.mailing import SECURITY
from rules.events.mfa import (
    AuthenticatorDisputed,
    AuthenticatorReplaced,
    BackupCodesRegenerated,
    BackupCodesSaved,
    CheckUpReminded,
    EnrollmentConfirmed,
    EnrollmentLinkRequested,
    MfaDisabled,
    MfaEnabled,
    MfaProved,
    MfaReset,
    MfaResetDisputed,
)
from rules.events.passwords import PasswordChanged, PasswordResetRequested
from rules.events.policy import (
    GracePeriodEnded,
    GraceReminderSent,
    MfaRequired,
    PolicyChanged,
    PolicyDisabled,
    PolicyEnabled,
    PolicyPrepared,
    ResetConfirmationChanged,
)
from rules.events.providers import (
    DomainBound,
    DomainReleased,
    DomainRequested,
    DomainRequestEnded,
    ProviderMfaAllowed,
    ProviderMfaDisallowed,
)
from rules.events.recovery import RecoveryPassIssued, RecoveryPassUsed
from rules.events.resets import (
    MfaResetDeclined,
    MfaResetExpired,
    MfaResetRequested,
    MfaResetStopped,
    ResetApprovalChanged,
)
from rules.events.samples import FILLED_IN
from rules.events.signing_in import (
    BackupCodeUsed,
    CodeRejected,
    CodeReplayed,
    IdentityAllowed,
    IdentityLinked,
    IdentityRemoved,
    MfaChallengeLocked,
    NewDeviceSignedIn,
    PasswordRejected,
    Reauthenticated,
    SessionsEnded,
    SignedOut,
    SignInLocked,
    SignInRejected,
    SignInSlowed,
    SignInSucceeded,
)
from rules.events.staff import (
    AccountCreated,
    AccountViewed,
    EmailChanged,
    InvitationRevoked,
    PortalUserAdded,
    RoleGiven,
    ServiceKeyCreated,
    ServiceKeyRevoked,
    ServiceKeySessionsEnded,
    StaffAdded,
    StaffDeactivated,
    StaffInvited,
    StaffReactivated,
    StaffRemoved,
    StaffRoleChanged,
    StaffSessionEnded,
    SuperAdminGranted,
    SuperAdminRevoked,
)
from rules.events.standing import BreakGlassSignedIn, MfaDeadlineExtended, MfaExceptionEnded, MfaExempted
from rules.events.webhooks import WebhookAdded, WebhookDisabled, WebhookEnabled, WebhookRemoved, WebhookSecretRotated

EVENTS: tuple[type[Event], ...] = (
    SignInSucceeded,
    SignInLocked,
    SignInSlowed,
    PasswordRejected,
    CodeRejected,
    MfaChallengeLocked,
    Reauthenticated,
    MfaEnabled,
    MfaDisabled,
    MfaReset,
    BackupCodesRegenerated,
    AuthenticatorReplaced,
    BackupCodeUsed,
    PolicyEnabled,
    PolicyChanged,
    PolicyDisabled,
    GraceReminderSent,
    GracePeriodEnded,
    AccountCreated,
    StaffAdded,
    StaffRoleChanged,
    StaffRemoved,
    PortalUserAdded,
    SuperAdminGranted,
    SuperAdminRevoked,
    MfaDeadlineExtended,
    MfaExempted,
    MfaExceptionEnded,
    BreakGlassSignedIn,
    StaffInvited,
    InvitationRevoked,
    PasswordResetRequested,
    PasswordChanged,
    EmailChanged,
    ServiceKeyCreated,
    ServiceKeyRevoked,
    ServiceKeySessionsEnded,
    WebhookAdded,
    WebhookRemoved,
    WebhookSecretRotated,
    WebhookEnabled,
    WebhookDisabled,
    SignedOut,
    SessionsEnded,
    StaffDeactivated,
    StaffReactivated,
    MfaResetDisputed,
    EnrollmentLinkRequested,
    EnrollmentConfirmed,
    ResetConfirmationChanged,
    MfaRequired,
    IdentityLinked,
    IdentityRemoved,
    IdentityAllowed,
    DomainBound,
    DomainReleased,
    DomainRequested,
    DomainRequestEnded,
    ProviderMfaAllowed,
    ProviderMfaDisallowed,
    CodeReplayed,
    AccountViewed,
    PolicyPrepared,
    AlertsChanged,
    AlertRaised,
    DigestSent,
    NewDeviceSignedIn,
    SignInRejected,
    StaffSessionEnded,
    RecoveryPassIssued,
    RecoveryPassUsed,
    LanguageChanged,
    AccountLanguageChanged,
    MfaResetRequested,
    MfaResetDeclined,
    MfaResetStopped,
    MfaResetExpired,
    ResetApprovalChanged,
    BackupCodesSaved,
    MfaProved,
    AccountRecoveryRequested,
    AccountRecoveryStarted,
    AccountRecoveryReminded,
    AccountRecoveryStopped,
    AccountRecoveryCompleted,
    AccountRecoveryChanged,
    CheckUpReminded,
    AuthenticatorDisputed,
)
# What audit logs show and webhooks tell.
SHOWN = tuple(event for event in EVENTS if event.is_shown)
BY_TYPE = {event.type(): event for event in EVENTS}
MEMBER_CHANGES = frozenset(name for name, event in BY_TYPE.items() if event.changes_member)
NO_PROGRESS = frozenset(name for name, event in BY_TYPE.items() if not event.changes_progress)
SHOWN_EVERYWHERE = [name for name, event in BY_TYPE.items() if event.shows_everywhere]
SHOWN_NOWHERE = [name for name, event in BY_TYPE.items() if not event.is_shown]
SHOWN_WHEN_DISPATCHED = [name for name, event in BY_TYPE.items() if event.shows_when_dispatched]
LINKS = {name: event.mailing.link for name, event in BY_TYPE.items() if event.mailing and event.mailing.link}
FURTHER_LINKS = {name: event.mailing.further_links for name, event in BY_TYPE.items() if event.mailing}
# Emailed to nobody where the role is not an owner's; emailed to nobody; emailed at once.
QUIET_UNLESS_OWNER = [name for name, event in BY_TYPE.items() if issubclass(event, RoleGiven) and not event.mailing]
QUIET_TYPES = [name for name, event in BY_TYPE.items() if event.mailing is None and event.alert is None]
SECURITY_TYPES = [
    name
    for name, event in BY_TYPE.items()
    if (event.mailing.queue == SECURITY if event.mailing else event.alert is not None)
]


def samples(event: type[Event]) -> dict[str, Event]:
    """The event's previews by name, each with all that it knows."""
    required = {each.name for each in fields(event) if each.default is MISSING}
    filled_in = {name: value for name, value in FILLED_IN.items() if name in required}
    given = event.samples or {event.mailing.message if event.mailing else event.type().lower(): {}}
    return {name: event(**{**filled_in, **facts}) for name, facts in given.items()}
