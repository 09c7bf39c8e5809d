"""Every manipulation by name: what is done to the records, to their heads, to both together, to the keys and to the models."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

from manipulations import (
    FOREIGN,
    Manipulation,
    Rows,
    change,
    erasure_forged,
    forged,
    model_altered,
    of_heads,
    payload,
    put_back,
    relinked_end,
    renumbered,
    rewritten,
    statement,
    swapped,
    without,
    without_log,
)
from scenes import Scene

_OTHER = "f" * 32
_KEY = "(SELECT key FROM data_keys WHERE subject != '' ORDER BY key LIMIT 1)"


def _wrapped(other: str) -> str:
    return f"UPDATE data_keys SET wrapped = {other} WHERE key = {_KEY}"


def _set(what: str) -> Callable[[Scene], None]:
    return statement(f"UPDATE records SET {what} WHERE sequence = 9")


def another_model(rows: Rows) -> Rows:
    """The first event tells of another model."""
    return change(0, payload=rows[0].payload.replace(b'"digest":"', b'"digest":"0'))(rows)


def dropped(made: Scene) -> None:
    """The records, and the triggers with them."""
    with closing(sqlite3.connect(made.database)) as connection, connection:
        connection.execute("DROP TRIGGER no_delete_of_records")
        connection.execute("DROP TABLE records")


def untriggered(made: Scene) -> None:
    """A door left open."""
    with closing(sqlite3.connect(made.database)) as connection, connection:
        connection.execute("DROP TRIGGER no_update_of_records")


def _last_head(said: bytes, says: bytes) -> Callable[[Scene], None]:
    return of_heads(lambda lines: [*lines[:-1], lines[-1].replace(said, says, 1)])


def _shorter(lines: list[bytes]) -> list[bytes]:
    at = lines[-1].index(b'"signature":"') + 13
    return [*lines[:-1], lines[-1][:at] + lines[-1][at + 2 :]]


def _foreign_store(made: Scene) -> None:
    """Everything signed with another key, whose public half the store then names."""
    rewritten(payload, relink=True, heads="foreign")(made)
    statement(f"UPDATE store SET public_key = '{FOREIGN.public_key}'")(made)


_RECORDS = {
    "a bit of an encrypted score": Manipulation(rewritten(payload)),
    "a byte more, which makes it a text": Manipulation(_set("payload = payload || x'00'")),
    "a payload as text": Manipulation(_set("payload = 'text'")),
    "an event's words: another model answered": Manipulation(rewritten(another_model)),
    "the patient": Manipulation(rewritten(change(8, subject=_OTHER))),
    "the time": Manipulation(rewritten(change(8, time="2020-01-01T00:00:00.000000Z"))),
    "the kind": Manipulation(rewritten(change(8, kind="opened"))),
    "the data key's name": Manipulation(rewritten(change(8, key=_OTHER))),
    "the head it names": Manipulation(rewritten(change(8, head=0))),
    "the seal": Manipulation(rewritten(change(8, seal="0" * 64)), outside=False),
    "the digest": Manipulation(rewritten(change(8, digest="0" * 64))),
    "the digest, left blank": Manipulation(rewritten(change(8, digest=""))),
    "the link, left blank": Manipulation(rewritten(change(8, previous=""))),
    "a score, and the whole chain computed again": Manipulation(rewritten(payload, relink=True)),
    "a patient, and the whole chain computed again": Manipulation(rewritten(change(8, subject=_OTHER), relink=True)),
    "the same with its digests under the old signatures": Manipulation(rewritten(payload, relink=True, heads="digests")),
    "the same with heads signed by somebody": Manipulation(rewritten(payload, relink=True, heads="foreign")),
    "the same, and the store names that somebody's key": Manipulation(_foreign_store),
    "the first record deleted": Manipulation(rewritten(without(0))),
    "a record deleted in the middle": Manipulation(rewritten(without(9))),
    "the last record deleted": Manipulation(rewritten(without(-1))),
    "ten records deleted at the end": Manipulation(rewritten(lambda rows: rows[:-10])),
    "half of the records deleted": Manipulation(rewritten(lambda rows: rows[: len(rows) // 2])),
    "one deleted, renumbered, computed again": Manipulation(rewritten(lambda rows: renumbered(without(9)(rows)), relink=True)),
    "every record deleted": Manipulation(statement("DELETE FROM records")),
    "the table dropped": Manipulation(dropped),
    "two records exchanged": Manipulation(rewritten(swapped)),
    "two records exchanged, computed again": Manipulation(rewritten(swapped, relink=True)),
    "records renumbered": Manipulation(rewritten(lambda rows: renumbered([rows[0], *rows])[1:])),
    "a negative number": Manipulation(rewritten(change(0, sequence=-1))),
    "a record forged in the middle": Manipulation(rewritten(lambda rows: renumbered([*rows[:9], *rows[8:]]), relink=True)),
    "a record forged at the end, its link right": Manipulation(rewritten(forged, relink=True), outside=False),
    "records forged at the end, heads for them signed by somebody": Manipulation(
        rewritten(lambda rows: forged(forged(rows)), relink=True, heads="foreign")
    ),
    "a trigger dropped": Manipulation(untriggered, outside=False),
    "a trigger added": Manipulation(statement("CREATE TRIGGER t AFTER INSERT ON records BEGIN SELECT 1; END"), outside=False),
    "the end written anew, as if it was not signed": Manipulation(relinked_end, outside=False),
    "the end written anew, before a witness": Manipulation(relinked_end, kept="witness"),
    "the end written anew, before a receipt": Manipulation(relinked_end, kept="receipt"),
}
_HEADS = {
    "several heads cut off": Manipulation(of_heads(lambda lines: lines[:-3])),
    "half of the heads cut off": Manipulation(of_heads(lambda lines: lines[: len(lines) // 2])),
    "all heads cut off": Manipulation(of_heads(lambda lines: [])),
    "the head file removed": Manipulation(lambda made: made.heads.unlink()),
    "the last head cut off, before a witness": Manipulation(of_heads(lambda lines: lines[:-1]), kept="witness"),
    "the last head cut off, before a receipt": Manipulation(of_heads(lambda lines: lines[:-1]), kept="receipt"),
    "a head taken out of the middle": Manipulation(of_heads(lambda lines: lines[:4] + lines[5:])),
    "two heads exchanged": Manipulation(of_heads(lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]])),
    "a head doubled": Manipulation(of_heads(lambda lines: [*lines, lines[-1]])),
    "a head that says another number": Manipulation(_last_head(b'"sequence":', b'"sequence":1')),
    "a head of another store": Manipulation(_last_head(b'"store":"', b'"store":"0')),
    "a head that says a huge number": Manipulation(_last_head(b'"sequence":', b'"sequence":' + b"9" * 5000)),
    "a head that says a number with a point": Manipulation(_last_head(b',"signature"', b'.0,"signature"')),
    "a head that says true for one": Manipulation(of_heads(lambda lines: [lines[0].replace(b":1,", b":true,", 1), *lines[1:]])),
    "a head with a field twice": Manipulation(_last_head(b'"store":"', b'"store":"0","store":"')),
    "a head that says NaN": Manipulation(_last_head(b'"sequence":', b'"sequence":NaN,"x":')),
    "a head with a short signature": Manipulation(of_heads(_shorter)),
    "the last signature, a digit": Manipulation(of_heads(lambda lines: [*lines[:-1], _digit(lines[-1])])),
    "a blank in a head": Manipulation(of_heads(lambda lines: [lines[0].replace(b":", b": ", 1), *lines[1:]])),
    "a blank line": Manipulation(of_heads(lambda lines: [*lines[:2], b"\n", *lines[2:]])),
    "heads signed by somebody": Manipulation(rewritten(list, heads="foreign")),
}
_BOTH = {
    "the database put back to an older copy": Manipulation(put_back("receipts.db")),
    "database and heads put back, before a witness": Manipulation(put_back("receipts.db", "heads.jsonl"), kept="witness"),
    "database and heads put back, before a receipt": Manipulation(put_back("receipts.db", "heads.jsonl"), kept="receipt"),
    "the heads put back to an older copy": Manipulation(put_back("heads.jsonl")),
    "the database removed": Manipulation(lambda made: made.database.unlink()),
    "the database emptied": Manipulation(lambda made: made.database.write_bytes(b"")),
    "the log beside the database removed": Manipulation(without_log),
    "the store's name": Manipulation(statement(f"UPDATE store SET id = '{_OTHER}'")),
    "two stores in one": Manipulation(statement(f"INSERT INTO store SELECT '{_OTHER}', created, public_key, format FROM store")),
}
_KEYS = {
    "a data key deleted": Manipulation(statement(f"DELETE FROM data_keys WHERE key = {_KEY}"), outside=False),
    "a data key of somebody without a pseudonym deleted": Manipulation(
        statement("DELETE FROM data_keys WHERE key = (SELECT key FROM data_keys WHERE subject = '' LIMIT 1)"), outside=False
    ),
    "a data key altered": Manipulation(statement(_wrapped("zeroblob(60)")), outside=False),
    "a data key emptied": Manipulation(statement(_wrapped("x''")), outside=False),
    "a data key exchanged for another's": Manipulation(
        statement(_wrapped(f"(SELECT wrapped FROM data_keys WHERE key != {_KEY} LIMIT 1)")), outside=False
    ),
    "a data key given to another": Manipulation(
        statement(f"UPDATE data_keys SET subject = '{_OTHER}' WHERE key = {_KEY}"), outside=False
    ),
    "a data key added": Manipulation(statement(f"INSERT INTO data_keys VALUES ('{_OTHER}', '', zeroblob(60))"), outside=False),
    "an erasure forged": Manipulation(erasure_forged, outside=False),
    "a model that answered altered": Manipulation(model_altered, outside=False),
}
MANIPULATIONS: Mapping[str, Manipulation] = _RECORDS | _HEADS | _BOTH | _KEYS


def _digit(line: bytes) -> bytes:
    at = line.index(b'"signature":"') + 13
    return line[:at] + (b"1" if line[at : at + 1] == b"0" else b"0") + line[at + 1 :]
