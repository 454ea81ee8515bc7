"""What each email says, to whom, and that nothing in it loads from elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest

from rules.events.base import OwnAct
from rules.events.catalogue import EVENTS, samples
from rules.events.mfa import MfaReset
from rules.links import SAMPLE_TOKEN
from tests.emails.rendering import MAILS, part

GOLDEN = Path(__file__).parent / "golden"
SUBJECTS = {
    "mfa_enabled": "MFA is on for your sign-in",
    "mfa_disabled": "MFA is off for your sign-in",
    "staff_session_ended": "One of your sessions was ended",
    "staff_session_ended_by_operator": "One of your sessions was ended",
    "new_device_signed_in": "A sign-in from a new device",
    "new_device_signed_in_by_provider": "A sign-in from a new device",
    "backup_codes_regenerated": "Your backup codes were replaced",
    "authenticator_replaced": "Your authenticator app was replaced",
    "identity_linked": "Your sign-in now works by Google",
    "identity_removed": "Google no longer signs you in",
    "identity_removed_by_manager": "Google no longer signs you in",
    "identity_removed_by_operator": "Google no longer signs you in",
    "identity_allowed": "Google may sign you in again",
    "identity_allowed_by_manager": "Google may sign you in again",
    "identity_allowed_by_operator": "Google may sign you in again",
    "backup_code_used": "A backup code was used to sign in",
    "backup_code_used_last": "A backup code was used to sign in",
    "mfa_reset": "Your MFA was reset: set it up again",
    "mfa_reset_by_operator": "Your MFA was reset: set it up again",
    "authenticator_disputed_of_manager": "The MFA of a colleague may be somebody else's",
    "authenticator_disputed": "The MFA of a colleague may be somebody else's",
    "mfa_reset_disputed": "A reset of MFA was not what your colleague wanted",
    "enrollment_link_requested": "Confirm that you set up MFA again",
    "mfa_challenge_locked": "Too many wrong codes for your sign-in",
    "mfa_challenge_locked_of_new_app": "Too many wrong codes for a new authenticator app",
    "sign_in_locked": "Too many wrong passwords for your sign-in",
    "mfa_deadline_extended": "You have until 1 December 2026 to set up MFA",
    "mfa_deadline_extended_by_operator": "You have until 1 December 2026 to set up MFA",
    "mfa_exempted": "You need not set up MFA until 1 December 2026",
    "mfa_exempted_by_operator": "You need not set up MFA until 1 December 2026",
    "mfa_exception_ended": "Your exception from MFA has ended",
    "mfa_exception_ended_by_operator": "Your exception from MFA has ended",
    "mfa_reset_requested": "Somebody asked to reset your MFA",
    "mfa_reset_requested_owners": "A reset of a colleague's MFA waits for approval",
    "mfa_reset_declined": "The reset of your MFA is off",
    "mfa_reset_declined_by_operator": "The reset of your MFA is off",
    "mfa_reset_declined_owners": "The reset of a colleague's MFA is off",
    "mfa_reset_declined_by_operator_owners": "The reset of a colleague's MFA is off",
    "mfa_reset_stopped": "The reset of your MFA is off",
    "mfa_reset_stopped_owners": "The reset of a colleague's MFA is off",
    "mfa_reset_expired": "The reset of your MFA is off",
    "mfa_reset_expired_owners": "The reset of a colleague's MFA is off",
    "recovery_pass_issued": "A recovery pass was given for your sign-in",
    "recovery_pass_issued_by_operator": "A recovery pass was given for your sign-in",
    "recovery_pass_issued_owners": "A recovery pass was given to your colleague",
    "recovery_pass_issued_by_operator_owners": "A recovery pass was given to your colleague",
    "recovery_pass_used": "A recovery pass was used to sign in as you",
    "recovery_pass_used_owners": "A recovery pass of your colleague was used",
    "account_recovery_requested": "Confirm that you want to come back without MFA",
    "account_recovery_started": "Your MFA is reset in some days unless you stop it",
    "account_recovery_started_owners": "A colleague asked to come back without MFA",
    "account_recovery_reminded": "Your MFA will be reset soon unless you stop it",
    "account_recovery_reminded_owners": "A colleague's MFA will be reset soon unless it is stopped",
    "account_recovery_stopped_by_manager": "Your MFA is not reset: coming back without it was stopped",
    "check_up_reminded": "Does your authenticator app still work?",
    "account_recovery_stopped": "Your MFA is not reset: coming back without it was stopped",
    "account_recovery_stopped_by_operator": "Your MFA is not reset: coming back without it was stopped",
    "account_recovery_unreached": "Your MFA is not reset: coming back without it was stopped",
    "account_recovery_lapsed": "Your MFA is not reset: coming back without it was stopped",
    "account_recovery_completed": "Your MFA was reset as you asked: set it up again",
    "email_changed": "Your email address was changed",
    "alert": "Somebody of your agency turned off MFA",
    "alert_of_a_webhook": "A webhook was added to your agency",
    "alerts_gathered": "3 more alerts: A sign-in of your agency was locked",
    "alerts_of_two_agencies": "2 more alerts: Somebody of your agency turned off MFA",
    "digest": "19 things open in your agency",
    "digest_short": "1 thing open in your agency",
    "alerts_changed": "The alerts of your agency were changed",
    "alerts_switched_off": "The alerts of your agency were changed",
    "webhook_disabled": "A webhook of your agency was switched off",
    "break_glass_signed_in": "Somebody signed in to a break-glass account",
    "sign_in_slowed": "Many wrong passwords for your sign-in",
    "policy_enabled": "Set up MFA by 1 December 2026",
    "policy_enabled_at_once": "Set up MFA by 24 November 2026",
    "mfa_required": "Set up MFA by 1 December 2026",
    "mfa_required_at_once": "Set up MFA to continue",
    "policy_changed": "The MFA deadline is now 1 December 2026",
    "policy_changed_to_all_staff": "The MFA deadline is now 1 December 2026",
    "policy_changed_to_the_past": "The MFA deadline is now 22 November 2026",
    "grace_reminder": "3 days left to set up MFA",
    "grace_reminder_last": "1 day left to set up MFA",
    "grace_period_ended": "Set up MFA to continue",
    "staff_invited": 'Join the agency "Riverbend Studio"',
    "password_reset_requested": "Set a new password",
    "password_changed": "Your password was changed",
    "password_set": "Your password was set",
}
# Beside their buttons, where they lead elsewhere than "This was not me" of a reset.
LINKS = {
    "new_device_signed_in": ("/not-my-session", "This was not me"),
    "new_device_signed_in_by_provider": ("/not-my-session", "This was not me"),
    "mfa_reset_requested": ("/not-wanted", "Stop the reset"),
    "account_recovery_completed": ("/not-me", "This was not me"),
    "account_recovery_started": ("/not-my-recovery", "Stop it"),
    "account_recovery_reminded": ("/not-my-recovery", "Stop it"),
}
# What was done by the person, or by somebody in their place.
SECURITY = [
    name
    for event in EVENTS
    if event.mailing and (issubclass(event, OwnAct) or event is MfaReset)
    for name in samples(event)
    if name in MAILS
]

every_mail = pytest.mark.parametrize("name", MAILS)


def test_every_subject_is_exactly_as_promised() -> None:
    assert {name: mail["Subject"] for name, mail in MAILS.items()} == SUBJECTS


@every_mail
def test_the_text_is_the_golden_one(name: str) -> None:
    assert part(MAILS[name], "plain") == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@every_mail
def test_text_comes_first_and_html_second(name: str) -> None:
    mail = MAILS[name]
    assert mail.get_content_type() == "multipart/alternative"
    assert [alternative.get_content_type() for alternative in mail.iter_parts()] == ["text/plain", "text/html"]


@every_mail
def test_the_headers_say_who_when_and_that_a_machine_sent_it(name: str) -> None:
    mail = MAILS[name]
    assert mail["From"] == "TaskJuice <no-reply@gatehouse.example.com>"
    assert mail["To"] == "mia@example.com"
    assert mail["Date"] == "Tue, 24 Nov 2026 14:03:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


@every_mail
def test_it_survives_the_way_over_the_wire(name: str) -> None:
    wire = MAILS[name].as_bytes(policy=policy.SMTP)
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    received = message_from_bytes(wire, policy=policy.default)
    assert isinstance(received, EmailMessage)
    assert part(received, "html") == part(MAILS[name], "html")


@every_mail
def test_html_and_text_tell_the_same(name: str) -> None:
    html = re.sub(
        r"<head>.*?</head>|<!--.*?-->|<div class=\"preheader.*?</div>", " ", part(MAILS[name], "html"), flags=re.S
    )
    shown = Counter(re.findall(r"\w+", unescape(re.sub(r"<[^>]+>", " ", html))))
    said = Counter(re.findall(r"\w+", part(MAILS[name], "plain")))
    assert shown - said == Counter(re.findall(r"\w+", f"{SUBJECTS[name]} The button leads to"))
    # The text shows where a link leads that the HTML has behind its words.
    not_me = [url for url in re.findall(r"https\S+", part(MAILS[name], "plain")) if re.search("/not-[mw][^/]*#", url)]
    assert said - shown == Counter(re.findall(r"\w+", "".join(not_me)))


@every_mail
def test_nothing_is_loaded_and_every_link_is_the_one_that_the_button_has(name: str) -> None:
    html = part(MAILS[name], "html")
    assert not re.search(r"<(img|link|script|iframe|object|form|base)\b|url\(|@import|\bsrc=", html)
    path, words = LINKS.get(name, ("/not-me", "This was not me"))
    not_me = f"https://gatehouse.example.com{path}#token={SAMPLE_TOKEN}"
    has_not_me = name in {"mfa_reset", "mfa_reset_by_operator", "mfa_enabled", *LINKS}
    assert (f'<a href="{not_me}">{words}</a>' in html) == has_not_me
    (action,) = set(re.findall(r'href="([^"]*)"', html)) - {not_me}
    assert action in {
        "https://gatehouse.example.com/account/security",
        f"https://gatehouse.example.com/account/security#token={SAMPLE_TOKEN}",
        "https://gatehouse.example.com/settings/security",
        f"https://gatehouse.example.com/set-password#token={SAMPLE_TOKEN}",
        f"https://gatehouse.example.com/set-password?invited#token={SAMPLE_TOKEN}",
        f"https://gatehouse.example.com/come-back#token={SAMPLE_TOKEN}",
    }
    elsewhere = {"https://gatehouse.example.com/sign-in"} if name.startswith("password_") else set()
    assert set(re.findall(r"https?://[^\s\"'<]+", html)) <= {action, f"{action}.", not_me, *elsewhere}


@every_mail
def test_the_html_has_one_heading_a_language_a_preheader_and_both_media_queries(name: str) -> None:
    html = part(MAILS[name], "html")
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", html) == [SUBJECTS[name]]
    assert '<html lang="en">' in html
    assert re.search(r'<div class="preheader"[^>]*display: none[^>]*>[^<]+</div>', html)
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 480px" in html
    assert "max-width: 600px" in html


@every_mail
def test_the_styles_are_in_the_elements(name: str) -> None:
    html = part(MAILS[name], "html")
    assert re.search(r'<h1 style="[^"]*font-size: 24px', html)
    assert len(re.findall(r"<style", html)) == 1


@pytest.mark.parametrize("name", SECURITY)
def test_security_mail_says_what_to_do_if_it_was_not_you(name: str) -> None:
    heading = "If you did not ask for this" if name.startswith("mfa_reset") else "If this was not you"
    assert f"\n\n{heading}\n\n" in part(MAILS[name], "plain")
    assert re.search(rf"<h2[^>]*>{heading}</h2>", part(MAILS[name], "html"))


@pytest.mark.parametrize("name", [name for name in SECURITY if not name.startswith("mfa_reset")])
def test_security_mail_says_when_and_from_where(name: str) -> None:
    text = part(MAILS[name], "plain")
    assert "When: 24 November 2026, 14:03 UTC\n" in text
    assert "IP address: 203.0.113.7\nBrowser: Firefox on Linux\n" in text


def test_a_reset_says_when_and_by_whom_but_not_where_the_admin_sat() -> None:
    for mail in (MAILS["mfa_reset"], MAILS["mfa_reset_by_operator"]):
        for kind in ("plain", "html"):
            assert "24 November 2026, 14:03 UTC" in part(mail, kind)
            assert not re.search(r"203\.0\.113\.7|Firefox|IP address", part(mail, kind))
    assert 'An owner or admin of the agency "Riverbend Studio" reset' in part(MAILS["mfa_reset"], "plain")
    assert "The operator of TaskJuice reset" in part(MAILS["mfa_reset_by_operator"], "plain")


@every_mail
def test_it_says_that_no_email_asks_for_a_password_or_code(name: str) -> None:
    for kind in ("plain", "html"):
        assert "We never ask for a password or a code by email." in part(MAILS[name], kind)
