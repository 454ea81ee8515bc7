"""The mailbox of `gatehouse up`: takes every mail over SMTP, keeps it on disk, shows it in a browser and as JSON.

Mails are written by others: their HTML is shown in a sandboxed frame under a policy that loads and runs nothing.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import secrets
import socket
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from functools import lru_cache
from html import escape
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from telemetry import logs

KEPT = 1000
LARGEST_MAIL_BYTES = 10 * 1024 * 1024
REFRESH_S = 3

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .4rem; }
tr + tr { border-top: 1px solid #ccc; } iframe { width: 100%; height: 36rem; border: 1px solid #ccc; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #ccc; padding: 1rem; }
"""


class Store:
    """The mails in a folder, one file each; a name sorts by time of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, content: bytes) -> None:
        """Keep a mail, and let go of the oldest beyond KEPT."""
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        unfinished = self.folder / f"{name}.new"
        unfinished.write_bytes(content)
        unfinished.rename(self.folder / f"{name}.eml")
        for old in self.ids()[KEPT:]:
            (self.folder / f"{old}.eml").unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """The ids of all mails, newest first."""
        return sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)

    def read(self, mail_id: str) -> bytes:
        """A mail as it came. Raises HTTPException 404."""
        if mail_id not in self.ids():
            raise HTTPException(404)
        return (self.folder / f"{mail_id}.eml").read_bytes()

    def summary(self, mail_id: str) -> dict[str, str]:
        """id, to, from, subject, date, text and html of a mail. Raises HTTPException 404."""
        return {"id": mail_id, **_summary(self.read(mail_id))}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail over SMTP."""
        assert isinstance(envelope.content, bytes)
        self.add(envelope.content)
        return "250 OK"


@lru_cache(maxsize=KEPT)
def _summary(content: bytes) -> dict[str, str]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    headers = {name: str(message.get(name, "")) for name in ("to", "from", "subject", "date")}
    return {**headers, "text": _body(message, "plain"), "html": shown_html(message)}


def shown_html(message: EmailMessage) -> str:
    """The HTML of a mail, with the pictures that it carries put where it shows them."""
    html = _body(message, "html")
    for part in message.walk():
        if part.get_content_maintype() == "image" and part["Content-ID"]:
            content = b64encode(part.get_payload(decode=True) or b"").decode()  # type: ignore[arg-type]
            html = html.replace(f"cid:{part['Content-ID'][1:-1]}", f"data:{part.get_content_type()};base64,{content}")
    return html


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if not isinstance(part, EmailMessage):
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):  # a charset that nobody knows
        text = str(part.get_payload())
    return text.replace("\r\n", "\n")


def application(folder: Path, smtp_listener: socket.socket) -> Starlette:
    """The pages of the mailbox; while it runs, SMTP is taken on that socket."""
    store = Store(folder)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(store, hostname="localhost", ident="Gatehouse mailbox", data_size_limit=LARGEST_MAIL_BYTES),
            sock=smtp_listener,
        )
        logs.announce("mailbox ready")
        yield
        server.close()

    async def index(request: Request) -> Response:
        rows = [_row(store.summary(mail_id)) for mail_id in store.ids()]
        table = f"<table><tr><th>Date<th>To<th>Subject</tr>{''.join(rows)}</table>" if rows else "<p>No mail yet.</p>"
        return _page("Mailbox", f"{table}<p><a href='/mailbox.json'>As JSON</a></p>", refresh=True)

    async def as_json(request: Request) -> Response:
        return JSONResponse([store.summary(mail_id) for mail_id in store.ids()])

    async def mail(request: Request) -> Response:
        return _mail(store.summary(request.path_params["id"]))

    async def html(request: Request) -> Response:
        body = store.summary(request.path_params["id"])["html"]
        return HTMLResponse(body, headers={"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"})

    async def raw(request: Request) -> Response:
        content = store.read(request.path_params["id"])
        return PlainTextResponse(content, headers={"X-Content-Type-Options": "nosniff"})

    return Starlette(
        routes=[
            Route("/", index),
            Route("/mailbox.json", as_json),
            Route("/mails/{id}", mail),
            Route("/mails/{id}/html", html),
            Route("/mails/{id}/raw", raw),
        ],
        # Another site's name that resolves to loopback must not read mails through a visitor's browser.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])],
        lifespan=lifespan,
    )


def _row(mail: dict[str, str]) -> str:
    subject = escape(mail["subject"]) or "(no subject)"
    link = f"<a href='/mails/{escape(mail['id'])}'>{subject}</a>"
    return f"<tr><td>{escape(mail['date'])}<td>{escape(mail['to'])}<td>{link}</tr>"


def _mail(mail: dict[str, str]) -> Response:
    path = f"/mails/{escape(mail['id'])}"
    headers = "".join(f"<br>{name.title()}: {escape(mail[name])}" for name in ("from", "to", "date"))
    frame = f"<iframe sandbox src='{path}/html' title='HTML'></iframe>" if mail["html"] else ""
    text = f"<h2>Plain text</h2><pre>{escape(mail['text'])}</pre>"
    links = f"<p><a href='/'>All mails</a> · <a href='{path}/raw'>Raw</a>{headers}</p>"
    return _page(mail["subject"] or "(no subject)", links + frame + text)


def _page(title: str, body: str, *, refresh: bool = False) -> Response:
    again = f"<meta http-equiv='refresh' content='{REFRESH_S}'>" if refresh else ""
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>{again}"
    return HTMLResponse(
        f"{head}<style>{STYLE}</style><h1>{escape(title)}</h1>{body}",
        headers={"Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff"},
    )
