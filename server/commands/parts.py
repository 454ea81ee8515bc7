"""The parts, each alone or all together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

# Nothing here that takes long to import: --help shows these, too.
from server.commands.options import data_dir_option, load

if TYPE_CHECKING:
    from settings import Settings

host_option = click.option("--host", help="The address to listen on [GATEHOUSE_HOST, 127.0.0.1].")
port_option = click.option("--port", type=click.IntRange(0, 65535), help="The port [GATEHOUSE_PORT, 8000].")


@click.command()
@host_option
@port_option
@data_dir_option
@click.option("--no-demo", is_flag=True, help="Make no demo account in an empty database.")
def up(host: str | None, port: int | None, data_dir: Path | None, no_demo: bool) -> None:
    """Run everything: API, relay, worker, beat, and the database, broker and mailbox that are not set."""
    from server.local.up import run

    run(load(host=host, port=port, data_dir=data_dir), demo=not no_demo)


@click.command()
@host_option
@port_option
@click.option("--workers", type=click.IntRange(1, 256), default=1, help="So many processes on the one port [1].")
@click.option("--listener", type=int, hidden=True)
def serve(host: str | None, port: int | None, workers: int, listener: int | None) -> None:
    """Run the API."""
    from server.checks import check_database, require
    from server.transport.sockets import inherited, listen

    settings = load(host=host, port=port)
    require(settings, "database_url")
    if workers > 1:
        _serve_by_many(settings, workers)
        return
    from server.app import create_app
    from server.status.serving import status
    from server.transport import serving
    from telemetry import traces

    traces.start("api")
    app = create_app(settings)
    bound = listen(settings.host, settings.port) if listener is None else inherited(listener)
    check_database(settings)
    with status(settings):
        serving.run(app, bound, drain_s=settings.drain_seconds)


def _serve_by_many(settings: Settings, workers: int) -> None:
    from server.checks import check_database
    from server.local import workers as processes
    from server.transport.sockets import listen

    # What a worker would stumble over is told once, before any is started.
    _ = settings.keys
    with listen(settings.host, settings.port) as listener:
        check_database(settings)
        processes.run(settings, listener, workers)


@click.command()
def worker() -> None:
    """Run a Celery worker: writes and sends emails."""
    from server.checks import check_database, require
    from server.status.serving import status
    from telemetry import traces
    from workers.processes import worker_main

    settings = load()
    require(settings, "database_url", "broker_url", "smtp_url")
    traces.start("worker")
    check_database(settings)
    with status(settings):
        worker_main(settings)


@click.command()
def beat() -> None:
    """Run the timetable: sweeps and reminders. One is enough, more do no harm."""
    from server.checks import require
    from server.status.serving import status
    from workers.beat import beat_main

    settings = load()
    require(settings, "broker_url")
    with status(settings, needs_database=False):
        beat_main(settings)


@click.command()
def relay() -> None:
    """Run a relay: hands new events to the workers. Any number may run."""
    from server.checks import check_database, require
    from server.status.serving import status
    from workers.relay import relay_main

    settings = load()
    require(settings, "database_url", "broker_url")
    check_database(settings)
    with status(settings):
        relay_main(settings)


@click.command(hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--smtp-listener", type=int, required=True)
@click.option("--http-listener", type=int, required=True)
def mailbox(folder: Path, smtp_listener: int, http_listener: int) -> None:
    """Run the mailbox of `gatehouse up`, on sockets that it inherits."""
    from server.local.mailbox import application
    from server.transport import serving
    from server.transport.sockets import inherited

    load()
    serving.run(application(folder, inherited(smtp_listener)), inherited(http_listener))
