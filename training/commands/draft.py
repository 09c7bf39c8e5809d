"""A cohort file to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.commands.answering import answer, refuse, refusing
from training.commands.options import AsJson


def draft(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet table.", exists=True, dir_okay=False)],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the cohort file.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """A cohort file to fill in: every column listed, every unit left for a human. On standard output without --out."""
    if out is not None and out.exists():
        refuse([f"{out} exists: a draft never overwrites a cohort file"], as_json)
    with refusing(as_json):
        from training.reading.draft import draft_of

        text = draft_of(table)
    if out is None:
        answer({"draft": text}, text.removesuffix("\n"), as_json)
    else:
        out.write_text(text, encoding="utf-8")
        answer({"draft": text, "out": str(out)}, f"{out}: fill in the blanks, then lymphorisk check {out}", as_json)
