"""Receipts copied out: whole and readable, as a flat table, on paper, or sealed as they are for an auditor from outside.

    .jsonl      one receipt a line, decrypted, nothing left out
    .csv        flat: one row a receipt; ages of 90 and more are written as 90, since such ages may tell who it is
    .parquet    the same
    .html       a printable page (serving.receipts.page)

A file of decrypted receipts is readable by its owner alone.
"""

from __future__ import annotations

import csv
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from models.durable import PRIVATE
from serving.parquet import csv_to_parquet
from serving.receipts.finding import Receipt
from serving.receipts.record import Record

TOP_AGE = 90.0  # years: older ages are identifying (HIPAA, 45 CFR 164.514(b)(2)(i)(C))
TEXTS = (
    *("time", "digest", "patient", "state", "model", "model_digest", "program", "program_digest", "site", "sex", "tumour"),
    *("standing", "quality", "warnings"),
)
_WHOLE = ("sequence",)
_FORMULA = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet takes for the beginning of a formula


def header_of(record: Record) -> dict[str, object]:
    """What a record says beside its encrypted content."""
    names = ("sequence", "time", "kind", "subject", "key", "head", "previous", "digest", "seal")
    return {name: getattr(record, name) for name in names}


def as_document(receipt: Receipt) -> dict[str, object]:
    """The receipt as JSON; where there is nothing to be read any more, why."""
    if receipt.document is None:
        return header_of(receipt.record) | {"state": receipt.why, "told": receipt.told}
    return header_of(receipt.record) | {"state": "kept", "content": receipt.document}


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A file of its own for what is written, private, which takes the name `out` when it is whole, or disappears."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE))
    try:
        yield part
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def write_lines(receipts: Iterable[Receipt], out: Path) -> None:
    """One receipt a line, with all of its content."""
    with whole(out) as part, part.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(as_document(one), ensure_ascii=False, allow_nan=False) + "\n" for one in receipts)


def write_table(receipts: Iterable[Receipt], out: Path) -> None:
    """Flat, as CSV or (where `out` ends in .parquet) Parquet; which numbers there are depends on the models that answered."""
    with whole(out) as part, tempfile.TemporaryFile("w+", dir=out.parent, encoding="utf-8") as rows:
        columns = _spool(receipts, rows)
        rows.seek(0)
        if out.suffix.lower() != ".parquet":
            _write_csv(part, columns, rows, for_spreadsheets=True)
            return
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export") as aside:
            _write_csv(table := Path(aside) / "receipts.csv", columns, rows, for_spreadsheets=False)
            csv_to_parquet(table, part, TEXTS, _WHOLE)


def _spool(receipts: Iterable[Receipt], rows: TextIO) -> list[str]:
    """Write the rows one a line; the columns in the order in which they were met."""
    columns = dict.fromkeys(("sequence", *TEXTS, "age_years"))
    for one in receipts:
        row = flat_row(one)
        columns |= dict.fromkeys(row)
        rows.write(json.dumps(row) + "\n")
    return list(columns)


def _write_csv(path: Path, columns: list[str], rows: Iterable[str], for_spreadsheets: bool) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for line in rows:
            row = json.loads(line)
            writer.writerow({name: inert(value) for name, value in row.items()} if for_spreadsheets else row)


def inert(value: object) -> object:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def flat_row(receipt: Receipt) -> dict[str, object]:
    """One receipt as a row: when, which model and program, the patient in three words, and every number of the answer."""
    header = header_of(receipt.record)
    row = {name: header[name] for name in ("sequence", "time", "digest")} | {"patient": header["subject"]}
    if receipt.document is None:
        return row | {"state": receipt.why}
    return row | {"state": "kept"} | _made(receipt.document) | _numbers(receipt.document["answer"])


def _made(document: Mapping[str, Any]) -> dict[str, object]:
    answer, patient, code = document["answer"], document["patient"], document["code"]
    quality = (f"{one['input']}: {', '.join(one['states'])}" for one in answer["quality"] if one["states"] != ["ok"])
    return {
        "model": answer["model"]["name"],
        "model_digest": answer["model"]["digest"],
        "program": code["version"],
        "program_digest": code["digest"],
        "site": document["site"],
        "sex": patient["sex"],
        "tumour": patient["tumour"],
        "standing": "; ".join(answer["standing"]),
        "quality": "; ".join(quality) or "ok",
        "warnings": "; ".join(answer["warnings"]),
        "age_years": min(patient["age_years"], TOP_AGE),
    }


def _numbers(answer: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for days, explained in answer["explanation"]["horizons"].items():
        risk = answer["risks"][days]
        found |= {f"{name}_{days}d": risk[name] for name in ("risk", "low", "high")}
        found |= {f"{name}_{days}d": explained[name] for name in ("log_odds", "base")}
        terms = explained["terms"] | {"time_bound": explained["time_bound"]}
        found |= {f"term_{days}d_{name}": term for name, term in terms.items()}
    return found
