"""Lymphopenia rescue, CA19-9 response and survival: an analysis of a cohort with histories, without immortal time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.commands.answering import answer, refusing
from training.commands.options import Accept, AsJson, CohortPath, Data, Seed

_OUT = "Folder for the report, the numbers and the pictures; must not exist or be empty."
_CUT_OFF = "ALC (10*9/L) below which somebody is lymphopenic: 0.5, 0.8, 1.0, 1.2 or 1.5."
_LANDMARKS = "Days from the index date at which those alive are divided, with commas between them."
_HORIZON = "Day to which curves, restricted means and incidences are told."
_EVERYBODY = "Leave out the population key; what remains is the question of lymphocytes."
_TRACKING = "Keep the analysis in this MLflow store or server too."


def rescue(
    cohort: CohortPath,
    out: Annotated[Path, typer.Option("--out", help=_OUT, file_okay=False)],
    cut_off: Annotated[float, typer.Option("--cutoff", help=_CUT_OFF)] = 1.0,
    landmarks: Annotated[str, typer.Option("--landmarks", metavar="DAYS", help=_LANDMARKS)] = "28,56,84",
    horizon: Annotated[float, typer.Option("--horizon", help=_HORIZON, min=1)] = 365.0,
    everybody: Annotated[bool, typer.Option("--everybody", help=_EVERYBODY)] = False,
    data: Data = None,
    accept: Accept = "",
    seed: Seed = 1,
    tracking_uri: Annotated[str, typer.Option("--tracking-uri", help=_TRACKING)] = "",
    as_json: AsJson = False,
) -> None:
    """Whether recovery from lymphopenia goes with survival in a cohort with histories: associations, without immortal time.

    It names no therapy and decides about nobody's eligibility. The biased analysis ("ever" recovered) stands beside the others,
    marked as such, with the size of its bias.
    """
    days = _days(landmarks)
    with refusing(as_json):
        from training.histories import read_histories
        from training.progress import Bars
        from training.rescue.analysed import analyse, require_days
        from training.rescue.document import document
        from training.rescue.population import lymphopenic, require_cut_off
        from training.rescue.said import text
        from training.rescue.written import write

        _require_empty(out)
        require_cut_off(cut_off)
        require_days(days, horizon)
        _require_reachable(tracking_uri)
        histories = read_histories(cohort, data=data, accept=accept, progress=True)
        low = lymphopenic(histories, cut_off, everybody=everybody)
        with Bars() as bars:
            found = analyse(low, landmarks=days, horizon=horizon, seed=seed, advance=bars)
        told = document(histories.cohort, low, found, everybody=everybody)
        write(out, found, told)
        run = _tracked(told, out, tracking_uri)
    kept = {"files": str(out), "mlflow_run": run} if run else {"files": str(out)}
    where = f"\nReport: {out / 'report.html'}" + (f"\nMLflow: run {run}" if run else "")
    answer({**told, **kept}, text(told) + where, as_json)


def _days(given: str) -> list[float]:
    """The landmarks as days; a usage error names what is no number."""
    try:
        return [float(day) for day in given.split(",")]
    except ValueError as error:
        allowed = f"{given!r}: allowed are days with commas between them, as in 28,56,84"
        raise typer.BadParameter(allowed, param_hint="--landmarks") from error


def _require_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an analysis is written once and never altered")


def _tracked(told: dict[str, object], out: Path, uri: str) -> str:
    """The id of the run, "" where none was asked for."""
    if not uri:
        return ""
    from training.rescue.tracked import track_analysis
    from training.tracking.reachable import written_anyway

    with written_anyway(f"the analysis is written: {out}", uri):
        return track_analysis(told, out, uri)


def _require_reachable(uri: str) -> None:
    if uri:
        from training.tracking.reachable import require_reachable

        require_reachable(uri, "nothing was analysed; --tracking-uri names another store, and without it none is asked")
