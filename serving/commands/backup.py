"""`audit backup`: a copy of the receipts, heads and models that can take their place, made while the service runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts
from serving.commands.selection import refusing

_OUT = "A new folder for the copy, on another volume."


def backup(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help=_OUT, file_okay=False)],
    receipts: Receipts = DEFAULT_RECEIPTS,
    heads: Heads = None,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """Copy records, heads and models as of one moment, while the service goes on. The key of the receipts is not in the copy.

    The folder can be used in the place of the one it was copied from. What lay in PostgreSQL is in receipts.dump there, and goes
    into an empty database by: pg_restore --no-owner --no-privileges --dbname URL receipts.dump; then run audit migrate.
    """
    with refusing():
        from serving.receipts.backup import back_up
        from serving.receipts.store import Store

        last = back_up(Store.open(receipts, heads=heads, database=database), database, out)
    typer.echo(f"receipts up to record {last:,} are in {out}; without their key, of which you keep a copy elsewhere", err=True)
    if as_json:
        typer.echo(json.dumps({"last": last, "out": str(out)}))
