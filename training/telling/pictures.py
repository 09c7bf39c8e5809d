"""The pictures of a training run: who lived how long, whether stated risks came true, and what moves the risk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from models.example import EXAMPLE, is_simulated
from training.cohort import Cohort
from training.fit import Fit
from training.telling.attribution import attribution
from training.telling.drawn_attribution import draw_features, draw_groups, draw_horizons, draw_one_patient, draw_swarm
from training.telling.drawn_calibration import draw_calibration, draw_risks
from training.telling.drawn_decisions import draw_censoring, draw_decisions
from training.telling.drawn_dependence import draw_dependence
from training.telling.drawn_flow import draw_flow
from training.telling.drawn_forest import draw_comparators, draw_strata
from training.telling.drawn_learning import draw_learning_curve
from training.telling.drawn_survival import draw_by_risk, draw_survival
from training.telling.evidence import COHORT, EVALUATION, RISKS
from training.telling.pointers import Evidence
from training.telling.sections_performance import shown_day, slug
from training.telling.sheet import saved
from training.validate import EVERYBODY

Drawn = Iterator[tuple[str, Figure]]


def draw_pictures(cohort: Cohort, fit: Fit, evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """PNG files in `folder`; of a model of simulated patients each says so at its top.

    What the evidence holds is drawn from it, small groups hidden; the terms are drawn from the model. No picture shows a single
    real patient: a whole row is drawn of simulated cohorts alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(saved(figure, folder, name) for name, figure in _drawn(cohort, fit, evidence))


def _drawn(cohort: Cohort, fit: Fit, evidence: Evidence) -> Drawn:
    example, told = EXAMPLE if fit.model.simulated else "", evidence[COHORT]
    yield "flow", draw_flow(told["flow"], told["patients"], told["deaths"], example=example)
    yield "survival", draw_survival(cohort.follow_up, fit.standings, example=example)
    yield from drawn_evaluation(evidence, example)
    curve = evidence.get(RISKS, {}).get("learning_curve", {})
    if "points" in curve:
        yield "learning-curve", draw_learning_curve(curve, example=example)
    of = attribution(fit)
    yield "shap-swarm", draw_swarm(of, seed=1, example=example)
    yield "shap-dependence", draw_dependence(of, seed=1, example=example)
    yield "shap-features", draw_features(of, example=example)
    yield "shap-groups", draw_groups(of, example=example)
    yield "shap-horizons", draw_horizons(of, example=example)
    if is_simulated(cohort.source):
        yield "shap-one-patient", draw_one_patient(of, example=example)


def drawn_evaluation(evidence: Evidence, example: str) -> Drawn:
    """The pictures of every population of an evaluation, as far as it holds what they show."""
    for whom, found in evidence[EVALUATION]["evaluations"].items():
        judged = found["horizons"]
        risks = evidence.get(RISKS, {}).get("populations", {}).get(whom)
        day = shown_day(judged)
        if day is None:
            continue
        drawn = draw_calibration(judged, {} if risks is None else risks["horizons"], whom=whom, example=example)
        yield f"calibration-{slug(whom)}", drawn
        if risks is not None:
            yield from _risks(risks, day, whom, example)
        if any(one.get("net_benefit") for one in judged.values()):
            yield f"decision-{slug(whom)}", draw_decisions(judged, whom=whom, n=found["n"], example=example)
        yield from _forests(found, day, whom, example)
        if whom == EVERYBODY and any(one.get("naive") for one in judged.values()):
            yield "censoring", draw_censoring(judged, whom=whom, example=example)


def _risks(risks: Mapping[str, Any], day: str, whom: str, example: str) -> Drawn:
    yield f"risks-{slug(whom)}", draw_risks(risks["horizons"][day]["histogram"], day=day, whom=whom, example=example)
    if risks["survival"]["quarters"]:
        yield f"survival-by-risk-{slug(whom)}", draw_by_risk(risks["survival"], whom=whom, example=example)


def _forests(found: Mapping[str, Any], day: str, whom: str, example: str) -> Drawn:
    ours = found["horizons"][day]["auc"]
    there = [one for one in found.get("comparators", ()) if one["available"] and day in one["horizons"]]
    if there:
        yield f"comparators-{slug(whom)}", draw_comparators(there, ours, day=day, whom=whom, example=example)
    strata = [one for one in found.get("strata", ()) if float(one["day"]) == float(day) and _drawable(one)]
    if strata:
        yield f"strata-{slug(whom)}", draw_strata(strata, ours, day=day, whom=whom, example=example)


def _drawable(stratum: Mapping[str, Any]) -> bool:
    return any((stratum.get(name) or {}).get("value") is not None for name in ("auc", "observed_expected"))
