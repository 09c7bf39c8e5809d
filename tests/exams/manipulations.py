"""The manipulations: each alters a store the way somebody would who knows its program, and has every file and no key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

from scenes import Scene

from models.seal import Key, canonical
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import ERASED, FIELDS, Record, digest_of_record, start

FOREIGN = ReceiptKeys(Key(b"somebody" * 4))
_SELECT = f"SELECT {', '.join(FIELDS)} FROM records ORDER BY sequence"
_INSERT = f"INSERT INTO records ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})"
Rows = list[Record]


@dataclass(frozen=True)
class Manipulation:
    """What is done, whether one without the secret can see it, and what kept elsewhere it takes to see it."""

    done_to: Callable[[Scene], object]
    outside: bool = True
    kept: str = ""  # "witness" or "receipt", where the store is whole in itself


def statement(*sql: str) -> Callable[[Scene], None]:
    """These statements, in one transaction; the triggers are dropped before and put back after."""

    def done_to(made: Scene) -> None:
        with made.altering() as connection:
            for one in sql:
                connection.execute(one)

    return done_to


def rewritten(alter: Callable[[Rows], Rows], relink: bool = False, heads: str = "") -> Callable[[Scene], None]:
    """All records read, altered, and written anew; with `relink` the chain is computed again from the first to the last.

    `heads`: "digests" puts the new digests under the old signatures, "foreign" signs them with another key.
    """

    def done_to(made: Scene) -> None:
        with made.altering() as connection:
            rows = alter([Record(*row) for row in connection.execute(_SELECT)])
            (store,) = connection.execute("SELECT id FROM store").fetchone()
            rows = linked(store, rows) if relink else rows
            connection.execute("DELETE FROM records")
            connection.executemany(_INSERT, [[getattr(row, name) for name in FIELDS] for row in rows])
        digests = {row.sequence: row.digest for row in rows}
        if heads:
            made.heads.write_bytes(b"".join(_line(one, digests, heads) for one in _heads(made)))

    return done_to


def linked(store: str, rows: Rows) -> Rows:
    """The chain as anybody can compute it; the seals stay what they were."""
    previous, found = start(store), []
    for row in rows:
        row = replace(row, previous=previous)
        previous = digest_of_record(store, row)
        found.append(replace(row, digest=previous))
    return found


def _heads(made: Scene) -> list[dict[str, object]]:
    return [json.loads(line) for line in made.heads.read_bytes().splitlines()]


def _line(head: dict[str, object], digests: dict[int, str], how: str) -> bytes:
    head = head | {"digest": digests.get(int(str(head["sequence"])), head["digest"])}
    if how == "foreign":
        signed = FOREIGN.sign(str(head["store"]), int(str(head["sequence"])), str(head["digest"]), str(head["time"]))
        head = signed.as_json()
    return canonical(head) + b"\n"


def of_heads(alter: Callable[[list[bytes]], list[bytes]]) -> Callable[[Scene], None]:
    """The lines of the head file, altered."""

    def done_to(made: Scene) -> None:
        made.heads.write_bytes(b"".join(alter(made.heads.read_bytes().splitlines(keepends=True))))

    return done_to


def change(place: int, **fields: object) -> Callable[[Rows], Rows]:
    """One record says something else."""
    return lambda rows: [replace(row, **fields) if at == place else row for at, row in enumerate(rows)]  # type: ignore[arg-type]


def payload(rows: Rows, place: int = 9) -> Rows:
    """One bit of what one record says."""
    said = rows[place].payload
    return change(place, payload=said[:-1] + bytes([said[-1] ^ 1]))(rows)


def without(*places: int) -> Callable[[Rows], Rows]:
    """Records taken away."""
    return lambda rows: [row for at, row in enumerate(rows) if at not in {place % len(rows) for place in places}]


def renumbered(rows: Rows) -> Rows:
    """Numbers without a gap."""
    return [replace(row, sequence=at) for at, row in enumerate(rows, 1)]


def swapped(rows: Rows) -> Rows:
    """Two records in each other's place, each under the number of the place."""
    one, other = rows[9], rows[10]
    return [*rows[:9], replace(other, sequence=one.sequence), replace(one, sequence=other.sequence), *rows[11:]]


def forged(rows: Rows, **fields: object) -> Rows:
    """One record more at the end, whose link is right."""
    last, reached = rows[-1], rows[-1].sequence
    return [*rows, replace(last, sequence=last.sequence + 1, head=reached, previous=last.digest, **fields)]  # type: ignore[arg-type]


def relinked_end(made: Scene) -> None:
    """The last groups written anew, and their heads cut off, as if the service had been stopped before it signed them."""
    heads = _heads(made)
    signed = int(str(heads[-4]["sequence"]))
    rewritten(lambda rows: [replace(row, head=min(row.head, signed)) for row in payload(rows, signed + 1)], relink=True)(made)
    of_heads(lambda lines: lines[:-3])(made)


def put_back(*names: str) -> Callable[[Scene], None]:
    """These files from the older copy."""

    def done_to(made: Scene) -> None:
        for name in names:
            shutil.copyfile(made.older / name, made.folder / name)
        for log in made.folder.glob("receipts.db-*"):
            log.unlink()

    return done_to


def erasure_forged(made: Scene) -> None:
    """A patient's key destroyed, and an event that says it was asked for."""
    with made.altering() as connection:
        key, subject = connection.execute("SELECT key, subject FROM data_keys WHERE subject != ''").fetchone()
    said = canonical({"by": "an officer", "key": key, "reason": "asked for", "subject": subject})
    rewritten(lambda rows: forged(rows, kind=ERASED, subject="", key="", payload=said), relink=True)(made)
    statement(f"DELETE FROM data_keys WHERE key = '{key}'")(made)


def without_log(made: Scene) -> None:
    """A store copied while the service ran, without the log beside the database, which held the last records."""
    shutil.rmtree(made.folder)
    shutil.copytree(made.live, made.folder)
    for log in made.folder.glob("receipts.db-*"):
        log.unlink()


def model_altered(made: Scene) -> None:
    """One byte of the model that is kept."""
    (path,) = made.folder.glob("models/*/model.json")
    path.write_bytes(path.read_bytes().replace(b"0.1", b"0.2", 1))
