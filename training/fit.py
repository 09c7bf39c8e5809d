"""From a cohort to a model: cross-fitted learners, the one with the best cross-validated IPA, calibrated, with its refits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.design import DesignMatrix, FloatArray, design_matrix
from models.population import BEHIND, Population, prior_line
from models.risk import Calibration, HorizonStanding, RiskModel, sigmoid
from training.available import FEW_DEATHS, Choice, choose_design
from training.censoring import survival
from training.cohort import Cohort
from training.crossfit import CrossFit, cross_fit
from training.evaluate import evaluate
from training.fit_trees import TreeSettings
from training.leaf_tables import compile_leaf_tables
from training.learn import GRID, LEARNERS, Learned, learn
from training.refit import refit
from training.standing import Standing, standing

HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)  # days, reported
PRIMARY = 90.0  # days; the horizon of "life expectancy > 3 months" (clinical.md section 6)
Advance = Callable[[str, int, int], object]  # what is being done, steps done, steps in all


class NothingEvaluable(ValueError):
    """A cohort whose follow-up answers no horizon; the message names the number that is short at each."""


@dataclass(frozen=True)
class Settings:
    """What a data scientist may decide before the cohort is seen."""

    features: tuple[str, ...] | None = None
    learner: str = "auto"  # or one of LEARNERS
    horizons: tuple[float, ...] = HORIZONS
    folds: int = 5
    repeats: int = 1
    refits: int = 50
    tree_refits: int = 8
    seed: int = 1


@dataclass(frozen=True)
class Fit:
    """A model with what it was made from: its standing by horizon, the out-of-fold log-odds, the booster as trained."""

    model: RiskModel
    booster: bytes | None
    standings: Mapping[float, Standing]
    choice: Choice
    matrix: DesignMatrix
    cross: CrossFit
    learner: str
    learner_ipa: Mapping[str, float]  # mean cross-validated IPA over the served horizons, by learner


def fit(cohort: Cohort, settings: Settings, advance: Advance = lambda doing, done, total: None) -> Fit:
    """Fit every learner the cohort allows and keep the one whose cross-fitted, calibrated risks have the best IPA.

    Raises NothingEvaluable, or ValueError where named features or learners are not there.
    """
    standings = {day: standing(cohort.follow_up, day) for day in settings.horizons}
    served, grid = _served(standings), _grid(cohort)
    choice = choose_design(cohort, settings.features)
    matrix = design_matrix(choice.design, cohort.patients)
    trees = TreeSettings.for_patients(len(cohort)) if _trees_allowed(cohort, settings) else None
    cross = _cross(cohort, settings, choice, matrix, grid, served, trees, advance)
    learner, ipa = _choose_learner(cohort, settings, cross)
    advance("fit on everybody", 0, 1)
    learned = learn(choice.design, matrix, cohort.follow_up, grid=grid, served=served, trees=trees, seed=settings.seed)
    model = _model(cohort, settings, choice, matrix, learned, cross.calibration[learner], standings, grid, LEARNERS[learner], trees, advance)
    facts = _facts(cohort, settings, choice, standings, learner, ipa)
    booster = learned.booster if LEARNERS[learner] > 0 else None
    raw = None if booster is None else bytes(booster.save_raw("ubj"))
    return Fit(replace(model, facts=facts), raw, standings, choice, matrix, cross, learner, ipa)


def _served(standings: Mapping[float, Standing]) -> tuple[float, ...]:
    served = tuple(day for day, one in standings.items() if one.evaluable)
    if not served:
        raise NothingEvaluable("; ".join(f"day {day:g} is {one.level}: {one.why}" for day, one in standings.items()))
    return served


def _grid(cohort: Cohort) -> tuple[float, ...]:
    """The horizons of the fit: those that are identifiable, even where too few died for one to be judged on its own."""
    return tuple(day for day in GRID if standing(cohort.follow_up, day).level != "not identifiable")


def _trees_allowed(cohort: Cohort, settings: Settings) -> bool:
    if settings.learner not in ("auto", *LEARNERS):
        raise ValueError(f"learner {settings.learner}: allowed are auto, {', '.join(LEARNERS)}")
    few = int(cohort.follow_up.deaths.sum()) < FEW_DEATHS
    if few and settings.learner not in ("auto", "linear"):
        raise ValueError(f"learner {settings.learner}: below {FEW_DEATHS} deaths only the linear learner is fitted")
    return not few and settings.learner != "linear"


def _cross(
    cohort: Cohort,
    settings: Settings,
    choice: Choice,
    matrix: DesignMatrix,
    grid: Sequence[float],
    served: Sequence[float],
    trees: TreeSettings | None,
    advance: Advance,
) -> CrossFit:
    steps = _Steps(advance, "cross-validation", settings.folds * settings.repeats)
    return cross_fit(
        choice.design,
        matrix,
        cohort.follow_up,
        [patient.id for patient in cohort.patients],
        grid=grid,
        served=served,
        trees=trees,
        folds=settings.folds,
        repeats=settings.repeats,
        seed=settings.seed,
        progress=steps,
    )


class _Steps:
    """Counts the steps of one stage for whoever watches."""

    def __init__(self, advance: Advance, doing: str, total: int):
        self.advance, self.doing, self.total, self.done = advance, doing, total, 0
        advance(doing, 0, total)

    def __call__(self, steps: int) -> None:
        self.done += steps
        self.advance(self.doing, self.done, self.total)


def _choose_learner(cohort: Cohort, settings: Settings, cross: CrossFit) -> tuple[str, dict[str, float]]:
    """Every learner's mean IPA over served horizons and repeats; the best of them, or the one that was asked for."""
    ipa = {name: float(np.mean([_mean_ipa(cohort, one.calibrated[name], cross) for one in cross.repeats])) for name in cross.calibration}
    return (max(ipa, key=lambda name: ipa[name]) if settings.learner == "auto" else settings.learner), ipa


def _mean_ipa(cohort: Cohort, log_odds: FloatArray, cross: CrossFit) -> float:
    judged = evaluate(sigmoid(log_odds), log_odds, cohort.follow_up, cross.horizons, bootstrap=0, seed=0)
    return float(np.mean([one.ipa.value for one in judged.horizons.values() if one.ipa.value is not None]))


def _model(
    cohort: Cohort,
    settings: Settings,
    choice: Choice,
    matrix: DesignMatrix,
    learned: Learned,
    calibration: Calibration,
    standings: Mapping[float, Standing],
    grid: Sequence[float],
    share: float,
    trees: TreeSettings | None,
    advance: Advance,
) -> RiskModel:
    served = _served(standings)
    x = learned.imputation.fill(matrix).x
    tables = compile_leaf_tables(learned.booster, x, served) if learned.booster is not None and share > 0 else None
    refits = refit(
        choice.design,
        x,
        cohort.follow_up,
        learned.linear,
        grid=grid,
        served=served,
        tree_share=share,
        trees=trees or TreeSettings(),
        count=settings.refits,
        tree_count=settings.tree_refits,
        seed=settings.seed,
        progress=_Steps(advance, "refits for the intervals", settings.refits),
    )
    return RiskModel(
        name=cohort.name,
        design=choice.design,
        horizons=_horizons(cohort, standings),
        refused={f"{day:g}": f"{one.level}: {one.why}" for day, one in standings.items() if not one.evaluable},
        imputation=learned.imputation,
        linear=learned.linear.model,
        trees=tables,
        tree_share=share,
        calibration=calibration,
        refits=refits,
        population=population_of(cohort),
        required=tuple(name for name in cohort.required if name in choice.design.features),
        development_range=_ranges(choice, matrix),
        trained_on=cohort.source or cohort.name,
    )


def _horizons(cohort: Cohort, standings: Mapping[float, Standing]) -> tuple[HorizonStanding, ...]:
    alive = survival(cohort.follow_up)
    return tuple(HorizonStanding(day, one.level, one.why, float(1 - alive.at(day))) for day, one in standings.items() if one.evaluable)


def population_of(cohort: Cohort) -> Population:
    """The deaths that stand behind each tumour and behind having had a prior line."""
    died = [patient for patient, dead in zip(cohort.patients, cohort.follow_up.deaths, strict=True) if dead]
    by_tumour, by_line = Counter(p.tumour for p in died), Counter(prior_line(p) for p in died)
    return Population(dict(sorted(by_tumour.items())), dict(sorted(by_line.items())))


def _ranges(choice: Choice, matrix: DesignMatrix) -> dict[str, tuple[float, float]]:
    """The central 99 % of each numeric feature among the patients in whom it was measured."""
    ranges = {}
    for place, column in enumerate(choice.design.columns):
        if not column.level:
            low, high = np.nanquantile(matrix.x[:, place], [0.005, 0.995])
            ranges[column.feature] = (float(low), float(high))
    return ranges


def _facts(
    cohort: Cohort, settings: Settings, choice: Choice, standings: Mapping[float, Standing], learner: str, ipa: Mapping[str, float]
) -> dict[str, object]:
    primary = standings.get(PRIMARY)
    return {
        "learner": learner,
        "learner_chosen_by": "patient-grouped cross-validated IPA" if settings.learner == "auto" else "the data scientist",
        "learner_ipa": {name: round(value, 6) for name, value in ipa.items()},
        "cross_validation": {"folds": settings.folds, "repeats": settings.repeats, "seed": settings.seed},
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        "patients": len(cohort),
        "deaths": int(cohort.follow_up.deaths.sum()),
        "promotable": bool(primary and primary.level == "promotable"),
        "promotable_why": "" if primary is None else primary.why,
        "variables_named_in_advance": choice.named_in_advance,
        "left_out": dict(choice.left_out),
        "accepted": list(cohort.accepted),
        "outside_below_deaths": BEHIND,
        "intended_use": "prognosis of adults with relapsed or refractory solid tumours, for clinicians; never by itself a reason "
        "to give or withhold treatment",
        "limits": "No cohort used in developing this product combines ALC, NLR and CA19-9 in previously treated patients; statements "
        "about that combination rest on simulation.",
    }
