"""Everything that was fitted, as the one model that is saved: learners, calibration, refits, population, standing and facts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from models.explanation import COVERS
from models.population import BEHIND, TIME_ORIGIN, Population, prior_line
from models.risk import Calibration, HorizonStanding, Refits, RiskModel
from models.trees import LeafTables
from training.cohort import Cohort
from training.learners.learn import LEARNERS, Learned
from training.learners.plan import AUTO, Plan
from training.small_cells import without_small
from training.statistics.censoring import survival

PRIMARY = 90.0  # days; the horizon of "life expectancy > 3 months" (clinical.md section 6)
INTENDED_USE = (
    "prognosis of adults with relapsed or refractory solid tumours, for clinicians; never by itself a reason to give or withhold "
    "treatment"
)
LIMITS = (
    "No cohort used in developing this product combines ALC, NLR and CA19-9 in previously treated patients; statements about "
    "that combination rest on simulation."
)


def saved_model(
    plan: Plan, learner: str, learned: Learned, tables: LeafTables | None, calibration: Calibration, refits: Refits
) -> RiskModel:
    """The model; its `facts` want only what cross-validation said of the learners."""
    cohort = plan.cohort
    return RiskModel(
        name=cohort.name,
        design=plan.design,
        horizons=_horizons(plan),
        refused={f"{day:g}": f"{one.level}: {one.why}" for day, one in plan.standings.items() if not one.evaluable},
        imputation=learned.imputation,
        linear=learned.linear.model,
        trees=tables,
        tree_share=LEARNERS[learner],
        calibration=calibration,
        refits=refits,
        population=population_of(cohort),
        required=tuple(name for name in cohort.required if name in plan.design.features),
        development_range=_ranges(plan),
        trained_on=cohort.source or cohort.name,
        facts=_facts(plan, learner),
    )


def _horizons(plan: Plan) -> tuple[HorizonStanding, ...]:
    alive = survival(plan.cohort.follow_up)
    standings = ((day, plan.standings[day]) for day in plan.served)
    return tuple(HorizonStanding(day, one.level, one.why, float(1 - alive.at(day))) for day, one in standings)


def population_of(cohort: Cohort) -> Population:
    """The deaths that stand behind each group, small ones left out: a model travels."""
    by_tumour, by_line = (without_small(counts) for counts in deaths_behind(cohort))
    landmarks = {patient.landmark: patient.carried for patient in cohort.patients if patient.landmark is not None}
    if not landmarks:
        return Population(by_tumour, by_line)
    origin = f"a day up to {max(landmarks):g} days after {TIME_ORIGIN}"
    return Population(by_tumour, by_line, origin, tuple(sorted(landmarks)), max(landmarks.values()))


def deaths_behind(cohort: Cohort) -> tuple[dict[str, int], dict[str, int]]:
    """The deaths by tumour and by having had a prior line."""
    rows = zip(cohort.patients, cohort.follow_up.deaths, strict=True)
    died = {patient.id: patient for patient, dead in rows if dead}.values()  # a patient dies once, however often seen
    by_tumour, by_line = Counter(p.tumour for p in died), Counter(prior_line(p) for p in died)
    return dict(sorted(by_tumour.items())), dict(sorted(by_line.items()))


def _ranges(plan: Plan) -> dict[str, tuple[float, float]]:
    """The central 99 % of each numeric feature among the patients in whom it was measured."""
    ranges = {}
    for place, column in enumerate(plan.design.columns):
        if not column.level:
            low, high = np.nanquantile(plan.matrix.x[:, place], [0.005, 0.995])
            ranges[column.feature] = (float(low), float(high))
    return ranges


def _size(cohort: Cohort) -> dict[str, object]:
    """Patients and deaths; of those seen several times also the rows."""
    if cohort.several_rows is None:
        return {"patients": len(cohort), "deaths": int(cohort.follow_up.deaths.sum())}
    died = {name for name, dead in zip(cohort.several_rows, cohort.follow_up.deaths, strict=True) if dead}
    return {"patients": len(set(cohort.several_rows)), "deaths": len(died), "rows": len(cohort)}


def _facts(plan: Plan, learner: str) -> dict[str, object]:
    cohort, settings, primary = plan.cohort, plan.settings, plan.standings.get(PRIMARY)
    return {
        "learner": learner,
        "learner_chosen_by": "patient-grouped cross-validated IPA" if settings.learner == AUTO else "the data scientist",
        "cross_validation": {"folds": settings.folds, "repeats": settings.repeats, "seed": settings.seed},
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        **_size(cohort),
        "promotable": bool(primary and primary.level == "promotable"),
        "promotable_why": f"day {PRIMARY:g} was not asked for" if primary is None else primary.why,
        "variables_named_in_advance": plan.choice.named_in_advance,
        "left_out": dict(plan.choice.left_out),
        "accepted": list(cohort.accepted),
        "outside_below_deaths": BEHIND,
        "intended_use": INTENDED_USE,
        "limits": LIMITS,
        "intervals": COVERS,
    }
