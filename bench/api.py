"""What a request costs: `viewer`, and a backend's `session(token)`, against a bare JSON route that sends one SELECT.

Both are served by a process of their own and asked in turns by the same clients. Held: `viewer` costs one statement,
`session(token)` two, the key's and the session's, and at least a fifth and a tenth as many are answered in a second;
signing in, bound by argon2id, which is meant to be slow,
takes less than three times its one hash. A roster page of 500 is beside them for comparison.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from bench import parts
from db import service_keys
from rules import tokens
from rules.passwords import hash_password, matches
from rules.service_keys import Right
from server.app import create_app
from settings import Settings

CLIENTS, ROUNDS = 8, 10
LEAST_SHARE, LEAST_SHARE_OF_SESSION = 1 / 5, 1 / 10
MOST_HASHES = 3.0
PASSWORD = "correct horse battery"
VIEWER = "{ viewer { id email mfa { enabled } } }"
SESSION = """query ($token: String!) {
  session(token: $token) { userId amr authTime blocked mfaNotice { message } } }"""
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { __typename } }"""
ROSTER = """query ($account: ID!) {
  account(id: $account) { staff { nodes { id email role mfaEnabled mfaState canResetMfa } } } }"""


@dataclass(frozen=True)
class Asked:
    """One request, as bytes, and how it is asked: by so many clients at once, so often each in a round."""

    port: int
    request: bytes
    clients: int
    times: int


def asked(server: parts.Server, path: str, body: object, token: str, *, clients: int, times: int) -> Asked:
    """A request with a JSON body."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return Asked(server.port, head.encode() + content, clients, times)


async def main(url: str, api: parts.Server, bare: parts.Server) -> dict[str, bool]:
    """Measure and print; what was kept."""
    password_hash = hash_password(PASSWORD)
    connection = await asyncpg.connect(url)
    account = await parts.add_account(connection, "agency", 1_000, 2)
    (token,) = await parts.sign_in(connection, account, "OWNER")
    email = await connection.fetchval(
        "UPDATE users SET password_hash = $1 WHERE email = (SELECT min(email) FROM users WHERE NOT EXISTS "
        "(SELECT FROM factors WHERE user_id = users.id)) RETURNING email",
        password_hash,
    )
    key = tokens.make(tokens.SERVICE_PREFIX, os.urandom(tokens.TOKEN_BYTES))
    key_hash = tokens.digest(tokens.SERVICE_PREFIX, key)
    assert key_hash is not None
    await service_keys.create(connection, "bench", key_hash, [Right.SIGN_IN], None, None)
    await parts.settle(connection)
    await connection.close()
    signing_in = {"query": SIGN_IN, "variables": {"email": email, "password": PASSWORD}}
    whose = {"query": SESSION, "variables": {"token": token}}
    roster = {"query": ROSTER, "variables": {"account": str(account)}}
    requests = {
        "bare route": asked(bare, "/", {"email": email}, token, clients=CLIENTS, times=80),
        "viewer": asked(api, "/graphql", {"query": VIEWER}, token, clients=CLIENTS, times=80),
        "session(token)": asked(api, "/graphql", whose, key, clients=CLIENTS, times=80),
        "roster page of 500": asked(api, "/graphql", roster, token, clients=1, times=8),
        "signIn": asked(api, "/graphql", signing_in, token, clients=1, times=8),
    }
    rates = await measure(requests)
    hash_s = statistics.median(timed_hash(password_hash) for _ in range(20))
    statements = await statements_of({"query": VIEWER}, url, token)
    of_session = await statements_of(whose, url, key)
    print(
        f"one argon2id hash takes {hash_s * 1000:.1f} ms; viewer sends {statements}, session {of_session} statements\n"
    )
    asking = rates["session(token)"] / rates["bare route"]
    share, hashes = rates["viewer"] / rates["bare route"], 1 / (rates["signIn"] * hash_s)
    return {
        "viewer costs one statement, session(token) two": (statements, of_session) == (1, 2),
        f"viewer serves {share:.2f} as many requests as the bare route ({LEAST_SHARE:.2f} at least)": share
        >= LEAST_SHARE,
        f"session(token) serves {asking:.2f} ({LEAST_SHARE_OF_SESSION:.2f} at least)": asking >= LEAST_SHARE_OF_SESSION,
        f"signIn takes {hashes:.1f} times its hash ({MOST_HASHES:.0f} at most)": hashes <= MOST_HASHES,
    }


async def measure(requests: dict[str, Asked]) -> dict[str, float]:
    """Ask in turns, the first round unmeasured, and print; how many of each were answered in a second.

    The best round counts: what else the machine does only ever takes away.
    """
    taken: dict[str, list[float]] = {name: [] for name in requests}
    rates: dict[str, list[float]] = {name: [] for name in requests}
    for number in range(ROUNDS + 1):
        for name, request in requests.items():
            started = time.perf_counter()
            answers = await asyncio.gather(*(ask(request) for _ in range(request.clients)))
            if number:
                rates[name].append(request.clients * request.times / (time.perf_counter() - started))
                taken[name].extend(each for answer in answers for each in answer)
    best = {name: max(each) for name, each in rates.items()}
    parts.table(
        ("request", "clients", "a second", "p50 ms", "p99 ms", "of bare"),
        [
            (
                name,
                request.clients,
                best[name],
                parts.median_ms(taken[name]),
                parts.percentile(taken[name], 0.99) * 1000,
                best[name] / best["bare route"],
            )
            for name, request in requests.items()
        ],
    )
    return best


async def ask(request: Asked) -> list[float]:
    """Send a request again and again over one connection; how long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", request.port)
    taken = []
    for _ in range(request.times):
        started = time.perf_counter()
        writer.write(request.request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        taken.append(time.perf_counter() - started)
        assert b" 200 " in head and b"errors" not in body, body[:300]
    writer.close()
    return taken


def timed_hash(password_hash: str) -> float:
    """The seconds of one hash, alone in this process."""
    started = time.perf_counter()
    matches(PASSWORD, password_hash)
    return time.perf_counter() - started


async def statements_of(query: Mapping[str, object], url: str, token: str) -> int:
    """How many statements the application sends for the query, over a pool of one connection."""
    app = create_app(Settings(database_url=url, secret_keys=parts.SECRET_KEYS, pool_size=1))
    sent: list[Any] = []
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        async with app.state.service.database.pool.acquire() as connection:
            connection.add_query_logger(sent.append)
        await http.post("/graphql", json=query, headers={"authorization": f"Bearer {token}"})
    return len(sent)


if __name__ == "__main__":
    with (
        parts.database() as database_url,
        parts.api(database_url) as served,
        parts.serving("bench.bare", database_url=database_url) as bare_route,
    ):
        kept = asyncio.run(main(database_url, served, bare_route))
    parts.judge(kept)
