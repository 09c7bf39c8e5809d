"""`audit verify`: whether every receipt is as it was written, or the first that is not and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import opened_store, refusing
from serving.loading import REFUSED

if TYPE_CHECKING:
    from serving.receipts.verify import Verified

_WITNESS = "A copy of the heads that was kept elsewhere: each must still be in the chain; may be given several times."
_EXPECT = "An answer as somebody kept it, or its receipt: its record must be there; may be given several times."
_MARK = "Go on where the last verification ended, as this file says, and write there where this one did."
Witness = Annotated[list[Path] | None, typer.Option("--witness", metavar="FILE", help=_WITNESS, exists=True, dir_okay=False)]
Expect = Annotated[list[Path] | None, typer.Option("--expect-receipt", metavar="FILE", help=_EXPECT, exists=True, dir_okay=False)]
Noted = Annotated[Path | None, typer.Option("--mark", metavar="FILE", help=_MARK, dir_okay=False)]


def verify(
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    witness: Witness = None,
    expect_receipt: Expect = None,
    mark: Noted = None,
    as_json: AsJson = False,
) -> None:
    """Verify every receipt: chain, seals, signed heads, keys, models. Names the first that is not as it was written (exit 1)."""
    with refusing():
        found = _verified(receipts, receipts_key, heads, database, witness or [], expect_receipt or [], mark)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        _tell(found)
    if not found.holds:
        raise typer.Exit(REFUSED)


def _verified(
    folder: Path,
    key: Path | None,
    heads: Path | None,
    database: str,
    witnesses: list[Path],
    answers: list[Path],
    noted: Path | None,
) -> Verified:
    from tqdm import tqdm

    from serving.receipts.mark import read_mark, write_mark
    from serving.receipts.verify import verify

    store, keys = opened_store(folder, key, heads, database)
    since = read_mark(noted, store.id, keys.sealing) if noted and noted.exists() else None
    with tqdm(desc="verify", unit="records", disable=None) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = verify(store, keys, since=since, witnesses=witnesses, answers=answers, advance=advance)
    if noted and found.holds and found.mark.sequence:
        write_mark(noted, found.mark, keys.sealing)
    return found


def _tell(found: Verified) -> None:
    for fault in found.faults:
        typer.echo(f"not as it was written: {fault}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}")
    if found.holds and found.unsigned:
        typer.echo(f"the last {found.unsigned:,} are not yet signed: the service is, or was stopped, between two writes")
    typer.echo(f"{'verified' if found.holds else 'looked at'}: {found}")
