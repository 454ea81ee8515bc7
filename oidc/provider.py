"""One provider: where to send people, and who they are when they come back.

What it publishes about itself is kept for an hour; a key that is not known yet is looked for at once, since providers
change theirs at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

import rules.typed
from oidc.http import TIMEOUT_S, Borrowed, BoundedTransport
from oidc.kept import Kept
from oidc.places import Places
from rules.oidc import EXCHANGE_S, FAILED, Identity, Pending, ProviderConfig, Returned, SignInProblem

SCOPE = "openid email"
# When they have shown it last who they are: some tell only those who ask, and each way of asking is known to some.
TOLD = '{"id_token":{"auth_time":{"essential":true}}}'
ANEW = {"prompt": "login", "max_age": "0"}
# Signed with the provider's own key, never with a secret that others share, and never not at all.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
LEEWAY_S = 60
# A token is made for the sign-in that asks for it.
OLDEST_TOKEN_S = 600
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LONGEST_CLAIM = 255  # of a subject, and enough for an address
LONGEST_AMR = 8

T = TypeVar("T")


class Provider:
    """A provider, and the connections to it."""

    def __init__(self, config: ProviderConfig, redirect_uri: str, exchange_s: float = EXCHANGE_S) -> None:
        self.config = config
        self._exchange_s = exchange_s
        self.redirect_uri = redirect_uri
        self._transport = BoundedTransport()
        self._places = Places()
        self._metadata = Kept(self._load_metadata)
        self._keys = Kept(self._load_keys)

    async def authorization_url(self, pending: Pending, source: str) -> str:
        """Where to send the browser, which is of this source. Raises SignInProblem, RateLimited."""

        async def ask() -> str:
            metadata = await self._metadata.get()
            url, _ = self._client().create_authorization_url(
                metadata["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
                claims=TOLD,
                **(ANEW if pending.is_fresh else {}),
            )
            return str(url)

        return await self._within(ask, source)

    async def identity(self, returned: Returned, pending: Pending, now: float, source: str) -> Identity:
        """Whom the provider vouches for, as of `now`, to this source. Raises SignInProblem, RateLimited."""

        async def ask() -> Identity:
            metadata = await self._metadata.get()
            self._check_answer(returned, metadata)
            token = await self._client(metadata).fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=returned.code,
                code_verifier=pending.verifier,
            )
            claims = await self._claims(token, pending.nonce, now)
            return await self._identity(claims, token, metadata)

        return await self._within(ask, source)

    async def close(self) -> None:
        await self._transport.aclose()

    async def _within(self, ask: Callable[[], Awaitable[T]], source: str) -> T:
        """The answer, within bounds; whatever is wrong with it is one problem to the person."""
        time_out = asyncio.timeout(self._exchange_s)
        with self._places.taken(source, time_out):
            try:
                async with time_out:
                    return await ask()
            except (OAuthError, JoseError, httpx2.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
                # What came from outside stays out of the log; its kind says enough.
                raise SignInProblem(FAILED, f"{self.config.name}: {_kind(error)}") from None

    def _check_answer(self, returned: Returned, metadata: dict[str, Any]) -> None:
        """Raise SignInProblem unless the answer brings a code, and comes from whom it was asked of (RFC 9207)."""
        is_named = bool(metadata.get("authorization_response_iss_parameter_supported"))
        if (returned.iss is not None or is_named) and returned.iss != self.config.issuer:
            raise SignInProblem(FAILED, f"{self.config.name}: the answer is another issuer's")
        if returned.error is not None or not returned.code:
            raise SignInProblem(FAILED, f"{self.config.name}: the provider refused")

    async def _claims(self, token: dict[str, Any], nonce: str, now: float) -> CodeIDToken:
        """The ID token's claims, each of them checked."""
        text = token["id_token"]
        try:
            decoded = jwt.decode(text, await self._keys.get(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # A key that is new since they were read; the second look decides.
            decoded = jwt.decode(text, await self._keys.renew(), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"essential": True, "value": self.config.issuer}, "aud": {"value": self.config.client_id}},
            {"nonce": nonce, "client_id": self.config.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(now), leeway=LEEWAY_S)
        if claims["iss"] != self.config.issuer or claims["iat"] < now - OLDEST_TOKEN_S:
            raise ValueError("the token is not the one that was asked for")
        return claims

    async def _identity(self, claims: CodeIDToken, token: dict[str, Any], metadata: dict[str, Any]) -> Identity:
        about: dict[str, Any] = dict(claims)
        if "email" not in about and "userinfo_endpoint" in metadata:
            told = await self._get(metadata["userinfo_endpoint"], str(token["access_token"]))
            if told.get("sub") != claims["sub"]:
                raise ValueError("the provider told of somebody else")
            about |= {name: told.get(name) for name in ("email", "email_verified")}
        email, amr = about.get("email"), about.get("amr") or []
        return Identity(
            self.config.issuer,
            _storable(str(claims["sub"])),
            _storable(email) if isinstance(email, str) else None,
            # Some write it as text.
            about.get("email_verified") in {True, "true"},
            tuple(str(method) for method in amr[:LONGEST_AMR]),
            claims.get("auth_time"),
        )

    async def _load_metadata(self) -> dict[str, Any]:
        metadata = await self._get(f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != self.config.issuer:
            raise ValueError("the provider says that it is another")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check_url(metadata[name])
        return metadata

    async def _load_keys(self) -> KeySet:
        metadata = await self._metadata.get()
        return KeySet.import_key_set(cast("Any", await self._get(metadata["jwks_uri"])))

    async def _get(self, url: str, token: str | None = None) -> dict[str, Any]:
        self._check_url(url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._asking() as client:
            response = await client.get(url, headers=headers)
        response.raise_for_status()
        read = response.json()
        if not isinstance(read, dict):
            raise TypeError("the answer is no object")
        return read

    def _check_url(self, url: object) -> None:
        """Raise ValueError for what is asked without TLS, except of this machine by its own provider."""
        parts = urlsplit(str(url))
        own = urlsplit(self.config.issuer)
        if parts.scheme != "https" and not (own.scheme == "http" and (parts.hostname or "") in LOOPBACK):
            raise ValueError("the provider's address is not https")

    def _asking(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=Borrowed(self._transport), timeout=TIMEOUT_S, trust_env=False)

    def _client(self, metadata: dict[str, Any] | None = None) -> Any:
        methods = (metadata or {}).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return AsyncOAuth2Client(
            self.config.client_id,
            self.config.client_secret,
            "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            transport=Borrowed(self._transport),
            timeout=TIMEOUT_S,
            trust_env=False,
        )


def _storable(text: str) -> str:
    """The text. Raises ValueError for what OpenID Connect has no room for, or no database."""
    if not 0 < len(text) <= LONGEST_CLAIM or not rules.typed.is_storable(text):
        raise ValueError("a claim is none that a provider gives")
    return text


def _kind(error: Exception) -> str:
    """What went wrong, in words of ours and the libraries' alone."""
    if isinstance(error, OAuthError):
        return "the provider refused the code"
    return f"{type(error).__name__} {getattr(error, 'claim', '') or ''}".strip()
