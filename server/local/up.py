"""`gatehouse up`: every part as a child process, what is missing brought along, and all of it stopped together."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from pathlib import Path
from types import FrameType

import click

import db.pool
import resolvers.operators.demo
from server.checks import migrate_database
from server.local import data_dir as data_dirs
from server.local import forking
from server.local.imported import ALL
from server.local.kept import kept
from server.local.supervisor import Supervisor
from server.transport.sockets import ANYWHERE, listen, listen_near, port_of
from settings import LOOPBACK_HOSTS, Settings

# The parts that answer on a status port of their own, in its order.
PARTS = ("api", "relay", "worker", "beat")


class _Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP."""


def run(settings: Settings, *, demo: bool) -> None:
    """Start everything, say so, and watch over it until a signal. Raises PartError and the like."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        data_dir = data_dirs.prepare(settings.data_dir)
        with data_dirs.alone(data_dir) as lock:
            supervisor = Supervisor(data_dir, lock)
            try:
                _Up(settings, data_dir, supervisor).start(with_demo=demo)
                supervisor.watch()
            finally:
                _ignore_signals()
                supervisor.stop()
    except _Stopped:
        click.echo("stopped")


def _stop(number: int, frame: FrameType | None) -> None:
    _ignore_signals()
    raise _Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class _Up:
    """The start, step by step."""

    def __init__(self, settings: Settings, data_dir: Path, supervisor: Supervisor) -> None:
        self.settings = settings
        self.data_dir = data_dir
        self.supervisor = supervisor
        self.listener = listen(settings.host, settings.port)
        self.port = port_of(self.listener)
        self.mailbox_url = ""

    def start(self, *, with_demo: bool) -> None:
        """Bring the parts up: what the others need first, then the others side by side."""
        broker_url = self.settings.broker_url or self.supervisor.start_valkey()
        database_url = self.settings.database_url or self.supervisor.start_postgres()
        forking.load(ALL)  # if no start of a database has left the time for it
        smtp_url = self.settings.smtp_url or self._start_mailbox()
        direct_url = self.settings.direct_url or database_url
        applied = migrate_database(direct_url)
        _say("database", f"{_origin(self.settings.database_url)}, {len(applied)} new migration(s)")
        if with_demo and not self.settings.production:
            asyncio.run(self._make_demo(direct_url))
        environment = self._environment(database_url, broker_url, smtp_url)
        sockets = {"listener": self.listener}
        self.supervisor.launch("api", "serve", environment=environment | self._status_port("api"), listeners=sockets)
        for name in PARTS[1:]:
            self.supervisor.launch(name, name, environment=environment | self._status_port(name))
        self._report(with_demo=with_demo)

    def _start_mailbox(self) -> str:
        smtp = listen("127.0.0.1", 0)
        http = listen_near("127.0.0.1", self.port + 1 if self.port < 65535 else 0)
        self.mailbox_url = f"http://localhost:{port_of(http)}"
        url = f"smtp://127.0.0.1:{port_of(smtp)}"
        listeners = {"smtp-listener": smtp, "http-listener": http}
        self.supervisor.launch("mailbox", "mailbox", f"--folder={self.data_dir / 'mailbox'}", listeners=listeners)
        return url

    def _environment(self, database_url: str, broker_url: str, smtp_url: str) -> dict[str, str]:
        host = self.settings.host
        ours = {
            "GATEHOUSE_DATABASE_URL": database_url,
            "GATEHOUSE_BROKER_URL": broker_url,
            "GATEHOUSE_SMTP_URL": smtp_url,
            "GATEHOUSE_HOST": host,
            "GATEHOUSE_PORT": str(self.port),
            "GATEHOUSE_SECRET_KEYS": self.settings.secret_keys
            or kept(self.data_dir / data_dirs.KEYS_FILE, data_dirs.new_secret_keys),
        }
        defaults = {"GATEHOUSE_PUBLIC_URL": self.url}
        if host in LOOPBACK_HOSTS:
            defaults |= {"GATEHOUSE_EXPLORER": "true", "GATEHOUSE_INTROSPECTION": "true"}
        # What a file held is in ours by now.
        inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
        return {**defaults, **inherited, **ours}

    def _status_port(self, name: str) -> dict[str, str]:
        """Consecutive ports, where the first one is set."""
        first = self.settings.status_port
        return {"GATEHOUSE_STATUS_PORT": str(first + PARTS.index(name))} if first else {}

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the API."""
        host = self.settings.host
        if host in LOOPBACK_HOSTS or host in ANYWHERE:
            host = "localhost"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def _make_demo(self, database_url: str) -> None:
        database = await db.pool.open_database(database_url, 1, "gatehouse-demo")
        try:
            await resolvers.operators.demo.make(database, self._demo_password)
        finally:
            await database.close()

    def _demo_password(self) -> str:
        return kept(self.data_dir / "demo-password", lambda: secrets.token_hex(8))

    def _report(self, *, with_demo: bool) -> None:
        _say("broker", _origin(self.settings.broker_url))
        if self.mailbox_url:
            self.supervisor.wait_for_word("mailbox")
        _say("mailbox", self.mailbox_url or "as GATEHOUSE_SMTP_URL says")
        self.supervisor.wait_for_api(ANYWHERE.get(self.settings.host, self.settings.host), self.port)
        _say("api", f"{self.url}/graphql")
        for name in PARTS[1:]:
            self.supervisor.wait_for_word(name)
            _say(name, "running")
        if first := self.settings.status_port:
            ports = ", ".join(f"{name} {first + index}" for index, name in enumerate(PARTS))
            _say("status", f"http://{self.settings.status_host}:PORT/readyz and /metrics: {ports}")
        _say("logs", f"{self.data_dir}/*.log")
        if with_demo and (self.data_dir / "demo-password").exists():
            people = ", ".join(
                [
                    *resolvers.operators.demo.STAFF,
                    resolvers.operators.demo.PORTAL_USER,
                    resolvers.operators.demo.SUPER_ADMIN,
                ]
            )
            click.echo(f"\nSign in as any of {people}\nwith the password {self._demo_password()}\n")
        click.echo(f"Gatehouse is ready: {self.url} (stop with Ctrl-C)")


def _origin(url: str) -> str:
    return "your own" if url else "embedded"


def _say(name: str, state: str) -> None:
    click.echo(f"{name:<9} {state}")
