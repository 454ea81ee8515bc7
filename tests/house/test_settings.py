"""Settings are checked when they are read: one plain sentence names the variable and tells what it may be."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import HTTPConnection

import settings
from server.context import client_address
from settings import Settings, SettingsError
from settings.variables import settings_of
from tests.commands import command
from tests.warm import ROOT

ADDRESSES = "must be addresses or networks, as in 10.0.0.7 or 172.16.0.0/12"
ORIGINS = "must be origins as in https://app.example, each without path or *"
SENDER = "must be one address, as in Gatehouse <no-reply@agency.example>"
HOST = "must name a host, and a port only as a number, as in SCHEME://HOST:PORT"
MAIL_NAME = "must be a host name, as in mail.agency.example, or an address, as in [192.0.2.1]"
SERVICE = (
    "must be a whole number from 0 to 65535; Kubernetes sets it to tcp://… for a Service of that name, "
    "unless the pod has enableServiceLinks: false"
)
WRONG = [
    ("TRUSTED_PROXIES", "*", ADDRESSES),
    ("TRUSTED_PROXIES", "10.0.0.1, proxy.example", ADDRESSES),
    ("TRUSTED_PROXIES", "10.0.0.0/33", ADDRESSES),
    ("CORS_ORIGINS", "*", ORIGINS),
    ("CORS_ORIGINS", "https://*.example", ORIGINS),
    ("CORS_ORIGINS", "https://app.example/", ORIGINS),
    ("CORS_ORIGINS", "https://app.example https://other.example/path", ORIGINS),
    ("CORS_ORIGINS", "https://app.example?", ORIGINS),
    ("CORS_ORIGINS", "app.example", ORIGINS),
    ("CORS_ORIGINS", "https://", ORIGINS),
    ("CORS_ORIGINS", "https://me@app.example", ORIGINS),
    ("CORS_ORIGINS", "https://app.example:port", ORIGINS),
    ("EMAIL_FROM", "", SENDER),
    ("EMAIL_FROM", "Gatehouse", SENDER),
    ("EMAIL_FROM", "Gatehouse <no-reply@agency.example", SENDER),
    ("EMAIL_FROM", "one@agency.example, two@agency.example", SENDER),
    ("EMAIL_FROM", "no-reply@", SENDER),
    ("EMAIL_FROM", "no-reply@agency.example\nBcc: everybody@agency.example", SENDER),
    ("PUBLIC_URL", "gatehouse.example", "must start with http:// or https://"),
    ("PUBLIC_URL", "https:///account", HOST),
    ("PUBLIC_URL", "https://gatehouse.example:https", HOST),
    ("PUBLIC_URL", "https://[::1", "must be a URL"),
    ("SMTP_URL", "mail.example:25", "must start with smtp:// or smtps:// or smtp+starttls://"),
    ("SMTP_URL", "smtp://", HOST),
    ("SMTP_URL", "smtp://user:pass/word@mail.example:25", HOST),
    ("SMTP_URL", "smtp://mail.example:65536", HOST),
    ("EHLO_NAME", "mail agency", MAIL_NAME),
    ("EHLO_NAME", "mail.example\r\nQUIT", MAIL_NAME),
    ("LOG_FORMAT", "xml", "input should be 'json' or 'console'"),
    ("TRUSTED_DOCUMENTS", "nowhere.json", "path does not point to a file"),
    ("LOGO_FILE", __file__, "must be a file of the kind .svg, .png or .webp"),
    ("LOG_LEVEL", "info", "input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("PORT", "65536", "must be a whole number from 0 to 65535"),
    ("PORT", "-1", "must be a whole number from 0 to 65535"),
    ("PORT", "", "must be a whole number from 0 to 65535"),
    ("PORT", "tcp://10.96.0.7:80", SERVICE),
    ("STATUS_PORT", "tcp://10.96.0.7:9100", SERVICE),
    ("DELIVERY_RETENTION_DAYS", "0", "must be a whole number, 1 or more"),
    ("DRAIN_SECONDS", "nan", "must be a number of seconds from 0 to 60"),
    ("DRAIN_SECONDS", "60.5", "must be a number of seconds from 0 to 60"),
    ("DRAIN_SECONDS", "soon", "must be a number of seconds from 0 to 60"),
    ("PAGES", "perhaps", "must be true or false"),
    ("ISSUER", "Agency: staff", "must have 1 to 60 characters, and no colon"),
    ("ISSUER", "", "must have 1 to 60 characters, and no colon"),
    ("PRODUCT_NAME", "x" * 61, "must have 60 characters at most"),
    ("REMINDER_THRESHOLDS", "7,31", "must be whole days from 1 to 30, as in 7,3,1"),
    ("ACCENT_COLOR", "red", "must be a colour as in #1849a9"),
]
RIGHT = [
    ("TRUSTED_PROXIES", "10.0.0.7 172.16.0.0/12,::1"),
    ("CORS_ORIGINS", "https://app.example, HTTP://Localhost:5173"),
    ("EMAIL_FROM", "no-reply@agency.example"),
    ("EMAIL_FROM", '"Riverbend, Inc." <no-reply@agency.example>'),
    ("PUBLIC_URL", "http://gatehouse.internal:8080"),
    ("SMTP_URL", "smtp+starttls://user:pass%2Fword@mail.example:587"),
    ("EHLO_NAME", "mail.agency.example"),
    ("EHLO_NAME", "[IPv6:2001:db8::1]"),
    ("DATABASE_URL", "postgresql://one:5432,two:5432/gatehouse"),
    ("TRUSTED_DOCUMENTS", __file__),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_a_wrong_value_is_one_sentence_about_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"GATEHOUSE_{name}", value)
    with pytest.raises(SettingsError) as raised:
        settings.load()
    assert str(raised.value) == f"GATEHOUSE_{name} is wrong: {sentence}."


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("PAGES", "off", False),
        ("EXPLORER", " Yes", True),
        ("PORT", "65535", 65535),
        ("DRAIN_SECONDS", "60", 60.0),
        ("REMINDER_THRESHOLDS", "1 14,7", (14, 7, 1)),
        ("ACCENT_COLOR", "#ABCDEF", "#abcdef"),
        ("DATA_DIR", "folder", Path("folder")),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_a_text_becomes_what_the_setting_is_of(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object
) -> None:
    monkeypatch.setenv(f"gatehouse_{name.lower()}", value)
    assert getattr(settings.load(), name.lower()) == read


def test_no_setting_is_shown_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "s3cret" not in repr(Settings(smtp_url="smtp://user:s3cret@mail.example"))


@pytest.mark.parametrize("name", ["LOGO_FILE", "TRUSTED_DOCUMENTS"])
def test_a_file_that_is_set_to_nothing_counts_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"GATEHOUSE_{name}", "")
    assert getattr(settings.load(), name.lower()) is None


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_right_value_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GATEHOUSE_{name}", value)
    assert settings.load()


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://gatehouse.example", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://gatehouse.example", False),
        ("http://localhost.example", False),
    ],
)
def test_in_production_people_come_over_https_or_from_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, is_taken: bool
) -> None:
    monkeypatch.setenv("GATEHOUSE_PUBLIC_URL", url)
    assert settings.load().public_url == url
    monkeypatch.setenv("GATEHOUSE_PRODUCTION", "true")
    try:
        assert settings.load().public_url == url
    except SettingsError as error:
        assert not is_taken
        assert str(error).startswith("GATEHOUSE_PUBLIC_URL is wrong: must start with https:// in production")
    else:
        assert is_taken


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"public_url": "https://mfa.agency.example:8443"}, "mfa.agency.example"),
        ({"public_url": "https://mfa.münchen.example"}, "mfa.xn--mnchen-3ya.example"),
        ({"public_url": "http://127.0.0.1:8000"}, "[127.0.0.1]"),
        ({"public_url": "http://[::1]:8000"}, "[IPv6:::1]"),
        ({"public_url": "https://mfa.agency.example", "ehlo_name": "out.agency.example"}, "out.agency.example"),
    ],
)
def test_the_name_before_a_mail_server_is_the_public_hosts_unless_set(changes: dict[str, Any], name: str) -> None:
    assert Settings(**changes).own_mail_name == name


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({"public_url": "https://mfa.agency.example:8443/start"}, "no-reply@mfa.agency.example"),
        ({"public_url": "https://mfa.münchen.example"}, "no-reply@mfa.xn--mnchen-3ya.example"),
        ({"public_url": "http://127.0.0.1:8000"}, "no-reply@[127.0.0.1]"),
        ({"public_url": "https://mfa.agency.example", "ehlo_name": "out.x.example"}, "no-reply@mfa.agency.example"),
        ({"public_url": "https://mfa.agency.example", "email_from": "mfa@agency.example"}, "mfa@agency.example"),
        ({}, "no-reply@localhost"),
    ],
)
def test_emails_come_from_the_public_urls_host_unless_a_sender_is_set(changes: dict[str, Any], sender: str) -> None:
    assert Settings(**changes).email_from == sender


def test_several_wrong_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_PORT", "http")
    monkeypatch.setenv("GATEHOUSE_CORS_ORIGINS", "*")
    with pytest.raises(SettingsError, match=r"GATEHOUSE_PORT is wrong: .*\. GATEHOUSE_CORS_ORIGINS is wrong: .*\.$"):
        settings.load()


def test_the_nearest_address_that_is_no_trusted_proxy_is_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    loaded = settings.load()
    assert loaded.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))
    forwarded = (b"x-forwarded-for", b"203.0.113.9, 198.51.100.4, 192.0.2.1")
    for peer, expected in (("10.1.2.3", "198.51.100.4"), ("192.0.2.2", "192.0.2.2")):
        connection = HTTPConnection({"type": "http", "client": (peer, 1), "headers": [forwarded]})
        assert client_address(connection, loaded) == expected


def test_an_unknown_variable_is_warned_of_with_the_nearest_known_one(tmp_path: Path) -> None:
    done = command("keys", "new", trusted_proxy="10.0.0.1", port="8000")
    assert done.returncode == 0
    assert done.stderr == (
        "Warning: GATEHOUSE_TRUSTED_PROXY is no setting of Gatehouse; the nearest is GATEHOUSE_TRUSTED_PROXIES.\n"
    )


def test_the_operators_page_has_every_setting_as_it_is_here() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (table,) = re.findall(r"^\| variable .*\n(?:\|.*\n)+", page, re.MULTILINE)
    assert command("settings", "--markdown").stdout == table, "print it anew: gatehouse settings --markdown"
    variables = [variable for variable, _, _ in settings.described()]
    assert {setting.variable for setting in settings_of(Settings)} < set(variables)
    assert command("settings").stdout.count("GATEHOUSE_DATABASE_URL\n") == 1
    named = set(re.findall(r"GATEHOUSE_[A-Z_]*[A-Z]", (ROOT / "README.md").read_text()))
    assert {name for name in named if not name.startswith("GATEHOUSE_OIDC_")} <= set(variables)


def test_a_provider_is_whole_or_the_start_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    given = {"ISSUER": "https://accounts.google.com", "CLIENT_ID": "x", "CLIENT_SECRET_FILE": str(secret)}
    for name, value in given.items():
        monkeypatch.setenv(f"GATEHOUSE_OIDC_GOOGLE_{name}", value)
    (google,) = settings.load().oidc
    assert (google.name, google.title, google.client_secret) == ("google", "Google", "s3cret")
    assert (
        settings.unknown_variables(["GATEHOUSE_OIDC_GOOGLE_ISSUER", "GATEHOUSE_OIDC_GOOGLE_CLIENT_SECRET_FILE"]) == []
    )
    monkeypatch.setenv("GATEHOUSE_OIDC_OWN_ISSUER", "https://own.example")
    with pytest.raises(SettingsError, match="GATEHOUSE_OIDC_OWN_CLIENT_ID is not set"):
        settings.load()
    monkeypatch.delenv("GATEHOUSE_OIDC_OWN_ISSUER")
    monkeypatch.setenv("GATEHOUSE_OIDC_GOOGLE_ISSUER", "http://accounts.google.com")
    with pytest.raises(SettingsError, match="GATEHOUSE_OIDC is wrong: the issuer of google must start with https"):
        settings.load()


OIDC_FILE = "GATEHOUSE_OIDC_FILE"
OWN = {"issuer": "https://own.example", "client_id": "x", "client_secret": "s3cret-in-a-file"}


def test_providers_may_stand_in_a_file_beside_those_of_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "providers.json"
    file.write_text(json.dumps({"own": OWN, "acme_sso": OWN}))
    monkeypatch.setenv(OIDC_FILE, str(file))
    for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"GATEHOUSE_OIDC_GOOGLE_{part}", "https://accounts.google.com")
    assert [provider.title for provider in settings.load().oidc] == ["Acme Sso", "Google", "Own"]
    assert settings.load().oidc[2].client_secret == "s3cret-in-a-file"
    assert settings.unknown_variables([OIDC_FILE]) == []
    monkeypatch.setenv("GATEHOUSE_OIDC_OWN_ISSUER", "https://other.example")
    with pytest.raises(SettingsError, match=r"GATEHOUSE_OIDC_OWN_ISSUER is set, and GATEHOUSE_OIDC_FILE has own, too"):
        settings.load()


@pytest.mark.parametrize(
    "content",
    [
        "s3cret-in-a-file",
        "[]",
        json.dumps({"own": "s3cret-in-a-file"}),
        json.dumps({"own": {"issuer": "https://own.example"}}),
        json.dumps({"own": OWN | {"client_secret": 7}}),
        json.dumps({"own": OWN | {"more": "x"}}),
        json.dumps({"Own-": OWN}),
        "[" * 100_000,
        None,
    ],
)
def test_a_wrong_file_of_providers_is_told_without_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "providers.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(OIDC_FILE, str(file))
    with pytest.raises(SettingsError, match=r"^GATEHOUSE_OIDC_FILE is wrong: ") as raised:
        settings.load()
    assert "s3cret" not in str(raised.value)
