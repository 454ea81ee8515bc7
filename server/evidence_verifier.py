"""Verifies a bundle of evidence, in plain Python 3.8 or later: python evidence_verifier.py BUNDLE.zip [PUBLIC_KEY]

manifest.json of the zip file names the SHA-256 of every other file, the chain's head and the number of events;
manifest.sig is its Ed25519 signature (RFC 8032). Each line of events.jsonl is a JSON object, whose "chain" is the
SHA-256 of the chain before it, a line feed, and the line without its "chain", keys sorted, no spaces. The chain begins
with the SHA-256 of the manifest's "scope". So whatever is changed, cut, added or moved is found. Get the public key
from whoever runs the service: without it the signature shows only that the bundle fits the key that it brings.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
KEY = re.compile(r"\s*(?:\S+\s+)?([0-9a-fA-F]{64})\s*")
NO_KEY = "A public key is 64 hexadecimal digits, alone or behind the key's id, as `gatehouse evidence key` prints it."


def _point(raw: bytes) -> tuple[int, ...] | None:
    """The point of the curve that these 32 bytes name, as X, Y, Z, T; None when they name none."""
    sign, y = divmod(int.from_bytes(raw, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


def _add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The sum of two points, as in RFC 8032, 5.1.4."""
    low, high = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = high - low, d - c, d + c, high + low
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(factor: int, point: tuple[int, ...]) -> tuple[int, ...]:
    even = _times(factor // 2, _add(point, point)) if factor else (0, 1, 1, 0)
    return _add(even, point) if factor % 2 else even


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether this Ed25519 signature of 64 bytes is the key's own."""
    base = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    point, key, s = _point(signature[:32]), _point(public_key), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or len(public_key) != 32 or not (base and point and key) or s >= ORDER:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    one, other = _times(s, base), _add(point, _times(hashed, key))
    return all((one[i] * other[2] - other[i] * one[2]) % P == 0 for i in (0, 1))


def own_key(bundle: str) -> str:
    """The key that the bundle at this path brings, which proves nothing by itself."""
    with zipfile.ZipFile(bundle) as files:
        return str(json.loads(files.read("manifest.json"))["publicKey"])


def problems_of(bundle: str, public_key: str | None = None) -> list[str]:
    """What is wrong with the bundle at this path, a sentence each; none when it is whole."""
    given = KEY.fullmatch(public_key or "")
    if public_key is not None and not given:
        return [NO_KEY]
    with zipfile.ZipFile(bundle) as files:
        names, raw = files.namelist(), files.read("manifest.json")
        signature, manifest = bytes.fromhex(files.read("manifest.sig").decode()), json.loads(raw)
        # Of two files of one name another program may show the other.
        found = [f"{name} is there more than once." for name in sorted(set(names)) if names.count(name) > 1]
        if not is_signed(raw, signature, bytes.fromhex(given[1] if given else manifest["publicKey"])):
            found.append("manifest.json is not signed by this key.")
        for name in sorted({*names, *manifest["files"]} - {"manifest.json", "manifest.sig"}):
            whole = hashlib.sha256()
            # In pieces, since all of it may be more than the memory holds.
            for line in files.open(name) if name in names else ():
                whole.update(line)
            if name not in names or whole.hexdigest() != manifest["files"].get(name):
                found.append(f"{name} is not the file that was exported.")
        chain, number = hashlib.sha256(manifest["scope"].encode()).hexdigest(), 0
        for number, event in enumerate(map(json.loads, files.open("events.jsonl")), 1):
            claimed, text = event.pop("chain"), json.dumps(event, sort_keys=True, separators=(",", ":"))
            chain = hashlib.sha256(f"{chain}\n{text}".encode()).hexdigest()
            if claimed != chain:
                return [*found, f"events.jsonl is not as exported from line {number} on."]
    return found if (chain, number) == (manifest["head"], manifest["events"]) else [*found, "Events are missing."]


if __name__ == "__main__":
    wrong = problems_of(sys.argv[1], " ".join(sys.argv[2:]) if sys.argv[2:] else None)
    own = "" if wrong or sys.argv[2:] else f" by the key that it brings, {own_key(sys.argv[1])}: compare it"
    sys.exit("\n".join(wrong) or print(f"The bundle is whole and signed{own}."))
