"""What an account has to do with OpenID providers."""

from __future__ import annotations

from dataclasses import dataclass

import rules.voice
from rules.alerts import AlertKind
from rules.events.base import AccountEvent
from rules.voice import ENGLISH, Voice

OUTCOMES = {"withdrawn": rules.voice.later("withdrawn"), "refused": rules.voice.later("refused")}


@dataclass(frozen=True, kw_only=True)
class DomainBound(AccountEvent):
    description = "An operator bound an email domain to the account: one provider vouches for its addresses."
    sentence = "Addresses at {domain} are now vouched for by {provider} alone."
    samples = {"domain_bound": {"domain": "agency.example", "provider": "Google"}}

    domain: str
    provider: str


@dataclass(frozen=True, kw_only=True)
class DomainReleased(AccountEvent):
    description = (
        "An operator, or an owner, released an email domain of the account: any provider may vouch for its addresses."
    )
    alert = AlertKind.POLICY_CHANGED
    alert_headline = "Any provider may vouch for a domain of your agency now"
    alert_sentence = "{actor} released {domain}: any provider may vouch for its addresses now."
    sentence = "Addresses at {domain} are vouched for by no provider in particular any more."
    samples = {"domain_released": {"domain": "agency.example"}}

    domain: str


@dataclass(frozen=True, kw_only=True)
class DomainRequested(AccountEvent):
    description = "An owner asked that one provider vouch for the addresses of a domain; an operator decides."
    sentence = "{actor} asked that addresses at {domain} be vouched for by {provider} alone."
    alert = AlertKind.POLICY_CHANGED
    alert_headline = "Somebody asked that one provider vouch for a domain of your agency"
    samples = {"domain_requested": {"domain": "agency.example", "provider": "Google"}}

    domain: str
    provider: str


@dataclass(frozen=True, kw_only=True)
class DomainRequestEnded(AccountEvent):
    description = "A request for an email domain was withdrawn by an owner, or refused by an operator."
    sentence = "The request for addresses at {domain} was {outcome}."
    samples = {"domain_request_ended": {"domain": "agency.example", "outcome": "withdrawn"}}

    domain: str
    outcome: str

    def words(self, voice: Voice = ENGLISH) -> dict[str, str]:
        """The facts, with what came of it in words."""
        return super().words(voice) | {"outcome": voice.text(OUTCOMES.get(self.outcome, self.outcome))}


@dataclass(frozen=True, kw_only=True)
class ProviderMfaAllowed(AccountEvent):
    description = "An owner lets a second factor that is shown at a provider satisfy the account's MFA requirement."
    sentence = "{actor} lets a second factor shown at {provider} satisfy the MFA requirement."
    alert = AlertKind.POLICY_CHANGED
    samples = {"provider_mfa_allowed": {"provider": "Google"}}

    provider: str


@dataclass(frozen=True, kw_only=True)
class ProviderMfaDisallowed(AccountEvent):
    description = "An owner no longer lets a second factor that is shown at a provider satisfy the MFA requirement."
    sentence = "{actor} no longer lets a second factor shown at {provider} satisfy the MFA requirement."
    samples = {"provider_mfa_disallowed": {"provider": "Google"}}

    provider: str
