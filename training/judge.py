"""A saved model on a cohort it has not seen: everybody, and those inside its development population apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import design_matrix
from models.example import EXAMPLE, is_simulated
from models.risk import RiskModel, Scores
from training.cohort import Cohort
from training.progress import Advance, Steps, unwatched
from training.statistics.evaluate import evaluate
from training.statistics.standing import standing

Rows = NDArray[np.intp]
LEAST_INSIDE = 40  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs


def judge(model: RiskModel, cohort: Cohort, *, bootstrap: int, seed: int, advance: Advance = unwatched) -> dict[str, object]:
    """The evaluation of `model` on `cohort` in the shape of `evaluate --json`.

    A horizon is refused where the model does not serve it or the cohort's follow-up cannot answer it. Where some patients lie
    outside the development population, those inside are judged once more, under "inside".
    """
    scores = model.score(design_matrix(model.design, cohort.patients))
    inside = np.array([not model.population.outside(patient) for patient in cohort.patients])

    def judged(rows: Rows, doing: str) -> dict[str, Any]:
        return _judged(model, scores, cohort, rows, bootstrap, seed, Steps(advance, doing, bootstrap))

    found = {"cohort": cohort.name} | judged(np.arange(len(cohort)), "bootstrap")
    found["population"] = {"inside": int(inside.sum()), "outside": int((~inside).sum())}
    if LEAST_INSIDE <= inside.sum() < len(cohort):
        found["inside"] = judged(np.flatnonzero(inside), "bootstrap, inside the population")
    if model.simulated or is_simulated(cohort.source):
        found = {"example": EXAMPLE} | found
    return found


def _judged(
    model: RiskModel, scores: Scores, cohort: Cohort, rows: Rows, bootstrap: int, seed: int, progress: Steps
) -> dict[str, Any]:
    part = cohort.select(rows)
    risk, log_odds, ids = scores.risk[rows], scores.log_odds[rows], [patient.id for patient in part.patients]
    judged = evaluate(risk, log_odds, part.follow_up, model.days, groups=ids, bootstrap=bootstrap, seed=seed, progress=progress)
    found = judged.as_json()
    refused = found["refused"] | {day: _why_refused(part, day, why) for day, why in model.refused.items()}
    return found | {"refused": dict(sorted(refused.items(), key=lambda item: float(item[0])))}


def _why_refused(cohort: Cohort, day: str, why: str) -> str:
    """What this cohort's follow-up lacks at a horizon the model does not serve; the model's own reason where it lacks nothing."""
    asked = standing(cohort.follow_up, float(day))
    return f"the model does not serve it: {why}" if asked.evaluable else f"{asked.level}: {asked.why}"


def judgement_text(model: RiskModel, found: Mapping[str, Any]) -> str:
    """The same for a reader: one line a horizon, intervals beside the values."""
    lines = [found["example"]] if "example" in found else []
    lines.append(f"{model.name} on {found['cohort']}: {found['n']} patients")
    lines += evaluation_lines(found)
    if "inside" in found:
        inside, outside = found["inside"], found["population"]["outside"]
        lines += ["", f"inside the development population ({inside['n']}; {outside} outside)", *evaluation_lines(inside)]
    return "\n".join(lines)


def evaluation_lines(found: Mapping[str, Any]) -> list[str]:
    """A table of an evaluation in the shape of `evaluate --json`."""
    lines = [f"  {'day':>4} {'deaths':>6}  {'AUC':<20} {'IPA':<22} {'slope':<20} {'O:E':<20}"]
    for day, one in found["horizons"].items():
        calibration = one["calibration"]
        cells = (one["auc"], one["ipa"], calibration["slope"], calibration["observed_expected"])
        row = f"  {day:>4} {one['deaths']:>6}  " + " ".join(f"{interval(cell):<20}" for cell in cells)
        lines.append(row.rstrip())
    if found["uno_c"]:
        lines.append(f"  Uno's C to day {found['uno_c']['tau']:g}: {interval(found['uno_c'])}")
    lines += [f"  {day:>4} refused: {why}" for day, why in found["refused"].items()]
    return lines


def interval(cell: Mapping[str, float | None]) -> str:
    """A value with its interval, "-" where there is none."""
    value, low, high = (cell[name] for name in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f}-{high:.3f})"
