"""A small product that keeps its own passwords and lets Gatehouse do the rest: second factor, sessions, the gate.

gatehouse service-keys create --name product --can sign-in
GATEHOUSE_SERVICE_KEY=gh_k_… uv run examples/python/own_passwords.py --person mia@agency.example --password …

Then: curl -c jar -d '{"email": "mia@agency.example", "password": "…"}' http://127.0.0.1:9000/sign-in
It needs nothing but Python. A real product keeps many people, and speaks https.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

SIGN_IN = """
mutation ($input: ServiceSignInInput!) {
  result: serviceSignIn(input: $input) {
    __typename ... on SignedIn { sessionToken } ... on MfaChallenge { challengeToken } ... on Error { message }
  }
}
"""
COMPLETE = """
mutation ($challenge: String!, $code: String!) {
  result: completeMfaChallenge(input: {challengeToken: $challenge, code: {totp: $code}}) {
    __typename ... on SignedIn { sessionToken } ... on Error { message }
  }
}
"""
SESSION = """
query ($token: String!) {
  result: session(token: $token) { email amr blocked mfaNotice { message } memberships { role } }
}
"""


class Passwords:
    """The product's own first factor."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, bytes]] = {}

    def set(self, email: str, password: str) -> None:
        """Keep the password's hash."""
        salt = secrets.token_bytes(16)
        self._kept[email] = salt, hashed(password, salt)

    def are_right(self, email: str, password: str) -> bool:
        """Whether it is theirs; as slow for whoever is unknown."""
        salt, kept = self._kept.get(email, (b"nobody", b""))
        return hmac.compare_digest(hashed(password, salt), kept)


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Gatehouse:
    """The endpoint, asked with the product's service key."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def ask(self, query: str, **variables: Any) -> Any:
        """The one field's value. Raises for what is no answer: a wrong key, a server that is away."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(self.url, json.dumps({"query": query, "variables": variables}).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            body = json.load(answer)
        if body.get("errors"):
            raise RuntimeError(body["errors"][0]["message"])
        return body["data"]["result"]


class Product(BaseHTTPRequestHandler):
    """POST /sign-in, POST /code where a code is asked for, and GET / for whoever is signed in."""

    passwords: Passwords
    gatehouse: Gatehouse

    def do_GET(self) -> None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        # Asked on each request: a session that has ended, whatever ended it, is null.
        session = self.gatehouse.ask(SESSION, token=cookie.value) if cookie else None
        if session is None:
            return self.answer(401, {"message": "Sign in first."})
        # No role, no way in: they were removed, or have not accepted yet. (A portal's users have none either.)
        if not session["memberships"]:
            return self.answer(403, {"message": "You are not on the staff."})
        if session["blocked"]:
            return self.answer(403, {"message": session["mfaNotice"]["message"]})
        return self.answer(200, {"hello": session["email"], "by": session["amr"]})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 10_000)))
        if self.path == "/code":
            return self.signed_in(self.gatehouse.ask(COMPLETE, challenge=given["challenge"], code=given["code"]))
        if not self.passwords.are_right(given["email"], given["password"]):
            return self.answer(401, {"message": "The email or the password is wrong."})
        client = {"ipAddress": self.client_address[0], "userAgent": self.headers.get("User-Agent")}
        who = {"email": given["email"], "client": client, "amr": ["pwd"]}
        return self.signed_in(self.gatehouse.ask(SIGN_IN, input=who))

    def signed_in(self, result: dict[str, Any]) -> None:
        """What the browser gets: a session's cookie, a challenge to answer, or why there is neither."""
        if result["__typename"] == "SignedIn":
            cookie = f"session={result['sessionToken']}; Path=/; HttpOnly; SameSite=Lax"
            return self.answer(200, {"message": "Welcome."}, cookie)
        if result["__typename"] == "MfaChallenge":
            return self.answer(202, {"challenge": result["challengeToken"]})
        return self.answer(401, {"message": result["message"]})

    def answer(self, status: int, body: dict[str, Any], cookie: str | None = None) -> None:
        """Send JSON."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: paths and tokens are nobody's to read."""


def main() -> None:
    """Serve the product."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--url", default="http://localhost:8000/graphql", help="Gatehouse's endpoint")
    arguments.add_argument("--port", type=int, default=9000)
    arguments.add_argument("--person", required=True, help="who has an account here, by email")
    arguments.add_argument("--password", required=True)
    given = arguments.parse_args()
    Product.passwords = Passwords()
    Product.passwords.set(given.person, given.password)
    Product.gatehouse = Gatehouse(given.url, os.environ["GATEHOUSE_SERVICE_KEY"])
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Product)
    print(f"listening: http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
