"""Whoever was given a score, or audits those who give them, can check here that no receipt was changed, added or taken away.

One file of plain standard-library Python: carry it away and run `python3 verifier.py FOLDER --public-key HEX`. FOLDER is a folder
of receipts (receipts.db and heads.jsonl; opened for reading alone) or an export of one (records.jsonl, heads.jsonl, store.json).

Every record carries the SHA-256 of the one before it and of its own (encrypted) content; heads, kept apart from the database, are
Ed25519 signatures over those digests. What is signed once cannot be changed without the operator's secret; what was cut off at
the end, log and heads alike, is found out by a copy of the heads kept elsewhere (--witness) or by a receipt that somebody was
given (--expect-receipt). Ed25519 is written out after RFC 8032 (Josefsson and Liusvaara, 2017), section 5.1.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
BASE64 = re.compile("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?")
HEX_64, HEX_128 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{128}")
KIND = re.compile("score|opened|signed again|clock set back|erased|access")
STORE: dict[str, Any] = {"id": str, "created": str, "public_key": HEX_64, "format": int}
HEAD: dict[str, Any] = {"digest": HEX_64, "sequence": int, "signature": HEX_128, "store": str, "time": TIME}
RECORD: dict[str, Any] = {"sequence": int, "time": TIME, "kind": KIND, "subject": str, "key": str, "payload": bytes}
RECORD |= {"head": int, "previous": HEX_64, "digest": HEX_64, "seal": str}
EVERY = 100  # of so many signatures one is checked: that of the last head vouches for everything before it
SLACK = timedelta(seconds=2)  # a clock may run back so far without a word
Signed = tuple[dict[str, Any], str]  # a head or a receipt, and what it is called here

P = 2**255 - 19  # the field; L is the order of the base point, D the constant of the curve
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT, NEUTRAL = pow(2, (P - 1) // 4, P), (0, 1, 1, 0)  # a root of -1; the point that changes no sum
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z


class Broken(ValueError):
    """Something is not as it was written; the message says which record or head, and what is wrong with it."""


def added(p: Point, q: Point) -> Point:
    """The sum of two points (RFC 8032, 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point(encoded: bytes) -> Point | None:
    """The point these 32 bytes stand for (RFC 8032, 5.1.3); None for bytes that stand for none, or are not its one encoding."""
    y = int.from_bytes(encoded, "little")
    odd, y = y >> 255, y % 2**255
    if len(encoded) != 32 or y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * ROOT % P
    if v * x * x % P != u or (x == 0 and odd):
        return None
    x = P - x if x % 2 != odd else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or NEUTRAL


def times(s: int, p: Point, k: int, q: Point) -> Point:
    """s p + k q, both at once."""
    table, found = (NEUTRAL, p, q, added(p, q)), NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        found = added(found, found)
        if chosen := (s >> bit & 1) + 2 * (k >> bit & 1):
            found = added(found, table[chosen])
    return found


def genuine(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature was made of this message with the private key of `public_key` (RFC 8032, 5.1.7, without cofactor).

    A signature has one form only (S below L, canonical points); a key of small order, with which anything is "signed", is none.
    """
    key, r, s = point(public_key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or r is None or s >= L or times(8, key, 0, key)[0] == 0:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    x, y, z, _ = times(s, BASE, k, (P - key[0], key[1], 1, P - key[3]))  # sB - kA, which must be R
    return (x - r[0] * z) % P == (y - r[1] * z) % P == 0


def canonical(document: object) -> bytes:
    """Canonical JSON: sorted keys, no blanks, UTF-8, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ValueError where a key stands in it twice."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def read(content: bytes, called: str, to_the_byte: bool) -> Any:
    """JSON that can be read in one way only: no key twice, no NaN; to the byte where this program wrote it."""
    try:
        found = json.loads(content.decode(), object_pairs_hook=once, parse_constant=int)  # int() of NaN is a ValueError
        if not to_the_byte or canonical(found) + b"\n" == content:
            return found
    except (ValueError, RecursionError):  # what anything raises that is no such JSON
        pass
    raise Broken(f"{called} is not as this program writes it: damaged, or altered by hand")


def shaped(found: Any, shape: Mapping[str, Any], called: str) -> dict[str, Any]:
    """The object, which must have these fields and no others, each of its type to the letter (true is not 1)."""
    if not isinstance(found, dict) or found.keys() != shape.keys():
        raise Broken(f"{called} has other fields than {', '.join(shape)}")
    for name, kind in shape.items():
        value = found[name]
        of_form = isinstance(value, str) and kind.fullmatch(value) if isinstance(kind, re.Pattern) else type(value) is kind
        if not of_form or (kind is int and not 0 <= value < 2**63):
            raise Broken(f"{called} has a {name} that this program does not write")
    return found


def lines(path: Path, called: str) -> Iterator[tuple[Any, str]]:
    """The object in each line and its name; an unfinished last line is none (yet)."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield read(line, f"{called} {number}", True), f"{called} {number}"


def rows(folder: Path, table: str, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a table of the database as it stands when the first is asked for, or of its file in an export."""
    if (path := folder / "receipts.db").is_file():
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.text_factory = lambda text: text.decode(errors="replace")  # what is none fails its digest
            for row in database.execute(f"SELECT {', '.join(shape)} FROM {table} ORDER BY 1"):
                yield shaped(dict(zip(shape, row, strict=True)), shape, f"{table}: row {row[0]}")
        return
    written = {name: BASE64 if kind is bytes else kind for name, kind in shape.items()}
    for found, called in lines(folder / ("store.json" if table == "store" else f"{table}.jsonl"), table):
        row = shaped(found, written, called)
        yield {name: base64.b64decode(value) if shape[name] is bytes else value for name, value in row.items()}


class Signer:
    """What one key signed in one store; of many signatures the last, each n-th and those that contradict a record are checked."""

    def __init__(self, store: str, key: str, every: int) -> None:
        self.store, self.key, self.every, self.checked = store, key, every, 0

    def formed(self, found: Any, called: str) -> Signed:
        """A head or a receipt of this store, its signature not looked at; a receipt names the public key besides."""
        bare = dict(found) if isinstance(found, dict) else {}
        if bare.pop("public_key", self.key) != self.key:
            raise Broken(f"{called} names another public key")
        one = shaped(bare, HEAD, called)
        if one["store"] != self.store or not one["sequence"]:
            raise Broken(f"{called} is of another store, or of no record")
        return one, called

    def heads(self, path: Path) -> Iterator[Signed]:
        """The heads in a file; Broken where they are not in order."""
        last = 0
        for found, called in lines(path, f"{path.name}: head"):
            signed = self.formed(found, called)
            if signed[0]["sequence"] <= last:
                raise Broken(f"{called} names record {signed[0]['sequence']} after {last}: heads were moved or doubled")
            last = signed[0]["sequence"]
            yield signed

    def require(self, signed: Signed) -> None:
        """Broken unless it bears its signature."""
        one, called = signed
        said = canonical(["lymphorisk receipt", self.store, one["sequence"], one["digest"], one["time"]])
        if not genuine(bytes.fromhex(self.key), said, bytes.fromhex(one["signature"])):
            raise Broken(f"{called} does not bear a signature of the key {self.key[:16]}...")
        self.checked += 1

    def require_same(self, record: dict[str, Any], signed: Signed) -> None:
        """Broken where another record was signed than the one of this number."""
        if signed[0]["digest"] != record["digest"]:
            self.require(signed)  # or nothing of the kind was signed
            raise Broken(f"record {record['sequence']} is not the one that was signed: {signed[1]} names another digest")


def receipts(document: Any) -> Iterator[Any]:
    """The receipt in an answer, those in an answer of several patients, or the receipt itself."""
    if isinstance(document, list):
        yield from (one for part in document for one in receipts(part))
    elif isinstance(document, dict):
        yield from [document] if "signature" in document else receipts(document.get("receipt", document.get("scores")))


def kept(witnesses: Sequence[Path], answers: Sequence[Path], signer: Signer) -> list[Signed]:
    """What somebody kept elsewhere: the heads of a witness, the receipts that callers were given."""
    heads = [signer.formed(one, called) for path in witnesses for one, called in lines(path, f"{path.name}: line")]
    given = [signer.formed(one, path.name) for path in answers for one in receipts(read(path.read_bytes(), path.name, False))]
    if len(given) < len(answers):
        raise Broken("an answer holds no receipt")
    list(map(signer.require, given + heads[:: signer.every] + heads[-1:]))
    return given + heads


def require_link(store: str, record: dict[str, Any], number: int, before: dict[str, Any]) -> None:
    """Broken unless this is the record of this place, as it was written."""
    if record["sequence"] != number:
        raise Broken(f"record {number} is missing: record {record['sequence']} stands in its place")
    said = {name: record[name] for name in ("head", "key", "kind", "previous", "sequence", "subject", "time")}
    said |= {"payload": hashlib.sha256(record["payload"]).hexdigest(), "store": store}
    if record["digest"] != hashlib.sha256(canonical(said)).hexdigest():
        raise Broken(f"record {number} was altered: what it says has another digest than the one it carries")
    if record["previous"] != before["digest"]:
        raise Broken(f"record {number} does not follow the one before it: one of them was replaced")
    back = datetime.fromisoformat(before["time"]) - datetime.fromisoformat(record["time"])
    if back > SLACK and record["kind"] != "clock set back":
        raise Broken(f"record {number} was written before the one before it, and no record says that the clock was set back")


def follow(records: Iterable[dict[str, Any]], heads: Iterator[Signed], due: Sequence[Signed], signer: Signer) -> dict[str, Any]:
    """Walk from the first record to the last, heads and kept receipts beside it; Broken names the first bad record."""
    expected: dict[int, list[Signed]] = {}
    for signed in due:
        expected.setdefault(signed[0]["sequence"], []).append(signed)
    start = hashlib.sha256(canonical({"format": 1, "lymphorisk receipts": signer.store})).hexdigest()
    before: dict[str, Any] = {"sequence": 0, "time": "0001-01-01T00:00:00.000000Z", "digest": start}
    count, erased, last, head = 0, 0, 0, next(heads, None)  # `last`: the record of which the head before this one was signed
    for number, record in enumerate(records, start=1):
        require_link(signer.store, record, number, before)
        if record["head"] != last:
            raise Broken(f"record {number} names head {record['head']}, and the one before it is {last}: heads were taken away")
        if head and head[0]["sequence"] == number:
            expected.setdefault(number, []).append(head)
            count, last, latest, head = count + 1, number, head, next(heads, None)
            if count % signer.every == 0:
                signer.require(latest)
        for signed in expected.pop(number, ()):
            signer.require_same(record, signed)
        before, erased = record, erased + (record["kind"] == "erased")
    if count:
        signer.require(latest)
    return {"records": before["sequence"], "heads": count, "signed": last, "erased": erased, "last": before["time"]}


def verify(
    folder: Path, heads: Path, key: str | None, witnesses: Sequence[Path], answers: Sequence[Path], every: int
) -> dict[str, Any]:
    """What was verified of a store or an export; Broken says what is wrong."""
    stores = list(rows(folder, "store", STORE))
    if len(stores) != 1 or stores[0]["format"] != 1 or key not in (None, stores[0]["public_key"]):
        named = ", ".join(f"format {one['format']} signed with {one['public_key']}" for one in stores) or "no store"
        raise Broken(f"there is no store of format 1 signed with {key or 'a public key'}: the folder names {named}")
    signer = Signer(stores[0]["id"], stores[0]["public_key"], every)
    least = max((one["sequence"] for one, _ in signer.heads(heads)), default=0)  # read first: more may be signed meanwhile
    due = kept(witnesses, answers, signer)
    found = follow(rows(folder, "records", RECORD), signer.heads(heads), due, signer)
    if least > found["records"]:
        raise Broken(f"record {found['records'] + 1} is missing: records up to {least} were signed")
    if lost := [called for one, called in due if one["sequence"] > found["signed"]]:
        raise Broken(f"the heads end at record {found['signed']}, and {lost[0]} was signed of a later one: the end was cut off")
    return found | {"store": signer.store, "public_key": signer.key, "signatures": signer.checked, "kept": len(due)}


def main() -> int:
    """0 where everything is as it was written, 1 where not, 2 where the command is not understood."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, help="a folder of receipts, or an export of one")
    asked.add_argument("--public-key", type=str.lower, metavar="HEX", help="the operator's, had by another way than the folder")
    asked.add_argument("--heads", type=Path, metavar="FILE", help="the signed heads, if they are kept elsewhere")
    asked.add_argument("--witness", type=Path, action="append", default=[], metavar="FILE", help="a copy of the heads")
    asked.add_argument("--expect-receipt", type=Path, action="append", default=[], metavar="FILE", help="an answer")
    asked.add_argument("--all-heads", action="store_true", help=f"check every signature, not the last and every {EVERY}th")
    given = asked.parse_args()
    heads, every = given.heads or given.folder / "heads.jsonl", 1 if given.all_heads else EVERY
    try:
        found = verify(given.folder, heads, given.public_key, given.witness, given.expect_receipt, every)
    except (ValueError, OSError, sqlite3.Error) as error:
        print(f"Not as it was written: {error}", file=sys.stderr)
        return 1
    counted = "{records:,} records, {heads:,} heads, last {last}, {erased:,} erased, {signatures:,} signatures".format(**found)
    print(f"{counted}: the chain and the signatures checked hold")
    if found["kept"]:
        print(f"what was kept elsewhere is in the chain: {found['kept']:,} signed receipts or heads")
    if every > 1:
        print(f"of the signatures in the heads, the last and every {every}th were checked: --all-heads checks each")
    if unsigned := found["records"] - found["signed"]:
        print(f"the last {unsigned:,} are not yet signed (the service stopped between two writes): nothing vouches for them")
    if given.public_key is None:
        print(f"the public key was read from the folder: ask the operator by another way whether it is {found['public_key']}")
    print("not checked, since only the operator can: the seal of each record, and what the encrypted receipts say")
    return 0


if __name__ == "__main__":
    sys.exit(main())
