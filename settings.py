"""Every setting of Gatehouse, once, from the environment (prefix GATEHOUSE_)."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rules.oidc import ProviderConfig
from rules.people import TimeLimits

PREFIX = "GATEHOUSE_"
# What may be kept in a file instead, under the name with _FILE.
SECRETS = ("database_url", "database_direct_url", "broker_url", "smtp_url", "secret_keys")
MAIL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[(IPv6:)?[0-9A-Fa-f.:]+\]")
OWN_PAGES = {
    "sign_in_url": "/sign-in",
    "security_url": "/account/security",
    "agency_security_url": "/settings/security",
}
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


HOST_NAME = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}")


NONE = "none"
OR_FILE = "; or `…_FILE`"
EMBEDDED = "embedded (`up` and operators)"


def told(meaning: str, unset: str = "") -> Any:
    """What the operators' page says of a setting, and what holds while it is unset where the default does not tell."""
    return Field(description=meaning, json_schema_extra={"unset": unset} if unset else None)


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and what it may be."""


def _one_of_schemes(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and _parts(value).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return value

    return AfterValidator(check)


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # its text may hold the password
        raise ValueError("must be a URL") from None


def _has_host(url: str) -> bool:
    """Whether the URL names a host, and its port, if any, is one."""
    parts = _parts(url)
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _with_host(url: str) -> str:
    if url and not _has_host(url):
        raise ValueError("must name a host, and a port only as a number, as in SCHEME://HOST:PORT")
    return url


def _https_in_production(url: str, info: ValidationInfo) -> str:
    parts = _parts(url)
    if info.data.get("production") and parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must start with https:// in production, unless the host is this machine")
    return url


def _or_own_page(url: str, info: ValidationInfo) -> str:
    """Where nothing is set, our own page under the public URL, which is checked before."""
    own = str(info.data.get("public_url", "")).rstrip("/") + OWN_PAGES[info.field_name or ""]
    return url or own


def _origins(value: str) -> str:
    for origin in _split(value.lower()):
        parts = _parts(origin)
        is_bare = origin == f"{parts.scheme}://{parts.netloc}" and not {"*", "@"} & set(origin)
        if parts.scheme not in {"http", "https"} or not is_bare or not _has_host(origin):
            raise ValueError("must be origins as in https://app.example, each without path or *")
    return value


def _hosts(value: str) -> str:
    for host in _split(value.lower()):
        if not HOST_NAME.fullmatch(host):
            raise ValueError("must be host names or addresses without a port, as in gatehouse.internal 10.0.0.7")
    return value


def _networks(value: object) -> object:
    if isinstance(value, str):
        try:
            return tuple(ip_network(text, strict=False) for text in _split(value))
        except ValueError:
            raise ValueError("must be addresses or networks, as in 10.0.0.7 or 172.16.0.0/12") from None
    return value


def _mailbox(value: str) -> str:
    from email.policy import default

    try:
        header = default.header_factory("From", value)
        (address,) = header.addresses
        is_right = bool(address.domain) and not header.defects
    except (ValueError, IndexError):  # the standard library's parser trips over "me@"
        is_right = False
    if not is_right:
        raise ValueError("must be one address, as in Gatehouse <no-reply@agency.example>")
    return value


def _mail_name(value: str) -> str:
    if value and not MAIL_NAME.fullmatch(value):
        raise ValueError("must be a host name, as in mail.agency.example, or an address, as in [192.0.2.1]")
    return value


def _secret_keys(value: str) -> str:
    if value:
        parse_secret_keys(value)
    return value


def parse_secret_keys(value: str) -> dict[str, bytes]:
    """Read 'id:base64,id:base64' (32 bytes each, newest first) into an ordered mapping."""
    keys: dict[str, bytes] = {}
    for part in value.split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key_id or len(key) != 32 or key_id in keys:
            raise ValueError("must be id:KEY[,id:KEY…], each KEY 32 bytes in base64, newest first")
        keys[key_id] = key
    return keys


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.replace(",", " ").split() if part)


def _days(value: object) -> object:
    if isinstance(value, str):
        days = _split(value)
        if not all(day.isdecimal() and 1 <= int(day) <= 30 for day in days):
            raise ValueError("must be whole days from 1 to 30, as in 7,3,1")
        return tuple(sorted({int(day) for day in days}, reverse=True))
    return value


_PageUrl = Annotated[
    str,
    _one_of_schemes("http", "https"),
    AfterValidator(_with_host),
    AfterValidator(_or_own_page),
    AfterValidator(_https_in_production),
    Field(validate_default=True),
]


OIDC_PARTS = {
    "ISSUER": "an OpenID provider that people may sign in at, as in `GATEHOUSE_OIDC_GOOGLE_ISSUER`; any number",
    "CLIENT_ID": "what the provider calls this product",
    "CLIENT_SECRET": "the secret that it gave",
}
OIDC_FILE = f"{PREFIX}OIDC_FILE"
OIDC_FILE_MEANING = 'a JSON file of such providers: `{"google": {"issuer": …, "client_id": …, "client_secret": …}}`'
OIDC_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
OIDC_VARIABLE = re.compile(rf"GATEHOUSE_OIDC_([A-Z][A-Z0-9_]{{0,30}}?)_({'|'.join(OIDC_PARTS)})(_FILE)?")


def _providers(providers: tuple[ProviderConfig, ...], info: ValidationInfo) -> tuple[ProviderConfig, ...]:
    for provider in providers:
        parts = _parts(provider.issuer)
        is_local = parts.hostname in LOOPBACK_HOSTS and not info.data.get("production")
        if not (parts.scheme == "https" or (parts.scheme == "http" and is_local)) or not _has_host(provider.issuer):
            raise ValueError(f"the issuer of {provider.name} must start with https://")
    return providers


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError("must be a colour as in #1849a9")
    return value.lower()


def _picture(file: Path | None) -> Path | None:
    if file and file.suffix.lower() not in {".svg", ".png", ".webp"}:
        raise ValueError("must be a file of the kind .svg, .png or .webp")
    return file


def _own_page(name: str) -> str:
    return f"`{OWN_PAGES[name]}` under the public URL"


class Settings(BaseSettings):
    """The settings of one process. Empty URLs mean: use the embedded part (`gatehouse up` only)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: Annotated[
        str, _one_of_schemes("postgresql", "postgres"), told("PostgreSQL 15 or later: `postgresql://…`", EMBEDDED)
    ] = ""
    database_direct_url: Annotated[
        str,
        _one_of_schemes("postgresql", "postgres"),
        told(
            "PostgreSQL itself, where `GATEHOUSE_DATABASE_URL` leads to PgBouncer: for LISTEN, migrations and "
            "operators' commands",
            "none: there is no pooler",
        ),
    ] = ""
    broker_url: Annotated[
        str, _one_of_schemes("redis", "rediss", "redis+socket"), told("Redis 7, Valkey: `redis://…`", EMBEDDED)
    ] = ""
    smtp_url: Annotated[
        str,
        _one_of_schemes("smtp", "smtps", "smtp+starttls"),
        AfterValidator(_with_host),
        told("`smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`", "a mailbox (`up`)"),
    ] = ""
    data_dir: Annotated[Path, told("the folder of what `up` brings")] = Path(".gatehouse")

    production: Annotated[bool, told("no explorer, no introspection, unless set; https everywhere")] = False
    secret_keys: Annotated[
        str,
        AfterValidator(_secret_keys),
        told("`id:KEY[,id:KEY…]`, newest first, each 32 random bytes in base64: `gatehouse keys new`", "made by `up`"),
    ] = ""
    issuer: Annotated[
        str, Field(min_length=1, max_length=60, pattern=r"^[^:]+$"), told("the name in the authenticator app")
    ] = "TaskJuice"
    public_url: Annotated[
        str,
        _one_of_schemes("http", "https"),
        AfterValidator(_with_host),
        AfterValidator(_https_in_production),
        told("where people reach the product: https in production; it makes cookies `__Host-` and Secure"),
    ] = "http://localhost:8000"
    ehlo_name: Annotated[
        str,
        AfterValidator(_mail_name),
        told("what workers call themselves before the mail server", "the public URL's host"),
    ] = ""
    sign_in_url: Annotated[_PageUrl, told("the page to sign in, which emails point to", _own_page("sign_in_url"))] = ""
    security_url: Annotated[
        _PageUrl, told("the page of one's own security, which emails point to", _own_page("security_url"))
    ] = ""
    agency_security_url: Annotated[
        _PageUrl, told("the agency's security page, which emails point to", _own_page("agency_security_url"))
    ] = ""
    email_from: Annotated[
        str,
        AfterValidator(_mailbox),
        told("the sender of all emails; without a name, the product's is put before it"),
    ] = "no-reply@gatehouse.localhost"

    # Each from variables of its own: GATEHOUSE_OIDC_<NAME>_ISSUER and so on.
    oidc: Annotated[tuple[ProviderConfig, ...], NoDecode, AfterValidator(_providers)] = ()

    pages: Annotated[
        bool,
        told("the pages for people: `/sign-in`, `/account/security`, `/settings/security`, `/set-password`, `/not-me`"),
    ] = True
    product_name: Annotated[
        str, Field(max_length=60), told("the product's name on pages and in emails", "`GATEHOUSE_ISSUER`")
    ] = ""
    logo_file: Annotated[
        FilePath | None,
        AfterValidator(_picture),
        told("the logo, an .svg, .png or .webp, which emails carry unless it is an .svg or over 64 KiB"),
    ] = None
    accent_color: Annotated[str, AfterValidator(_colour), told("the colour of pages and emails")] = "#1849a9"

    host: Annotated[str, told("the address where the API listens")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535), told("the port where the API listens")] = 8000
    status_host: Annotated[str, told("the address of the status port")] = "127.0.0.1"
    status_port: Annotated[
        int,
        Field(ge=0, le=65535),
        told(
            "where each part answers `/livez`, `/readyz` and `/metrics`; `up` gives its parts consecutive ports", NONE
        ),
    ] = 0  # 0: no status port
    drain_seconds: Annotated[
        float,
        Field(ge=0, le=60),
        told("how long an API that was asked to end says so on `/readyz` before it takes no more connections"),
    ] = 0.5
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        BeforeValidator(_networks),
        told(
            "addresses or networks whose X-Forwarded-For is believed: behind a proxy, set it, or all clients count as "
            "one"
        ),
    ] = ()
    cors_origins: Annotated[
        str, AfterValidator(_origins), told("other origins that a browser may call from: `https://app.example …`")
    ] = ""
    allowed_hosts: Annotated[
        str,
        AfterValidator(_hosts),
        told("other host names that requests may be for, besides the public URL's and loopback"),
    ] = ""
    explorer: Annotated[bool, told("in production: the explorer, for signed-in staff only")] = False
    introspection: Annotated[bool, told("in production: introspection")] = False
    trusted_documents: Annotated[
        FilePath | None,
        told("a JSON file, SHA-256 to operation: only these run, in the explorer too, and what the pages ask"),
    ] = None

    webhook_allow_private: Annotated[
        bool, told("webhooks may call private and loopback addresses: for development")
    ] = False

    pool_size: Annotated[int, Field(ge=1, le=200), told("database connections of an API process")] = 10
    worker_concurrency: Annotated[int, Field(ge=2, le=64), told("threads of a worker")] = 4
    reminder_thresholds: Annotated[
        tuple[int, ...], NoDecode, BeforeValidator(_days), told("on which days before the deadline people are reminded")
    ] = (7, 3, 1)
    session_lifetime_days: Annotated[int, Field(ge=1, le=365), told("how many days a session lasts at most")] = 30
    session_idle_days: Annotated[int, Field(ge=1, le=365), told("how many days it lasts unused")] = 7
    proof_minutes: Annotated[
        int, Field(ge=1, le=1440), told("how long a password, and the second factor, just shown allows changes")
    ] = 15
    delivery_retention_days: Annotated[
        int, Field(ge=1), told("how many days emails that have ended are kept on record")
    ] = 90
    event_retention_days: Annotated[
        int, Field(ge=0), told("how many days events, the audit log, are kept; `0`: for ever")
    ] = 0
    delivery_retry_hours: Annotated[int, Field(ge=1, le=168), told("how many hours an email is tried")] = 24
    log_level: Annotated[
        str,
        Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$"),
        told("how much is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`"),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "console"] | None,
        told("`json`, one object a line, or `console`", "`console` on a terminal, else `json`"),
    ] = None

    @cached_property
    def keys(self) -> dict[str, bytes]:
        """The key ring, newest first: key id to 32 bytes."""
        if not self.secret_keys:
            raise SettingsError("GATEHOUSE_SECRET_KEYS is not set: give id:KEY, KEY being 32 random bytes in base64.")
        return parse_secret_keys(self.secret_keys)

    @property
    def direct_url(self) -> str:
        """The database without a pooler before it: for LISTEN, migrations and what operators do."""
        return self.database_direct_url or self.database_url

    @property
    def is_pooled(self) -> bool:
        """Whether the database's URL may lead to a pooler in transaction mode."""
        return bool(self.database_direct_url)

    @cached_property
    def allowed_origins(self) -> frozenset[str]:
        """Origins other than the public URL's that a browser may call from."""
        return frozenset(_split(self.cors_origins.lower()))

    @property
    def own_mail_name(self) -> str:
        """What a worker calls itself before a mail server: a host name, or an address in brackets (RFC 5321)."""
        host = urlsplit(self.public_url).hostname or "localhost"
        if self.ehlo_name:
            return self.ehlo_name
        with suppress(ValueError):
            return f"[IPv6:{host}]" if ip_address(host).version == 6 else f"[{host}]"
        with suppress(ValueError):
            return host.encode("idna").decode()
        return "localhost"

    @cached_property
    def served_hosts(self) -> frozenset[str]:
        """The host names that a request may be for."""
        own = urlsplit(self.public_url).hostname or ""
        return frozenset({own, self.host.lower(), *LOOPBACK_HOSTS, *_split(self.allowed_hosts.lower())})

    @property
    def product(self) -> str:
        """The product's name on pages and emails: its own, or the one in the authenticator app."""
        return self.product_name.strip() or self.issuer

    @cached_property
    def time_limits(self) -> TimeLimits:
        """How long sessions and proofs hold."""
        return TimeLimits(
            timedelta(days=self.session_lifetime_days),
            timedelta(days=self.session_idle_days),
            timedelta(minutes=self.proof_minutes),
        )

    @property
    def cookie_is_secure(self) -> bool:
        """False only for plain http on a loopback host, where browsers refuse a __Host- cookie."""
        parts = urlsplit(self.public_url)
        return not (parts.scheme == "http" and (parts.hostname or "") in LOOPBACK_HOSTS)

    @property
    def cookie_name(self) -> str:
        """The session cookie's name."""
        return "__Host-gatehouse" if self.cookie_is_secure else "gatehouse"

    @property
    def provider_cookie_name(self) -> str:
        """The name of the cookie that binds a sign-in at a provider to the browser."""
        return f"{self.cookie_name}-provider"

    @property
    def device_cookie_name(self) -> str:
        """The name of the cookie that tells a device where somebody has signed in before."""
        return f"{self.cookie_name}-device"


def described() -> list[tuple[str, str, str]]:
    """Each variable, what it means, and what holds while it is unset."""
    found = []
    for name, field in Settings.model_fields.items():
        if field.description:
            extra = field.json_schema_extra
            unset = str(extra["unset"]) if isinstance(extra, dict) else _shown(field.default)
            meaning = f"{field.description}{OR_FILE if name in SECRETS else ''}"
            found.append((f"{PREFIX}{name.upper()}", meaning, unset))
        else:
            found += [(f"{PREFIX}OIDC_<NAME>_{part}", meaning + OR_FILE, NONE) for part, meaning in OIDC_PARTS.items()]
            found.append((OIDC_FILE, OIDC_FILE_MEANING, NONE))
    return found


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple) and default:
        return f"`{','.join(str(part) for part in default)}`"
    return NONE if default in {None, "", ()} else f"`{default}`"


def load() -> Settings:
    """Read the environment; raise SettingsError with one plain sentence for each wrong value."""
    given = _from_files(os.environ)
    try:
        loaded = Settings(**given, oidc=_oidc(os.environ))  # type: ignore[arg-type]
    except ValidationError as error:
        sentences = []
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"][:1]).upper()
            reason = problem["msg"].removeprefix("Value error, ")
            sentences.append(f"{name} is wrong: {reason[0].lower()}{reason[1:]}.")
        raise SettingsError(" ".join(sentences)) from None
    if loaded.database_direct_url and not loaded.database_url:
        raise SettingsError(
            "GATEHOUSE_DATABASE_DIRECT_URL is set without GATEHOUSE_DATABASE_URL: give both or neither."
        )
    return loaded


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The secret settings that a file holds, as GATEHOUSE_…_FILE names it. Raises SettingsError."""
    given = {}
    for name in SECRETS:
        variable = PREFIX + name.upper()
        path = environment.get(f"{variable}_FILE")
        if not path:
            continue
        if environment.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: give one of them.")
        given[name] = _read(f"{variable}_FILE", path)
    return given


def _oidc(environment: Mapping[str, str]) -> tuple[ProviderConfig, ...]:
    """The providers that people may sign in at, by name: of the file, then of variables. Raises SettingsError."""
    path = environment.get(OIDC_FILE)
    found = _oidc_from_file(_read(OIDC_FILE, path)) if path else {}
    in_file = set(found)
    for variable, value in sorted(environment.items()):
        named = OIDC_VARIABLE.fullmatch(variable)
        if named is None or not value:
            continue
        name, part, file = named.groups()
        if name.lower() in in_file:
            raise SettingsError(f"{variable} is set, and {OIDC_FILE} has {name.lower()}, too: give one of them.")
        provider = found.setdefault(name.lower(), {})
        if part.lower() in provider:
            raise SettingsError(f"{variable} and {variable.removesuffix('_FILE')} are both set: give one of them.")
        provider[part.lower()] = _read(variable, value) if file else value.strip()
    for name, parts in found.items():
        if missing := {part.lower() for part in OIDC_PARTS} - parts.keys():
            raise SettingsError(f"{PREFIX}OIDC_{name.upper()}_{min(missing).upper()} is not set.")
    return tuple(ProviderConfig(name, **parts) for name, parts in sorted(found.items()))


def _oidc_from_file(text: str) -> dict[str, dict[str, str]]:
    """The providers of a file. Raises SettingsError, which never shows what is in it."""
    wanted = {part.lower() for part in OIDC_PARTS}
    try:
        read = json.loads(text)
        is_right = all(
            OIDC_NAME.fullmatch(name)
            and parts.keys() == wanted
            and all(isinstance(v, str) and v for v in parts.values())
            for name, parts in read.items()
        )
    except (ValueError, AttributeError, RecursionError):
        is_right = False
    if not is_right:
        raise SettingsError(
            f"{OIDC_FILE} is wrong: must be a JSON object of providers by name, as in "
            '{"google": {"issuer": "…", "client_id": "…", "client_secret": "…"}}.'
        )
    return {name: {part: value.strip() for part, value in parts.items()} for name, parts in read.items()}


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError):
        raise SettingsError(f"{variable} is wrong: the file cannot be read.") from None


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence for each of these environment variables that looks like one of ours and is none."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    known += [OIDC_FILE, *(f"{PREFIX}{name.upper()}_FILE" for name in SECRETS)]
    return [
        f"{name} is no setting of Gatehouse; the nearest is {get_close_matches(name.upper(), known, 1, 0)[0]}."
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known and not OIDC_VARIABLE.fullmatch(name)
    ]
