"""The mailbox of `gatehouse up`."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest_asyncio

from server.transport.sockets import listen, port_of
from tests.client import http_client
from tests.parts import Process
from tests.server.running import Start


@dataclass
class Running:
    """A mailbox, and a way to read it."""

    http: httpx.AsyncClient
    smtp_port: int
    process: Process

    async def send(self, subject: str, text: str = "Hello.", html: str = "") -> None:
        """Send it a mail over SMTP."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "no-reply@x.example", "mia@agency.example", subject
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.send_message(message)

    async def mails(self) -> list[dict[str, str]]:
        """The mails as JSON, newest first."""
        found: list[dict[str, str]] = (await self.http.get("/mailbox.json")).json()
        return found


async def start(gatehouse: Start, folder: Path) -> Running:
    """Start a mailbox over `folder`."""
    with listen("127.0.0.1", 0) as smtp, listen("127.0.0.1", 0) as http:
        smtp_port, http_port = port_of(smtp), port_of(http)
        sockets = [smtp.fileno(), http.fileno()]
        options = [f"--smtp-listener={sockets[0]}", f"--http-listener={sockets[1]}"]
        process = gatehouse("mailbox", f"--folder={folder}", *options, inherit=sockets)
    await process.wait_for_output("mailbox ready")
    return Running(http_client(f"http://127.0.0.1:{http_port}"), smtp_port, process)


@pytest_asyncio.fixture
async def box(gatehouse: Start, tmp_path: Path) -> AsyncIterator[Running]:
    """A running mailbox."""
    running = await start(gatehouse, tmp_path / "mails")
    yield running
    await running.http.aclose()


async def test_a_mail_is_shown_as_json_newest_first(box: Running) -> None:
    assert await box.mails() == []
    await box.send("First")
    await box.send("Größe", text="Grüße\n", html="<p>Grüße</p>")
    newest, oldest = await box.mails()
    assert oldest["subject"] == "First"
    assert (newest["subject"], newest["to"]) == ("Größe", "mia@agency.example")
    assert (newest["text"], newest["html"]) == ("Grüße\n", "<p>Grüße</p>\n")


async def test_a_mail_can_be_read_in_a_browser_as_text_html_and_raw(box: Running) -> None:
    await box.send("Hello", text="The text.", html="<p>The HTML.</p>")
    (mail,) = await box.mails()
    page = f"/mails/{mail['id']}"
    assert f"<a href='{page}'>Hello</a>" in (await box.http.get("/")).text
    assert "The text." in (await box.http.get(page)).text
    assert "The HTML." in (await box.http.get(f"{page}/html")).text
    raw = await box.http.get(f"{page}/raw")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Subject: Hello" in raw.text
    assert (await box.http.get("/mails/unknown")).status_code == 404


async def test_a_hostile_mail_runs_nothing(box: Running) -> None:
    await box.send(
        "<script>alert(1)</script>", text="</pre><script>alert(2)</script>", html="<script>alert(3)</script>"
    )
    (mail,) = await box.mails()
    for path in ("/", f"/mails/{mail['id']}"):
        page = await box.http.get(path)
        assert "<script" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<iframe sandbox src=" in page.text
    html = await box.http.get(f"/mails/{mail['id']}/html")
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_another_sites_name_for_this_machine_reads_nothing(box: Running) -> None:
    answer = await box.http.get("/mailbox.json", headers={"host": "attacker.example"})
    assert answer.status_code == 400


async def test_mails_are_still_there_after_a_restart(gatehouse: Start, box: Running, tmp_path: Path) -> None:
    await box.send("Kept")
    assert box.process.stop() == 0
    again = await start(gatehouse, tmp_path / "mails")
    assert [mail["subject"] for mail in await again.mails()] == ["Kept"]
    await again.http.aclose()
