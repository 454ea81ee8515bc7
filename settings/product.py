"""The product as people meet it: its public address, its pages and its name, and the keys that hold its secrets."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode

from rules.oidc import ProviderConfig
from settings import checks
from settings.providers import safe_issuers
from settings.variables import SettingsError, told

OWN_PAGES = {
    "sign_in_url": "/sign-in",
    "security_url": "/account/security",
    "agency_security_url": "/settings/security",
}


def or_own_page(url: str, info: ValidationInfo) -> str:
    """Where nothing is set, our own page under the public URL, which is checked before."""
    own = str(info.data.get("public_url", "")).rstrip("/") + OWN_PAGES[info.field_name or ""]
    return url or own


def own_page_of(name: str) -> str:
    return f"`{OWN_PAGES[name]}` under the public URL"


PageUrl = Annotated[
    str,
    checks.one_of_schemes("http", "https"),
    AfterValidator(checks.with_host),
    AfterValidator(or_own_page),
    AfterValidator(checks.https_in_production),
    Field(validate_default=True),
]


class Product(BaseSettings):
    """What people see of the product, and how it is told from others."""

    production: Annotated[bool, told("no explorer, no introspection, unless set; https everywhere")] = False
    secret_keys: Annotated[
        str,
        AfterValidator(checks.secret_keys),
        told("`id:KEY[,id:KEY…]`, newest first, each 32 random bytes in base64: `gatehouse keys new`", "made by `up`"),
    ] = ""
    issuer: Annotated[
        str, Field(min_length=1, max_length=60, pattern=r"^[^:]+$"), told("the name in the authenticator app")
    ] = "TaskJuice"
    public_url: Annotated[
        str,
        checks.one_of_schemes("http", "https"),
        AfterValidator(checks.with_host),
        AfterValidator(checks.https_in_production),
        told("where people reach the product: https in production; it makes cookies `__Host-` and Secure"),
    ] = "http://localhost:8000"
    ehlo_name: Annotated[
        str,
        AfterValidator(checks.mail_name),
        told("what workers call themselves before the mail server", "the public URL's host"),
    ] = ""
    sign_in_url: Annotated[PageUrl, told("the page to sign in, which emails point to", own_page_of("sign_in_url"))] = ""
    security_url: Annotated[
        PageUrl, told("the page of one's own security, which emails point to", own_page_of("security_url"))
    ] = ""
    agency_security_url: Annotated[
        PageUrl, told("the agency's security page, which emails point to", own_page_of("agency_security_url"))
    ] = ""
    email_from: Annotated[
        str,
        AfterValidator(checks.mailbox),
        told("the sender of all emails; without a name, the product's is put before it"),
    ] = "no-reply@gatehouse.localhost"

    # Each from variables of its own: GATEHOUSE_OIDC_<NAME>_ISSUER and so on.
    oidc: Annotated[tuple[ProviderConfig, ...], NoDecode, AfterValidator(safe_issuers)] = ()

    pages: Annotated[
        bool,
        told("the pages for people: `/sign-in`, `/account/security`, `/settings/security`, `/set-password`, `/not-me`"),
    ] = True
    product_name: Annotated[
        str, Field(max_length=60), told("the product's name on pages and in emails", "`GATEHOUSE_ISSUER`")
    ] = ""
    logo_file: Annotated[
        FilePath | None,
        AfterValidator(checks.picture),
        told("the logo, an .svg, .png or .webp, which emails carry unless it is an .svg or over 64 KiB"),
    ] = None
    accent_color: Annotated[str, AfterValidator(checks.colour), told("the colour of pages and emails")] = "#1849a9"

    @cached_property
    def keys(self) -> dict[str, bytes]:
        """The key ring, newest first: key id to 32 bytes."""
        if not self.secret_keys:
            raise SettingsError("GATEHOUSE_SECRET_KEYS is not set: give id:KEY, KEY being 32 random bytes in base64.")
        return checks.parse_secret_keys(self.secret_keys)

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

    @property
    def product(self) -> str:
        """The product's name on pages and emails: its own, or the one in the authenticator app."""
        return self.product_name.strip() or self.issuer

    @property
    def cookie_is_secure(self) -> bool:
        """False only for plain http on a loopback host, where browsers refuse a __Host- cookie."""
        parts = urlsplit(self.public_url)
        return not (parts.scheme == "http" and (parts.hostname or "") in checks.LOOPBACK_HOSTS)

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
