"""`audit export`: receipts copied out, readable for those who may read them, or sealed for those who check them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import Patient, Since, Until, chosen, refusing

if TYPE_CHECKING:
    from serving.receipts.finding import Receipt

LINES, TABLES, PAGE = (".jsonl", ".ndjson"), (".csv", ".parquet"), ".html"
_OUT = "Whole receipts where it ends in .jsonl; a flat table in .csv or .parquet; a printable page in .html."
_SEALED = "A new folder for all sealed records, nothing decrypted, with a program that checks them."
_IDS = "Only this receipt (a number or the beginning of a digest); may be given several times."
Out = Annotated[Path | None, typer.Option("--out", help=_OUT, dir_okay=False)]
Sealed = Annotated[Path | None, typer.Option("--sealed", metavar="FOLDER", help=_SEALED, file_okay=False)]
Only = Annotated[list[str] | None, typer.Option("--receipt", metavar="ID", help=_IDS)]


@dataclass
class Counted:
    """Receipts on their way through, counted."""

    receipts: Iterator[Receipt]
    passed: int = 0

    def __iter__(self) -> Iterator[Receipt]:
        for one in self.receipts:
            self.passed += 1
            yield one


def export(
    out: Out = None,
    sealed: Sealed = None,
    only: Only = None,
    patient: Patient = "",
    since: Since = None,
    until: Until = None,
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """Copy receipts out: decrypted for those who may read them (--out), or sealed for an auditor from outside (--sealed)."""
    if sealed is not None and out is None:
        if only or patient or since or until:
            raise typer.BadParameter("sealed records are exported all together, or the chain could not be checked")
        _seal(sealed, receipts, heads, database, as_json)
    elif out is not None and sealed is None:
        if out.suffix.lower() not in (*LINES, *TABLES, PAGE):
            raise typer.BadParameter(f"allowed are {', '.join((*LINES, *TABLES, PAGE))}", param_hint="--out")
        with refusing(), chosen(receipts, receipts_key, heads, database, only, patient, since, until, "export") as asked:
            counted = Counted(asked)
            _write(counted, out)
        _report(out, counted.passed, as_json)
    else:
        raise typer.BadParameter("allowed is either --out FILE or --sealed FOLDER")


def _write(receipts: Counted, out: Path) -> None:
    from serving.receipts.export import write_lines, write_table

    kind = out.suffix.lower()
    if kind in LINES:
        write_lines(receipts, out)
    elif kind in TABLES:
        write_table(receipts, out)
    else:
        _write_page(receipts, out)


def _write_page(receipts: Counted, out: Path) -> None:
    from serving.receipts.export import whole
    from serving.receipts.page import of_receipts

    with whole(out) as part:
        part.write_text(of_receipts(receipts), encoding="utf-8")


def _report(out: Path, passed: int, as_json: bool) -> None:
    top = "; ages of 90 and more are written as 90" if out.suffix.lower() in TABLES else ""
    typer.echo(f"{passed:,} receipts, decrypted{top}: keep {out} as you keep patients' files", err=True)
    if as_json:
        typer.echo(json.dumps({"receipts": passed, "out": str(out)}))


def _seal(folder: Path, receipts: Path, heads: Path | None, database: str, as_json: bool) -> None:
    with refusing():
        from serving.receipts.sealed import export_sealed
        from serving.receipts.store import Store

        written = export_sealed(Store.open(receipts, heads=heads, database=database), folder)
    typer.echo(f"{written:,} sealed records in {folder}; README.txt there says how they are checked", err=True)
    if as_json:
        typer.echo(json.dumps({"records": written, "out": str(folder)}))
