"""A saved model on a cohort it has not seen: as it is, beside what is simpler, group by group, and after recalibration there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray, design_matrix
from models.example import EXAMPLE, is_simulated
from models.population import prior_line
from models.risk import RiskModel, sigmoid
from training.cohort import Cohort
from training.comparing.beaten import beaten_sentence
from training.comparing.compared import Absent, Said, compare
from training.comparing.elsewhere import recalibrated_said, said_elsewhere
from training.comparing.simple_models import SavedSimple
from training.comparing.strata import Stratum, primary_of, strata, strata_json
from training.progress import Advance, Steps, unwatched
from training.recalibration.enough import enough
from training.recalibration.shift import cross_fitted
from training.refused import NotSupported
from training.statistics.evaluate import evaluate
from training.statistics.standing import standing
from training.validate import TREATED

Rows = NDArray[np.intp]
LEAST_INSIDE = 40  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs
INTERCEPT, SLOPE = "intercept", "intercept and slope"
NONE_SAVED = SavedSimple()


@dataclass(frozen=True)
class _Judge:
    """What every judgement of one model on one cohort shares; `said` are the comparators, `log_odds` (n, h) the model's."""

    model: RiskModel
    cohort: Cohort
    log_odds: FloatArray
    said: Sequence[Said | Absent]
    bootstrap: int
    seed: int
    advance: Advance

    @property
    def days(self) -> tuple[float, ...]:
        """The horizons of the model."""
        return tuple(map(float, self.model.days))

    @property
    def drawn(self) -> dict[str, Any]:
        """Resamples and seed."""
        return {"bootstrap": self.bootstrap, "seed": self.seed}


def judge(
    model: RiskModel,
    cohort: Cohort,
    *,
    simple: SavedSimple = NONE_SAVED,
    bootstrap: int,
    seed: int,
    advance: Advance = unwatched,
) -> dict[str, object]:
    """The evaluation of `model` on `cohort` in the shape of `evaluate --json`; `simple`: the models saved beside it.

    A horizon is refused where the model does not serve it or the cohort's follow-up cannot answer it. The previously treated are
    judged once more, and so are those inside the development population where some lie outside. "recalibrated": the same risks
    after recalibration on this cohort, of the model and of every comparator, cross-fitted.
    """
    log_odds = model.score(design_matrix(model.design, cohort.patients)).log_odds
    said = said_elsewhere(simple, cohort, tuple(map(float, model.days)))
    asked = _Judge(model, cohort, log_odds, said, bootstrap, seed, advance)
    inside = np.array([not model.population.outside(patient) for patient in cohort.patients])
    treated = np.array([prior_line(patient) == "yes" for patient in cohort.patients])
    found = {"cohort": cohort.name} | _judged(asked, np.arange(len(cohort)), "bootstrap")
    found["population"] = {"inside": int(inside.sum()), "outside": int((~inside).sum())}
    for name, among in ((TREATED, treated), ("inside", inside)):
        if LEAST_INSIDE <= among.sum() < len(cohort):
            found[name] = _judged(asked, np.flatnonzero(among), f"bootstrap, {name}")
    found["recalibrated"] = {name: _recalibrated(asked, name) for name in (INTERCEPT, SLOPE)}
    if model.simulated or is_simulated(cohort.source):
        found = {"example": EXAMPLE} | found
    return found


def _judged(asked: _Judge, rows: Rows, doing: str) -> dict[str, Any]:
    part, log_odds = asked.cohort.select(rows), asked.log_odds[rows]
    ids, progress = [patient.id for patient in part.patients], Steps(asked.advance, doing, asked.bootstrap)
    judged = evaluate(sigmoid(log_odds), log_odds, part.follow_up, asked.model.days, groups=ids, progress=progress, **asked.drawn)
    found = judged.as_json()
    refused = found["refused"] | {day: _why_refused(part, day, why) for day, why in asked.model.refused.items()}
    among = np.isin(np.arange(len(asked.cohort)), rows)
    said = [one.within(among) for one in asked.said]
    beside = compare(log_odds, part.follow_up, asked.days, said, groups=ids, **asked.drawn)
    day = primary_of(tuple(judged.horizons))
    return found | {
        "refused": dict(sorted(refused.items(), key=lambda item: float(item[0]))),
        "beats_them": "" if day is None else beaten_sentence(beside, day),
        "comparators": [one.as_json() for one in beside],
        "strata": strata_json(_strata(asked, part, log_odds, day), judged.n),
    }


def _strata(asked: _Judge, part: Cohort, log_odds: FloatArray, day: float | None) -> tuple[Stratum, ...]:
    if day is None:
        return ()
    return strata(part, log_odds[:, asked.days.index(day)], day, asked.model.design.features, **asked.drawn)


def _why_refused(cohort: Cohort, day: str, why: str) -> str:
    """What this cohort's follow-up lacks at a horizon the model does not serve; the model's own reason where it lacks nothing."""
    asked = standing(cohort.follow_up, float(day))
    return f"the model does not serve it: {why}" if asked.evaluable else f"{asked.level}: {asked.why}"


def _recalibrated(asked: _Judge, how: str) -> dict[str, Any]:
    """Overall fit and calibration of the recalibrated risks, or why they cannot be had; the order of the patients stays."""
    cohort, ids, slope = asked.cohort, [patient.id for patient in asked.cohort.patients], how == SLOPE
    primary = _primary(asked)
    try:
        allowed = enough(cohort.follow_up, asked.days, primary, slope=slope, groups=ids)
    except NotSupported as reason:
        return {"refused": str(reason)}
    places = [asked.days.index(day) for day in allowed]
    mapped = cross_fitted(asked.log_odds[:, places], cohort.follow_up, allowed, ids, slope=slope, seed=asked.seed)
    progress = Steps(asked.advance, f"bootstrap, recalibrated ({how})", asked.bootstrap)
    judged = evaluate(sigmoid(mapped), mapped, cohort.follow_up, allowed, groups=ids, progress=progress, **asked.drawn)
    said = recalibrated_said(asked.said, asked.log_odds, cohort, asked.days, primary, slope=slope, seed=asked.seed)
    beside = compare(asked.log_odds, cohort.follow_up, asked.days, said, groups=ids, **asked.drawn)
    horizons = judged.as_json()["horizons"]
    kept = ("brier", "ipa", "calibration", "net_benefit")  # not the AUC: maps that differ by fold would blur it
    return {
        "n": judged.n,
        "horizons": {day: {name: one[name] for name in kept} for day, one in horizons.items()},
        "comparators": [one.as_json() for one in beside],
    }


def _primary(asked: _Judge) -> float:
    """The primary horizon, or the next that this cohort's follow-up can answer, or the primary one, to say why it cannot."""
    evaluable = [day for day in asked.days if standing(asked.cohort.follow_up, day).evaluable]
    found = primary_of(evaluable) or primary_of(asked.days)
    if found is None:
        raise NotSupported(f"{asked.model.name} serves no horizon")
    return found
