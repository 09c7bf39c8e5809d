"""The live checks on a test cohort: who was in it, how good the model is there, and whether it is better than the champion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.artifact import Artifact
from models.design import FloatArray, design_matrix
from models.example import is_simulated
from models.risk import RECALIBRATION
from training.cohort import Cohort
from training.comparing.simple_models import SavedSimple
from training.diagnosis.diagnose import diagnose
from training.diagnosis.overlap import overlap
from training.gate.performance import CHAMPION, on_test, resamples
from training.gate.sealed import diagnosis
from training.gate.verdict import Verdict, above, missing
from training.judge import judge
from training.progress import Advance, unwatched
from training.statistics.estimates import NotEstimable
from training.statistics.evaluate import paired_difference
from training.study.criteria import Criteria


@dataclass(frozen=True)
class HeldOut:
    """The test cohort, and the cohorts the model learned from, against which it is searched for shared patients."""

    test: Cohort
    development: tuple[Cohort, ...] = ()
    bootstrap: int = 200
    seed: int = 1


def held_out_verdicts(
    ours: Artifact,
    simple: SavedSimple,
    champion: Artifact | None,
    given: HeldOut,
    criteria: Criteria,
    advance: Advance = unwatched,
) -> Iterator[Verdict]:
    """Every criterion of the test cohort."""
    yield from strangers(ours, champion, given)
    developed_on = str(ours.provenance.get("cohort_digest"))
    findings = diagnose(given.test, days=ours.model.days, primary=criteria.primary_day, developed_on=developed_on)
    yield diagnosis(findings.filed()["findings"], f"on {given.test.name}")
    yield resamples(f"on {given.test.name}", given.bootstrap)
    found = judge(ours.model, given.test, simple=simple, bootstrap=given.bootstrap, seed=given.seed, advance=advance)
    yield from on_test(found, criteria)
    if champion is not None:
        yield over_champion(ours, champion, given, criteria)


def learned_from(model: Artifact) -> frozenset[str]:
    """The digests of the cohorts a model learned from: of a recalibrated one, its parent's and those of its site."""
    told = (model.provenance.get("cohort_digest"), model.model.facts.get("cohort_digest"))
    return frozenset(str(digest) for digest in told if digest)


def needed(ours: Artifact, champion: Artifact | None, given: HeldOut | None, asked: bool) -> Verdict:
    """Whether a test cohort is owed, and given: where the study asks for it (`asked`), where a champion is to be replaced, which
    is only done on patients of whom neither has learned, and for a recalibrated model, whose evidence is its parent's.
    """
    reasons = {
        "the study asks for it": asked,
        "there is a champion to be replaced": champion is not None,
        "recalibrated: what cross-validation found is its parent's": RECALIBRATION in ours.model.facts,
    }
    why = "; ".join(reason for reason, applies in reasons.items() if applies)
    owed = bool(why)
    found, allowed = "none" if given is None else given.test.name, "a test cohort (--test)" if owed else "none, or one"
    return Verdict("test cohort", given is not None or not owed, "given", found, allowed, why)


def strangers(ours: Artifact, champion: Artifact | None, given: HeldOut) -> Iterator[Verdict]:
    """Nobody in the test cohort may be a patient either model learned from; simulated patients test nothing."""
    test = given.test
    where = f"on {test.name}"
    yield Verdict("test not simulated", not is_simulated(test.source), where, f"source: {test.source}", "real patients")
    for whose, model in (("the model", ours), ("the champion", champion)):
        if model is not None:
            same = test.digest in learned_from(model)
            found = "the very cohort" if same else "another cohort"
            yield Verdict(f"not the cohort {whose} learned from", not same, where, found, "another cohort")
    yield _nobody_shared(ours, given, where)


def _nobody_shared(ours: Artifact, given: HeldOut, where: str) -> Verdict:
    name, allowed, learned = "no patients shared", "nobody in both", learned_from(ours)
    there = {one.digest: one for one in given.development}
    if not learned or not learned <= set(there):
        why = "give the cohorts the model learned from, unchanged (--development): else nobody can look for their patients here"
        digests = ", ".join(sorted(digest[:12] for digest in learned - set(there))) or "unknown"
        return Verdict(name, False, where, f"not looked for; missing: {digests}", allowed, why)
    found = [one.filed() for digest in sorted(learned) for one in overlap(there[digest], given.test)]
    verdicts = [one["verdict"] for one in found]
    holds = "Fail" not in verdicts and "Pass" in verdicts
    return Verdict(name, holds, where, ", ".join(verdicts), allowed, "; ".join(str(one["why"]) for one in found))


def over_champion(ours: Artifact, champion: Artifact, given: HeldOut, criteria: Criteria) -> Verdict:
    """The paired difference in AUC against the champion, same patients and same resamples."""
    name, where, day = "AUC gained over the champion", f"on {given.test.name}", criteria.primary_day
    columns = [_column(one, given.test, day) for one in (ours, champion)]
    absent = [one.model.name for one, column in zip((ours, champion), columns, strict=True) if column is None]
    if absent:
        return missing(name, where, f"{', '.join(absent)} does not serve day {day:g}")
    a, b = (column for column in columns if column is not None)
    ids = [patient.id for patient in given.test.patients]
    drawn: dict[str, Any] = {"bootstrap": given.bootstrap, "seed": given.seed}
    try:
        gain = paired_difference(a, b, given.test.follow_up, day, groups=ids, **drawn)
    except NotEstimable as reason:
        return missing(name, where, str(reason))
    return above(name, where, gain.as_json(), criteria.least_auc_gain_over.get(CHAMPION, 0.0))


def _column(artifact: Artifact, cohort: Cohort, day: float) -> FloatArray | None:
    """The log-odds (n,) of the model at `day`; None where it does not serve it."""
    model = artifact.model
    if day not in model.days:
        return None
    scores = model.score(design_matrix(model.design, cohort.patients))
    return np.ascontiguousarray(scores.log_odds[:, model.days.index(int(day))])
