"""A hospital's patients give a model its level there, and the account of it: what was moved, by how much, and what that did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.artifact import Artifact
from models.design import FloatArray, design_matrix
from models.example import EXAMPLE, is_simulated
from models.risk import Z95, RiskModel, sigmoid
from training.cohort import Cohort
from training.learners.saved_model import PRIMARY
from training.progress import Advance, Steps, unwatched
from training.recalibration.child import child_of, require_same_order
from training.recalibration.enough import enough
from training.recalibration.shift import FOLDS, PRIOR_SHIFT, PRIOR_SLOPE, Recalibration, cross_fitted, fit_shift
from training.refused import NotSupported
from training.small_cells import masked_sentence
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import Evaluation
from training.statistics.standing import standing

Days = tuple[float, ...]


@dataclass(frozen=True)
class Recalibrated:
    """A child model, and what is told of how it came to be (`recalibration.json`; groups of fewer than ten hidden)."""

    model: RiskModel
    account: dict[str, Any]


def recalibrate(
    parent: Artifact, cohort: Cohort, site: str, *, slope: bool = False, bootstrap: int, seed: int, advance: Advance = unwatched
) -> Recalibrated:
    """The child of `parent` for `site`, whose patients are `cohort`; with `slope` how far risks spread is learned too.

    Before and after are compared on these patients, the shift cross-fitted: nobody is judged by one that saw what became of
    them. Raises NotSupported, with what is short, where parent or patients do not allow it.
    """
    model, names = parent.model, [patient.id for patient in cohort.patients]
    _require_allowed(parent, cohort, site)
    primary = min(model.days, key=lambda day: abs(day - PRIMARY))
    days = enough(cohort.follow_up, model.days, primary, slope=slope, groups=names)
    scores = model.score(design_matrix(model.design, cohort.patients))
    asked = scores.log_odds[:, [model.days.index(int(day)) for day in days]]
    learned = fit_shift(asked, cohort.follow_up, days, slope=slope)
    whence = {"parent": {"name": model.name, "digest": parent.digest}} | _whose(cohort, primary)
    moved = _map(learned, slope)
    child = child_of(model, learned, site, whence | {"map": moved})
    after = child.score_filled(scores.filled).log_odds
    require_same_order(scores.log_odds, after)
    mapped = cross_fitted(asked, cohort.follow_up, days, names, slope=slope, seed=seed)
    judge = _Judge(cohort, days, bootstrap, seed, advance)
    account = {"site": site, **whence, "map": moved, "scheme": {"folds": FOLDS, "seed": seed, "resamples": bootstrap}}
    account["horizons"] = _horizons(judge.judged(asked, "as it was"), judge.judged(mapped, "cross-fitted"))
    for day, auc in judge.aucs(after[:, [model.days.index(int(day)) for day in days]]).items():
        account["horizons"][day]["auc"]["after"] = auc
    account["not_used"] = {str(day): _why(cohort, day) for day in model.days if day not in days}
    return Recalibrated(child, ({"example": EXAMPLE} if child.simulated else {}) | account)


def _require_allowed(parent: Artifact, cohort: Cohort, site: str) -> None:
    model, faults = parent.model, []
    if not site.strip():
        faults.append("site: a name is needed")
    if model.recalibrated:
        faults.append(f"{model.name} is recalibrated already: recalibrate its parent, on all patients of the site")
    if cohort.digest == model.facts.get("cohort_digest"):
        faults.append(f"{cohort.name} is the cohort that {model.name} was developed on: another hospital's patients are needed")
    if is_simulated(cohort.source) and not model.simulated:
        faults.append(f"{cohort.name} is simulated: it says nothing of a hospital's patients")
    if faults:
        raise NotSupported("; ".join(faults))


def _whose(cohort: Cohort, primary: float) -> dict[str, Any]:
    """Whose patients they were; by the primary horizon at least twenty died, so no count of these is small."""
    asked = standing(cohort.follow_up, primary, groups=[patient.id for patient in cohort.patients])
    patients = len({patient.id for patient in cohort.patients})
    counts = {"patients": patients, "deaths": asked.deaths, "deaths_by": int(primary)}
    return {"cohort": {"name": cohort.name, "digest": cohort.digest, **counts}}


def _map(learned: Recalibration, slope: bool) -> dict[str, Any]:
    """The map, and the prior that held it back; a line says where it comes from."""
    reach = Z95 * learned.shift_sd
    shift = {"value": learned.shift, "low": learned.shift - reach, "high": learned.shift + reach}
    prior = {"shift_sd": PRIOR_SHIFT, **({"ln_slope_sd": PRIOR_SLOPE} if slope else {})}
    return {"shift": shift, "slope": learned.slope, "centre": learned.centre, "intercept": learned.intercept, "prior": prior}


@dataclass(frozen=True)
class _Judge:
    cohort: Cohort
    days: Days
    bootstrap: int
    seed: int
    advance: Advance

    def judged(self, log_odds: FloatArray, which: str) -> Evaluation:
        steps, names = Steps(self.advance, f"bootstrap, {which}", self.bootstrap), [one.id for one in self.cohort.patients]
        risk, followed = sigmoid(log_odds), self.cohort.follow_up
        drawn: dict[str, Any] = {"bootstrap": self.bootstrap, "seed": self.seed, "progress": steps}
        return evaluate(risk, log_odds, followed, self.days, groups=names, **drawn)

    def aucs(self, log_odds: FloatArray) -> dict[str, float | None]:
        found = evaluate(sigmoid(log_odds), log_odds, self.cohort.follow_up, self.days, bootstrap=0, seed=self.seed)
        return {f"{day:g}": one.auc.value for day, one in found.horizons.items()}


def _horizons(before: Evaluation, after: Evaluation) -> dict[str, Any]:
    """By horizon the deaths, the AUC, and O:E before and (cross-fitted) after."""
    told = {}
    for day, one in before.horizons.items():
        pair = {"before": one.calibration, "after": after.horizons[day].calibration}
        told[f"{day:g}"] = {
            "deaths": one.standing.deaths,
            "auc": {"before": one.auc.value},
            "observed_expected": {name: found.observed_expected.as_json() for name, found in pair.items()},
            "slope": {name: found.slope.as_json() for name, found in pair.items()},
        }
    return told


def _why(cohort: Cohort, day: float) -> str:
    asked = standing(cohort.follow_up, float(day), groups=[patient.id for patient in cohort.patients])
    return masked_sentence(f"{asked.level}: {asked.why}")
