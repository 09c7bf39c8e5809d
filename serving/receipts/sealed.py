"""The sealed records as they are, for an auditor from outside: everything that shows whether they were changed, and no patient.

What is in the folder is checked by the program that lies beside it, in plain Python, without anything of ours.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from models.seal import canonical
from serving.receipts.export import header_of
from serving.receipts.record import FORMAT, BrokenReceipt, Record

if TYPE_CHECKING:
    from serving.receipts.store import Store

VERIFIER = Path(__file__).with_name("verifier.py")
_README = """\
The sealed receipts of a store of lymphorisk, for whoever wants to check that none was changed, added or taken away.

    records.jsonl     the records, one a line; what they say of patients is encrypted, and cannot be read from here
    heads.jsonl       the signed heads: statements that a record of this number has this digest
    public_key.txt    the key with which the heads are signed, in hexadecimal
    store.json        which store this is
    verifier.py       the program that checks it: standard Python 3.11 or later, nothing to install

Run in this folder:

    python3 verifier.py . --public-key KEY

KEY is 64 hexadecimal digits. Ask the operator for it by another way than the one by which this folder came to you (the one in
public_key.txt is worth no more than the folder), and read verifier.py first: it is short.

What this cannot show by itself: whether the end of the log was cut off together with its heads. For that you need something kept
elsewhere: an earlier copy of the heads (--witness FILE), or an answer that somebody was given (--expect-receipt FILE).
"""


def export_sealed(store: Store, out: Path) -> int:
    """Write the folder `out`, which must not exist or be empty; returns how many records it holds.

    All heads are copied that were there at the beginning; of those signed since, the ones whose records were copied too.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: sealed records are exported into a folder of their own")
    seen = store.heads.stat().st_size if store.heads.exists() else 0
    written = 0
    with (out / "records.jsonl").open("wb") as file:
        for record in tqdm(store.records(), desc="export", unit="records", disable=None):
            file.write(sealed_line(record))
            written += 1
    (out / "heads.jsonl").write_bytes(b"".join(_heads(store.heads, seen, written)))
    described = {"created": store.created, "format": FORMAT, "id": store.id, "public_key": store.public_key}
    (out / "store.json").write_bytes(canonical(described) + b"\n")
    (out / "public_key.txt").write_text(store.public_key + "\n", encoding="ascii")
    (out / "README.txt").write_text(_README, encoding="utf-8")
    shutil.copyfile(VERIFIER, out / VERIFIER.name)
    return written


def _heads(path: Path, seen: int, written: int) -> Iterator[bytes]:
    """The lines of the first `seen` bytes, and of those after them that are of the first `written` records."""
    at = 0
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if not line.endswith(b"\n") or (at >= seen and json.loads(line)["sequence"] > written):
            return
        yield line
        at += len(line)


def sealed_line(record: Record) -> bytes:
    """A record as canonical JSON, its encrypted content in base64; BrokenReceipt where it has none."""
    if not isinstance(record.payload, bytes):
        raise BrokenReceipt(f"record {record.sequence} holds no content as this program writes it: it was altered")
    return canonical(header_of(record) | {"payload": base64.b64encode(record.payload).decode()}) + b"\n"
