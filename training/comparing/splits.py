"""Harder questions than cross-validation: later patients judged by what earlier ones taught, and each site by all the others.

The saved learner is fitted anew with the settings of the run. Of whoever is judged, no row was trained on: a patient with rows on
both sides is taken out of the training side. That this learner was saved, and with which settings, was chosen with the judged
among everybody: choosing once more inside each split would cost as much as the run, so each split says it instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import BoolArray, FloatArray
from models.risk import sigmoid
from training.cohort import Cohort, followed
from training.comparing.beaten import beaten_sentence
from training.comparing.compared import Comparison, compare
from training.comparing.elsewhere import simple_elsewhere
from training.comparing.simple_models import SIMPLE, SavedSimple, out_of_fold_simple
from training.comparing.strata import Stratum, primary_of, site_strata, strata_json
from training.fit import Fit
from training.learners.crossfit import CrossFit, cross_fit, rows_of
from training.learners.learn import LEARNERS, Learned, learn, stacked
from training.learners.recalibrate import calibrated, fit_calibration
from training.progress import Advance, unwatched
from training.refused import NotSupported
from training.small_cells import masked, masked_sentence
from training.statistics.censoring import FollowUp
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import Evaluation
from training.statistics.standing import EVALUABLE_PATIENTS, standing

TEMPORAL, SITES = "temporal", "leave one site out"
LATER = 0.25  # the share of patients, the last by calendar, who are judged
INNER_FOLDS = 3  # in which the earlier patients' own calibration is found
MOST_SITES = 5  # judged, those with the most deaths: each is one more fit

CHOSEN = (
    "which learner was saved, and its settings where they were searched for, was chosen on everybody, those judged here included"
)

Rows = NDArray[np.intp]


class Refused(ValueError):
    """A split this cohort does not allow; says why."""


@dataclass(frozen=True)
class Split:
    """What one split says: how it was made, the evaluation of those judged, sites apart, comparators; or why it was refused."""

    how: str
    evaluation: Evaluation | None = None
    strata: tuple[Stratum, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    trained_on: int = 0
    refused: str = ""
    judged: Rows = field(default_factory=lambda: np.empty(0, np.intp), repr=False)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready, small groups hidden: an evaluation, or the reason why there is none."""
        if self.evaluation is None:
            return {"refused": masked_sentence(self.refused)}
        told: dict[str, Any] = {"how": self.how, **self.evaluation.as_json()}
        if self.comparisons:
            day = primary_of(tuple(self.evaluation.horizons))
            told["trained_on"] = masked(self.trained_on)
            told["beats_them"] = "" if day is None else beaten_sentence(self.comparisons, day)
            told["comparators"] = [one.as_json() for one in self.comparisons]
        return told | {"strata": strata_json(self.strata, self.evaluation.n)} if self.strata else told


def temporal(fit: Fit, *, bootstrap: int, seed: int, progress: Advance = unwatched) -> Split:
    """The last quarter of the patients by calendar, judged by what was learned from all who came before.

    Needs the cohort's `periods`, the decimal year of each index date. Calibration is cross-fitted within the earlier patients.
    """
    try:
        cut, judged = _later(fit)
        trained = _others(fit.plan.cohort, judged)
        part = followed(fit.plan.cohort.follow_up, trained)
        _require_deaths(part, "the earlier patients")
        progress("temporal split", 0, 1)
        inner = _within_the_earlier(fit, trained, seed)
        learned = _fitter(fit)(rows_of(fit.plan.matrix, trained), part, seed=seed)
        log_odds = calibrated(_say(fit, learned, judged), inner.calibration[fit.learner])
        found = _evaluated(fit, log_odds, judged, bootstrap, seed)
    except Refused as reason:
        return Split("", refused=str(reason))
    progress("temporal split", 1, 1)
    how = (
        f"trained on patients of before {cut:.2f} (year), judged on those from then on; its calibration was fitted on the "
        f"earlier ones; {CHOSEN}"
    )
    beside = _beside(fit, inner, trained, judged, log_odds, bootstrap, seed)
    return Split(how, found, comparisons=beside, trained_on=len(trained), judged=judged)


def _later(fit: Fit) -> tuple[float, Rows]:
    """The decimal year from which patients are judged, and their rows."""
    if fit.plan.cohort.periods is None:
        raise Refused("the calendar year of the index date is not known for everybody: patients cannot be put in order of time")
    periods = np.asarray(fit.plan.cohort.periods)
    cut = float(np.quantile(periods, 1.0 - LATER, method="higher"))
    if cut <= periods.min():
        raise Refused(f"at least {1 - LATER:.0%} of the patients are of one period: there is no earlier one to learn from")
    return cut, np.flatnonzero(periods >= cut)


def _within_the_earlier(fit: Fit, trained: Rows, seed: int) -> CrossFit:
    """The earlier patients cross-fitted among themselves, for the calibration that later ones get."""
    plan, part = fit.plan, followed(fit.plan.cohort.follow_up, trained)
    rows, ids = rows_of(plan.matrix, trained), _ids(plan.cohort, trained)
    return cross_fit(_fitter(fit), rows, part, ids, plan.served, folds=INNER_FOLDS, repeats=1, seed=seed)


def _beside(
    fit: Fit, inner: CrossFit, trained: Rows, judged: Rows, log_odds: FloatArray, bootstrap: int, seed: int
) -> tuple[Comparison, ...]:
    """The simple models, learned from the same earlier patients, on the same later ones."""
    earlier, later, days = fit.plan.cohort.select(trained), fit.plan.cohort.select(judged), fit.plan.served
    models, absent = [], {}
    for simple in SIMPLE.values():
        try:
            models.append(out_of_fold_simple(simple, earlier, inner, fit.plan.grid, seed).model)
        except NotSupported as reason:
            absent[simple.name] = str(reason)
    said = simple_elsewhere(SavedSimple(tuple(models), absent), later, days)
    ids = _ids(fit.plan.cohort, judged)
    return compare(log_odds, later.follow_up, days, said, groups=ids, bootstrap=bootstrap, seed=seed)


def leave_one_site_out(fit: Fit, *, bootstrap: int, seed: int, progress: Advance = unwatched) -> Split:
    """The sites with the most deaths, up to five, each judged by a learner that saw all other sites and nobody of its own.

    Its calibration is fitted on the run's out-of-fold log-odds of the other sites' patients; the learners of those folds had
    patients of the site among theirs.
    """
    try:
        sites = _sites(fit.plan.cohort)
        log_odds = np.full((len(fit.plan.cohort), len(fit.plan.served)), np.nan)
        for place, rows in enumerate(sites.values()):
            progress("each site left out", place, len(sites))
            log_odds[rows] = _site_log_odds(fit, rows, seed)
        progress("each site left out", len(sites), len(sites))
        judged = np.sort(np.concatenate(list(sites.values())))
        found = _evaluated(fit, log_odds[judged], judged, bootstrap, seed)
    except Refused as reason:
        return Split("", refused=str(reason))
    among = len({patient.site for patient in fit.plan.cohort.patients} - {""})
    how = (
        f"{len(sites)} of {among} sites, those with the most deaths, each judged by a learner that was not trained on it; its "
        f"calibration was fitted on the other sites, on log-odds of learners that had seen this one; {CHOSEN}"
    )
    day = primary_of(tuple(found.horizons))
    column = log_odds[judged][:, fit.plan.served.index(day)] if day is not None else None
    apart = () if column is None or day is None else site_strata(fit.plan.cohort.select(judged), column, day, bootstrap, seed)
    return Split(how, found, apart, judged=judged)


def _sites(cohort: Cohort) -> dict[str, Rows]:
    """The rows of each site that is judged, most deaths first."""
    named = np.array([patient.site for patient in cohort.patients])
    if not (named != "").any():
        raise Refused("the cohort file names no site")
    rows = {str(site): np.flatnonzero(named == site) for site in np.unique(named) if site}
    deaths = {site: int(cohort.follow_up.deaths[one].sum()) for site, one in rows.items()}
    enough = sorted((site for site in rows if deaths[site] >= EVALUABLE_PATIENTS), key=lambda site: (-deaths[site], site))
    if len(enough) < 2:
        raise Refused(f"{len(enough)} of {len(rows)} sites have {EVALUABLE_PATIENTS} deaths: two are needed")
    return {site: rows[site] for site in enough[:MOST_SITES]}


def _site_log_odds(fit: Fit, judged: Rows, seed: int) -> FloatArray:
    plan, trained = fit.plan, _others(fit.plan.cohort, judged)
    part = followed(plan.cohort.follow_up, trained)
    _require_deaths(part, "the other sites")
    raw = np.mean([repeat.raw[fit.learner][trained] for repeat in fit.cross.repeats], axis=0)
    calibration = fit_calibration(raw, stacked(part, plan.served))
    learned = _fitter(fit)(rows_of(plan.matrix, trained), part, seed=seed)
    return calibrated(_say(fit, learned, judged), calibration)


def _fitter(fit: Fit) -> partial[Learned]:
    """The run's own fit, of the saved learner alone."""
    plan = fit.plan
    trees = plan.trees if LEARNERS[fit.learner] > 0 else None
    return partial(learn, plan.design, grid=plan.grid, served=plan.served, trees=trees, linear=plan.settings.linear)


def _say(fit: Fit, learned: Learned, rows: Rows) -> FloatArray:
    return learned.log_odds(rows_of(fit.plan.matrix, rows), np.asarray(fit.plan.served))[fit.learner]


def _others(cohort: Cohort, judged: Rows) -> Rows:
    """The rows of everybody of whom no row is judged."""
    ids = {cohort.patients[row].id for row in judged}
    apart: BoolArray = np.array([patient.id not in ids for patient in cohort.patients])
    return np.flatnonzero(apart)


def _require_deaths(part: FollowUp, who: str) -> None:
    if (deaths := int(part.deaths.sum())) < EVALUABLE_PATIENTS:
        raise Refused(f"{deaths} deaths among {who}: at least {EVALUABLE_PATIENTS} are needed to learn from")


def _evaluated(fit: Fit, log_odds: FloatArray, judged: Rows, bootstrap: int, seed: int) -> Evaluation:
    """The evaluation of the judged, or Refused where no horizon can be asked of them."""
    part, ids = followed(fit.plan.cohort.follow_up, judged), _ids(fit.plan.cohort, judged)
    standings = [standing(part, day, groups=ids) for day in fit.plan.served]
    if not any(one.evaluable for one in standings):
        why = "; ".join(f"day {one.horizon:g} is {one.level}: {one.why}" for one in standings)
        raise Refused(f"of the {len(part)} patients who would be judged, {why}")
    return evaluate(sigmoid(log_odds), log_odds, part, fit.plan.served, groups=ids, bootstrap=bootstrap, seed=seed)


def _ids(cohort: Cohort, rows: Sequence[int] | Rows) -> list[str]:
    return [cohort.patients[row].id for row in rows]
