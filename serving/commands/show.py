"""`audit show`: one receipt whole, for an auditor's eyes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import Ids, Patient, asked_for, opened_store, refusing
from serving.loading import REFUSED, refuse

if TYPE_CHECKING:
    from serving.receipts.audited import Audited

Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the printable page.", dir_okay=False)]


def show(
    ids: Ids = None,
    patient: Patient = "",
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """A receipt whole: what came in, how it was understood, what was answered, and whether it is as it was written."""
    if not ids and not patient:
        raise typer.BadParameter("allowed is an ID, or --patient PSEUDONYM")
    with refusing():
        from serving.receipts.audited import audited

        store, keys = opened_store(receipts, receipts_key, heads, database)
        found = list(audited(store, keys, asked_for(ids, patient, None, None)))
        if not found:
            refuse("no receipt of a score for that pseudonym")
        if html is not None:
            _write_page(html, found)
    if as_json:
        typer.echo(json.dumps({"receipts": [one.as_json() for one in found]}, ensure_ascii=False, indent=2))
    elif html is None:
        typer.echo("\n".join(map(_as_text, found)))
    if any(one.broken for one in found):
        raise typer.Exit(REFUSED)


def _as_text(one: Audited) -> str:
    from models.example import EXAMPLE
    from serving.receipts.telling import is_example
    from serving.receipts.text import as_text

    return (f"{EXAMPLE}\n" if is_example(one.receipt) else "") + as_text(one.sections())


def _write_page(out: Path, found: list[Audited]) -> None:
    from serving.receipts.export import whole
    from serving.receipts.page import page
    from serving.receipts.telling import is_example, title

    articles = [one.sections() for one in found]
    example = any(is_example(one.receipt) for one in found)
    written = page(title(found[0].receipt), (), articles, example)
    with whole(out) as part:
        part.write_text(written, encoding="utf-8")
    counted = f"{len(found)} receipts" if len(found) > 1 else "one receipt"
    typer.echo(f"{out}: {counted}, decrypted: keep it as you keep patients' files", err=True)
