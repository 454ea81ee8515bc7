"""Every setting, as settings/ has it: for people to look up, and for the table of docs/operations.md."""

from __future__ import annotations

import click

HEAD = "| variable | meaning | unset |\n| --- | --- | --- |"


@click.command()
@click.option("--markdown", is_flag=True, help="Print the table of docs/operations.md instead.")
def settings(markdown: bool) -> None:
    """List every setting: its variable, what it means, and what holds while it is unset."""
    from settings import described

    if markdown:
        click.echo(HEAD)
    for variable, meaning, unset in described():
        click.echo(f"| `{variable}` | {meaning} | {unset} |" if markdown else f"{variable}\n    {meaning} [{unset}]")
