"""The product as people meet it: its public address, its pages and its name, and the keys that hold its secrets."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from rules.oidc import ProviderConfig
from settings import checks
from settings.providers import require_safe_issuers
from settings.texts import file, flag, text
from settings.variables import SettingsError, told

OWN_PAGES = {
    "sign_in_url": "/sign-in",
    "security_url": "/account/security",
    "agency_security_url": "/settings/security",
}
HTTP = text(checks.one_of_schemes("http", "https"), checks.with_host)


def page(name: str, meaning: str) -> str:
    """A page that emails point to."""
    return told(f"{meaning}, which emails point to", "", HTTP, unset=f"`{OWN_PAGES[name]}` under the public URL")


@dataclass(frozen=True, kw_only=True, repr=False)
class Product:
    """What people see of the product, and how it is told from others."""

    production: bool = told("no explorer, no introspection, unless set; https everywhere", False, flag)
    secret_keys: str = told(
        "`id:KEY[,id:KEY…]`, newest first, each 32 random bytes in base64: `gatehouse keys new`",
        "",
        text(checks.secret_keys),
        unset="made by `up`",
    )
    issuer: str = told("the name in the authenticator app", "TaskJuice", text(checks.app_name))
    public_url: str = told(
        "where people reach the product: https in production; it makes cookies `__Host-` and Secure",
        "http://localhost:8000",
        HTTP,
    )
    ehlo_name: str = told(
        "what workers call themselves before the mail server",
        "",
        text(checks.mail_name),
        unset="the public URL's host",
    )
    sign_in_url: str = page("sign_in_url", "the page to sign in")
    security_url: str = page("security_url", "the page of one's own security")
    agency_security_url: str = page("agency_security_url", "the agency's security page")
    email_from: str = told(
        "the sender of all emails; without a name, the product's is put before it",
        "",
        text(checks.mailbox),
        unset="`no-reply@` the public URL's host",
    )

    # Each from variables of its own: GATEHOUSE_OIDC_<NAME>_ISSUER and so on.
    oidc: tuple[ProviderConfig, ...] = ()

    pages: bool = told(
        "the pages for people: `/sign-in`, `/account/security`, `/settings/security`, `/set-password`, `/not-me`",
        True,
        flag,
    )
    product_name: str = told(
        "the product's name on pages and in emails", "", text(checks.product_name), unset="`GATEHOUSE_ISSUER`"
    )
    logo_file: Path | None = told(
        "the logo, an .svg, .png or .webp, which emails carry unless it is an .svg or over 64 KiB",
        None,
        file(".svg", ".png", ".webp"),
    )
    accent_color: str = told("the colour of pages and emails", "#1849a9", text(checks.colour))

    def __post_init__(self) -> None:
        """Put our own pages, and a sender of our own host, where none is given."""
        for name, path in OWN_PAGES.items():
            if not getattr(self, name):
                object.__setattr__(self, name, self.public_url.rstrip("/") + path)
        if not self.email_from:
            object.__setattr__(self, "email_from", f"no-reply@{self._mail_host}")

    def wrong_together(self) -> dict[str, str]:
        """The settings that are wrong beside others, each with what it must be."""
        wrong, urls = {}, {name: getattr(self, name) for name in ("public_url", *OWN_PAGES)}
        for name, url in urls.items():
            is_told_already = "public_url" in wrong and url.startswith(self.public_url)
            if self.production and not checks.is_safe(url) and not is_told_already:
                wrong[name] = "must start with https:// in production, unless the host is this machine"
        try:
            require_safe_issuers(self.oidc, production=self.production)
        except ValueError as error:
            wrong["oidc"] = str(error)
        return wrong

    @cached_property
    def keys(self) -> dict[str, bytes]:
        """The key ring, newest first: key id to 32 bytes."""
        if not self.secret_keys:
            raise SettingsError("GATEHOUSE_SECRET_KEYS is not set: give id:KEY, KEY being 32 random bytes in base64.")
        return checks.parse_secret_keys(self.secret_keys)

    @property
    def own_mail_name(self) -> str:
        """What a worker calls itself before a mail server: a host name, or an address in brackets (RFC 5321)."""
        return self.ehlo_name or self._mail_host

    @property
    def _mail_host(self) -> str:
        """The public URL's host as mail has it."""
        host = urlsplit(self.public_url).hostname or "localhost"
        with suppress(ValueError):
            return f"[IPv6:{host}]" if ip_address(host).version == 6 else f"[{host}]"
        with suppress(ValueError):
            return host.encode("idna").decode()
        return "localhost"

    @property
    def product(self) -> str:
        """The product's name on pages and emails: its own, or the one in the authenticator app."""
        return self.product_name.strip() or self.issuer

    @cached_property
    def cookie_is_secure(self) -> bool:
        """False only for plain http on a loopback host, where browsers refuse a __Host- cookie."""
        parts = urlsplit(self.public_url)
        return not (parts.scheme == "http" and (parts.hostname or "") in checks.LOOPBACK_HOSTS)

    @cached_property
    def cookie_name(self) -> str:
        """The session cookie's name."""
        return "__Host-gatehouse" if self.cookie_is_secure else "gatehouse"

    @property
    def provider_cookie_name(self) -> str:
        """The name of the cookie that binds a sign-in at a provider to the browser."""
        return f"{self.cookie_name}-provider"

    @cached_property
    def device_cookie_name(self) -> str:
        """The name of the cookie that tells a device where somebody has signed in before."""
        return f"{self.cookie_name}-device"
