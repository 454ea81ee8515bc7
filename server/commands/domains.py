"""The commands for email domains of accounts: which OpenID provider vouches for their addresses."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.domains
import rules.addresses
from db.account_providers import DomainRequest
from resolvers.operators.finding import OperatorError
from rules.addresses import NotAnAddressError
from rules.oidc import ProviderConfig
from server.commands.operators import account_option, opened
from server.commands.options import data_dir_option, load, row


class Domain(click.ParamType[str]):
    """An email domain, in the form in which addresses are kept."""

    name = "domain"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The domain; a usage error for what is none."""
        try:
            return rules.addresses.checked_domain(value)
        except NotAnAddressError:
            self.fail(f"{value!r} is no domain, as in agency.example.", param, ctx)


domain_option = click.option("--domain", type=Domain(), required=True, help="What stands behind the @.")
provider_option = click.option(
    "--provider", required=True, help="The provider's name, as in GATEHOUSE_OIDC_<NAME>_ISSUER."
)


@click.group()
def domains() -> None:
    """Email domains of accounts: which OpenID provider vouches for their addresses."""


@domains.command("bind")
@account_option
@domain_option
@provider_option
@data_dir_option
def bind(account_id: UUID, domain: str, provider: str, data_dir: Path | None) -> None:
    """Let one provider alone vouch for addresses at a domain, and for no others."""
    with opened(data_dir) as run:
        config = _provider(provider)
        run(lambda database: resolvers.operators.domains.bind(database, account_id, domain, config))
    click.echo(f"Addresses at {domain} are vouched for by {config.title} alone.")


@domains.command("release")
@account_option
@domain_option
@data_dir_option
def release(account_id: UUID, domain: str, data_dir: Path | None) -> None:
    """Let any provider vouch for addresses at a domain; the one it was bound to still vouches for no others."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.domains.release(database, account_id, domain))
    click.echo(f"{domain} is released.")


@domains.command("trust")
@provider_option
@data_dir_option
def trust(provider: str, data_dir: Path | None) -> None:
    """Let a provider whose domains are released vouch for addresses at all domains, as before its first was bound."""
    with opened(data_dir) as run:
        config = _provider(provider)
        run(lambda database: resolvers.operators.domains.trust(database, config))
    click.echo(f"{config.title} vouches for addresses at all domains that are bound to no other.")


@domains.command("list")
@account_option
@data_dir_option
def list_domains(account_id: UUID, data_dir: Path | None) -> None:
    """List an account's domains, each with its provider."""
    with opened(data_dir) as run:
        found: list[tuple[str, str]] = run(lambda database: resolvers.operators.domains.listed(database, account_id))
    for domain, provider in found:
        click.echo(row(domain, provider))


@domains.command("requests")
@data_dir_option
def list_requests(data_dir: Path | None) -> None:
    """List the domains that owners have asked for: `bind` grants one, `refuse` does not."""
    with opened(data_dir) as run:
        found: list[DomainRequest] = run(resolvers.operators.domains.requested)
    for each in found:
        by = each.requested_by or "-"
        asked = f"{each.requested_at:%F}"
        click.echo(row(each.account_id, each.account_name, each.domain, each.provider, by, asked))


@domains.command("refuse")
@account_option
@domain_option
@data_dir_option
def refuse(account_id: UUID, domain: str, data_dir: Path | None) -> None:
    """Refuse an account a domain that its owner has asked for."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.domains.refuse(database, account_id, domain))
    click.echo(f"{domain} is refused.")


def _provider(name: str) -> ProviderConfig:
    for provider in load().oidc:
        if provider.name == name.lower():
            return provider
    raise OperatorError(f"There is no provider {name}: set GATEHOUSE_OIDC_{name.upper()}_ISSUER and the rest.")
