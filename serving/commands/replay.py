"""`audit replay`: scores computed again from their receipts, by the models that answered or by another one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import Ids, Patient, Since, Until, chosen, refusing
from serving.loading import REFUSED, RELEASES, Where, load_model

if TYPE_CHECKING:
    from serving.receipts.finding import Receipt
    from serving.receipts.replay import Replayed
    from serving.receipts.rescore import Comparison

NAMED = 20  # receipts named one by one
_MODEL = "An artifact folder to replay from, where the kept copy of a model is gone; may be given several times."
_WITH = "Score the same patients by this model instead, and show who would change band."
_BANDS = "Where one band of risk ends and the next begins, between 0 and 1."
Models = Annotated[list[Path] | None, typer.Option("--model", metavar="FOLDER", help=_MODEL, file_okay=False, exists=True)]
With = Annotated[str | None, typer.Option("--with", metavar="MODEL", help=_WITH)]
Day = Annotated[int, typer.Option("--day", min=1, help="The horizon of --with, in days.")]
Bands = Annotated[str, typer.Option("--bands", help=_BANDS)]


def replay(
    ids: Ids = None,
    patient: Patient = "",
    since: Since = None,
    until: Until = None,
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    model: Models = None,
    other: With = None,
    day: Day = 90,
    bands: Bands = ".1,.2,.4",
    releases: Annotated[Path, typer.Option("--releases", help="The releases of --with MODEL.")] = RELEASES,
    seal_key: Annotated[Path | None, typer.Option("--seal-key", help="File of the key of those releases.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute scores again from their receipts: the same probability, the same terms. Exit 1 where one differs."""
    cuts = _cuts(bands)
    with refusing(), chosen(receipts, receipts_key, heads, database, ids, patient, since, until, "replay") as asked:
        if other is None:
            _replay(asked, receipts, model or [], as_json)
        else:
            from serving.receipts.rescore import rescored

            artifact = load_model(other, None, Where(None, releases, seal_key))
            _compare(rescored(asked, artifact, day, cuts), artifact.model.name, artifact.digest, as_json)


def _cuts(given: str) -> list[float]:
    try:
        cuts = [float(one) for one in given.split(",")]
    except ValueError:
        cuts = []
    if not cuts or not all(0 < one < 1 for one in cuts) or sorted(set(cuts)) != cuts:
        raise typer.BadParameter("allowed are rising numbers between 0 and 1 with commas, such as .1,.2,.4", param_hint="--bands")
    return cuts


def _replay(receipts: Iterable[Receipt], folder: Path, others: list[Path], as_json: bool) -> None:
    from serving.receipts.models_kept import KeptModels
    from serving.receipts.replay import EQUAL, FAILED, VERDICTS, replayed

    verdicts: Counter[str] = Counter()
    notable: list[Replayed] = []
    for one in replayed(receipts, KeptModels(folder, others)):
        verdicts[one.verdict] += 1
        if one.verdict != EQUAL:
            notable.append(one)
    failed = [one for one in notable if one.verdict in FAILED]
    counted = {name: verdicts[name] for name in VERDICTS if verdicts[name]}
    if as_json:
        document = {"receipts": verdicts.total(), "verdicts": counted, "notable": [one.as_json() for one in notable]}
        typer.echo(json.dumps(document))
    else:
        _tell(counted, failed or notable)
    if failed:
        raise typer.Exit(REFUSED)


def _tell(counted: Mapping[str, int], notable: Sequence[Replayed]) -> None:
    for one in notable[:NAMED]:
        typer.echo(str(one))
    if len(notable) > NAMED:
        typer.echo(f"and {len(notable) - NAMED:,} more: --json names them all")
    told = ", ".join(f"{times:,} {verdict}" for verdict, times in counted.items()) or "there are none"
    typer.echo(f"{sum(counted.values()):,} receipts replayed: {told}")


def _compare(found: Comparison, name: str, digest: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"model_digest": digest} | found.as_json()))
        return
    from serving.receipts.telling import Section, percent
    from serving.receipts.text import as_text

    names, changed = found.names(), len(found.moved)
    table = [("then \\ now", *names), *((name, *map(str, row)) for name, row in zip(names, found.table, strict=True))]
    lines = [f"{found.compared:,} receipts compared, {changed:,} change band"]
    if found.mean_change is not None:
        lines.append(f"mean change {100 * found.mean_change:+.2f} percentage points")
    lines += [f"{times:,} get no risk from it: {why}" for why, times in found.refused.items()]
    lines += [f"{times:,} left out: {why}" for why, times in found.left_out.items()]
    sections = [Section(f"Risk within {found.day} days, then and by {name} ({digest[:16]}...)", tuple(lines), tuple(table))]
    rows = [(str(one.sequence), percent(one.was), percent(one.now)) for one in found.moved]
    if rows:
        sections.append(Section("Receipts in another band", table=(("receipt", "then", "now"), *rows)))
    typer.echo(as_text(sections))
