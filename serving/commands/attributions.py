"""`audit attributions`: what drove the risks of a period, in chosen groups of patients, and what has shifted since another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import opened_store, refusing

if TYPE_CHECKING:
    from serving.receipts.archive import Archive
    from serving.receipts.attributions.look import Look
    from serving.receipts.attributions.question import Question

_BY = "Apart by tumour, line, age, sex, ecog, ca19-9, alc, unit or site."
_RECEIPTS = "The last receipt of each patient counts, or all of them."
From = Annotated[str, typer.Option("--from", metavar="DAY", help="From this day on (UTC); else 30 days.")]
To = Annotated[str, typer.Option("--to", metavar="DAY", help="Up to this day (UTC); else today.")]
Horizon = Annotated[str, typer.Option("--horizon", metavar="DAYS", help="Of the risks within so many days.")]
By = Annotated[str, typer.Option("--by", metavar="STRATUM", help=_BY)]
Model = Annotated[str, typer.Option("--model", metavar="DIGEST", help="Only what this model answered (its digest).")]
Counting = Annotated[str, typer.Option("--count", metavar="last|all", help=_RECEIPTS)]
AgainstFrom = Annotated[str, typer.Option("--against-from", metavar="DAY", help="What has shifted in a second period.")]
AgainstTo = Annotated[str, typer.Option("--against-to", metavar="DAY", help="Up to this day.")]
AgainstModel = Annotated[str, typer.Option("--against-model", metavar="DIGEST", help="What has shifted in this model's answers.")]
Out = Annotated[Path | None, typer.Option("--out", help="Every number, as CSV.", dir_okay=False)]


def attributions(
    since: From = "",
    until: To = "",
    horizon: Horizon = "90",
    by: By = "",
    model: Model = "",
    counting: Counting = "last",
    against_from: AgainstFrom = "",
    against_to: AgainstTo = "",
    against_model: AgainstModel = "",
    out: Out = None,
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """What drove the risks of a period, by clinical group; apart in groups of patients; and what has shifted. Names nobody."""
    with refusing():
        from serving.receipts.archive import Archive
        from serving.receipts.attributions.question import asked
        from serving.receipts.models_kept import KeptModels

        given = {"from": since, "to": until, "horizon": horizon, "by": by, "model": model, "receipts": counting}
        given |= {"against_from": against_from, "against_to": against_to, "against_model": against_model}
        store, keys = opened_store(receipts, receipts_key, heads, database)
        found = _looked(asked(given, datetime.now(UTC).date()), Archive(store, keys, KeptModels(store.folder)))
        if out is not None:
            _write(found, out)
        _tell(found, as_json)


def _looked(question: Question, archive: Archive) -> Look:
    from tqdm import tqdm

    from serving.receipts.attributions.look import look

    return look(archive, question, watch=partial(tqdm, desc="attributions", unit="receipts", disable=None))


def _write(found: Look, out: Path) -> None:
    from serving.receipts.attributions.numbers import numbers, write
    from serving.receipts.export import whole

    with whole(out) as part, part.open("w", newline="", encoding="utf-8") as file:
        write(numbers(found), file)


def _tell(found: Look, as_json: bool) -> None:
    if as_json:
        from serving.receipts.attributions.numbers import numbers

        typer.echo(json.dumps({"numbers": [one._asdict() for one in numbers(found)], "untold": found.untold}))
        return
    from models.example import EXAMPLE
    from serving.receipts.attributions.telling import sections
    from serving.receipts.text import as_text

    typer.echo("\n".join([*([EXAMPLE] if found.example else []), as_text(sections(found))]))
