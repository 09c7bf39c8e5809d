"""Receipts written honestly, through the real writer, for those who tamper with them; and what the honest keep elsewhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from throughput import EXAMPLE

from models.artifact import load
from models.seal import Key, canonical
from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys
from serving.receipts.models_kept import keep_model
from serving.receipts.record import OPENED, SCORE, Draft
from serving.receipts.store import DATABASE
from serving.receipts.writer import Writer, open_writer

KEYS = ReceiptKeys(Key(b"operator" * 4))
BEFORE, SINCE = (4, 1, 3, 1, 7, 2), (1, 5, 1, 6)  # groups before the copy that lies about, and since


@dataclass(frozen=True)
class Scene:
    """A folder of receipts, and what lies elsewhere, out of reach: a witness, the last receipt somebody was given."""

    folder: Path
    witness: Path
    receipt: Path
    older: Path  # a copy of the folder from before the last groups
    live: Path  # one taken while the service ran, much of it in the log beside the database

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def heads(self) -> Path:
        return self.folder / HEADS

    def copied(self, to: Path) -> Scene:
        """The same scene in another place, to be tampered with."""
        shutil.copytree(self.folder, to)
        return Scene(to, self.witness, self.receipt, self.older, self.live)


def scene(root: Path) -> Scene:
    """Two openings, scores of patients with a pseudonym and without, an erasure."""
    made = Scene(root / "receipts", root / "witness.jsonl", root / "receipt.json", root / "older", root / "live")
    with _opened(made) as writer:
        for size in BEFORE:
            _scores(writer, size)
        writer.erase(by="an officer", reason="asked for", subject=KEYS.subject("patient-2"))
    shutil.copytree(made.folder, made.older)
    with _opened(made) as writer:
        for size in SINCE:
            last = _scores(writer, size)
        shutil.copytree(made.folder, made.live)
    shutil.copyfile(made.heads, made.witness)
    made.receipt.write_text(json.dumps({"risks": {}, "receipt": last | {"public_key": KEYS.public_key}}, indent=2))
    return made


def _opened(made: Scene) -> Writer:
    digest = load(EXAMPLE).digest
    writer = open_writer(made.folder, KEYS)
    keep_model(made.folder, EXAMPLE, digest)
    writer.record([Draft(OPENED, "", canonical({"model": {"digest": digest}}))])
    return writer


def _scores(writer: Writer, size: int) -> dict[str, object]:
    drafts = [Draft(SCORE, "" if at % 3 == 0 else f"patient-{at}", b"a score and its reasons " * 20) for at in range(size)]
    return writer.record(drafts)[-1].as_json()
