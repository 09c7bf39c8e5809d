"""The gate: a model passes if every criterion holds, and whichever is broken refuses it by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import artifact
from models.artifact import InvalidArtifact
from models.risk import HorizonStanding
from training.gate.gate import Candidate, Judged, judge_candidate
from training.gate.parity import by_training
from training.gate.parity_patients import MadeUp
from training.gate.paths import Risks
from training.study.criteria import Criteria
from training.telling.card import card_files
from training.telling.evidence import evidence_files, read_evidence

Evidence = dict[str, dict[str, Any]]
PASSED = {
    **{"item": "time origin", "domain": "participants", "question": "One?", "verdict": "Pass", "number": 0},
    **{"why": "", "rows": [], "rows_at_fault": 0, "accepted": ""},
}
BARS = Criteria(intercept=(-1.0, 1.0), slope=(0.3, 3.0), observed_expected=(0.5, 2.0), strata_observed_expected=(0.2, 5.0))
DAY = "90"


def same(folder: Path, asked: MadeUp) -> Risks:
    """A path that says what training says."""
    return by_training(artifact.load(folder), asked)


def good(evidence: Evidence) -> Evidence:
    """The evidence with a diagnosis that passed, and with bars that a small made-up cohort can reach, as if declared."""
    diagnosis = {"cohort": "north", "against": "", "fails": 0, "unknown": 0, "passes": 1, "findings": [PASSED]}
    study = {"name": "a study", "digest": "0" * 64, "gate": json.loads(json.dumps(BARS.as_json())), "card": {}}
    return {**copy.deepcopy(evidence), "diagnosis.json": diagnosis, "study.json": study}


@pytest.fixture
def made(trained_there: Path, tmp_path: Path) -> Callable[..., Candidate]:
    """Makes the candidate anew, with its evidence changed and sealed again, and its model with `changes`."""

    def make(change: Callable[[Evidence], object] = lambda evidence: None, **changes: Any) -> Candidate:
        known = artifact.load(trained_there)
        evidence = good(read_evidence(trained_there))
        change(evidence)
        files = evidence_files(evidence) | card_files(evidence)
        folder = tmp_path / f"candidate-{len(list(tmp_path.iterdir()))}"
        artifact.save(replace(known.model, **changes), folder, files=files, provenance=known.provenance)
        return Candidate.read(folder)

    return make


def judge(candidate: Candidate) -> Judged:
    return judge_candidate(candidate, None, None, {"a path": same})


def test_a_model_that_meets_every_criterion_passes(made: Callable[..., Candidate]) -> None:
    found = judge(made())
    assert found.fails == (), found.text()
    assert found.declared.startswith("declared in the study a study")
    assert "criteria hold" in found.text()
    assert all(one["why"] == "" or one["holds"] for one in found.as_json()["criteria"])


def horizon(evidence: Evidence) -> dict[str, Any]:
    at: dict[str, Any] = evidence["evaluation.json"]["evaluations"][population(evidence)]["horizons"][DAY]
    return at


def population(evidence: Evidence) -> str:
    return "previously treated" if "previously treated" in evidence["evaluation.json"]["evaluations"] else "everybody"


def comparator(evidence: Evidence, name: str) -> dict[str, Any]:
    beside = evidence["evaluation.json"]["evaluations"][population(evidence)]["comparators"]
    return next(one for one in beside if one["name"] == name)


def strata(evidence: Evidence) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = evidence["evaluation.json"]["evaluations"][population(evidence)]["strata"]
    return [one for one in found if isinstance(one["n"], int) and one["n"] >= 100 and one["deaths"] not in ("<10", "< 10")]


def lower(cell: dict[str, Any], value: float) -> None:
    cell.update({"value": value, "low": value - 0.01, "high": value + 0.01})


def no_diagnosis(evidence: Evidence) -> None:
    del evidence["diagnosis.json"]


def no_evaluation(evidence: Evidence) -> None:
    day = horizon(evidence)
    day.clear()
    evidence["evaluation.json"]["evaluations"][population(evidence)]["horizons"].pop(DAY)


BROKEN: dict[str, tuple[str, Callable[[Evidence], object]]] = {
    "a Fail in the diagnosis": (
        "diagnosis",
        lambda evidence: evidence["diagnosis.json"]["findings"].append(PASSED | {"verdict": "Fail", "item": "swapped unit"}),
    ),
    "an accepted Fail": (
        "diagnosis",
        lambda evidence: evidence["diagnosis.json"]["findings"].append(PASSED | {"verdict": "Fail", "accepted": "I know better"}),
    ),
    "no diagnosis": ("diagnosis", no_diagnosis),
    "an empty diagnosis": ("diagnosis", lambda evidence: evidence["diagnosis.json"]["findings"].clear()),
    "an interval of ninety-nine draws": (
        "resamples",
        lambda evidence: evidence["evaluation.json"]["scheme"].update({"resamples": 99}),
    ),
    "a low AUC": ("AUC", lambda evidence: lower(horizon(evidence)["auc"], 0.71)),
    "an AUC that could not be had": ("AUC", lambda evidence: horizon(evidence)["auc"].update({"value": None, "why": "nobody"})),
    "a negative IPA": ("IPA", lambda evidence: lower(horizon(evidence)["ipa"], -0.01)),
    "an intercept off": ("calibration: intercept", lambda evidence: lower(horizon(evidence)["calibration"]["intercept"], 1.2)),
    "a slope off": ("calibration: slope", lambda evidence: lower(horizon(evidence)["calibration"]["slope"], 0.2)),
    "twice the deaths": (
        "calibration: observed over expected",
        lambda evidence: lower(horizon(evidence)["calibration"]["observed_expected"], 2.1),
    ),
    "no gain over albumin": (
        "AUC gained over albumin alone",
        lambda evidence: lower(comparator(evidence, "albumin_alone")["horizons"][DAY]["difference"]["auc"], 0.005),
    ),
    "no gain over Cox": (
        "AUC gained over Cox on ln NLR, albumin and age",
        lambda evidence: lower(comparator(evidence, "cox_four")["horizons"][DAY]["difference"]["auc"], -0.02),
    ),
    "Cox was not compared": (
        "AUC gained over Cox on ln NLR, albumin and age",
        lambda evidence: comparator(evidence, "cox_four").update({"horizons": {}, "why": "no albumin"}),
    ),
    "a stratum off": ("strata", lambda evidence: lower(strata(evidence)[0]["observed_expected"], 5.5)),
    "a stratum that says nothing": (
        "strata",
        lambda evidence: strata(evidence)[0]["observed_expected"].update({"value": None, "low": None, "high": None, "why": "?"}),
    ),
    "the horizon was not evaluated": ("evaluation", no_evaluation),
    "the study asks for a test": ("test cohort", lambda evidence: evidence["study.json"]["gate"].update({"require_test": True})),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whichever_criterion_is_broken_is_named(made: Callable[..., Candidate], name: str) -> None:
    criterion, change = BROKEN[name]
    found = judge(made(change))
    assert criterion in {one.criterion for one in found.fails}, found.text()
    assert len(found.verdicts) > len(found.fails)  # the others are told as well


def test_a_model_of_simulated_patients_fails_whatever_its_figures(made: Callable[..., Candidate]) -> None:
    assert "not simulated" in {one.criterion for one in judge(made(trained_on=" Simulated ")).fails}


def test_a_horizon_that_is_not_promotable_fails_with_the_number_that_is_short(
    made: Callable[..., Candidate], trained_there: Path
) -> None:
    known = artifact.load(trained_there).model
    short = tuple(
        HorizonStanding(one.days, "evaluable", "61 deaths: 100 are needed", one.died_share) if one.days == 90 else one
        for one in known.horizons
    )
    (fail,) = judge(made(horizons=short)).fails
    assert (fail.criterion, fail.found, fail.why) == ("standing of day 90", "evaluable", "61 deaths: 100 are needed")


def test_a_number_changed_after_the_card_was_written_fails_the_card(made: Callable[..., Candidate], tmp_path: Path) -> None:
    candidate = made()
    files = {path.name: path.read_bytes() for path in candidate.folder.iterdir()}
    document = json.loads(files.pop("evaluation.json"))
    document["evaluations"]["everybody"]["n"] += 1
    for name in ("manifest.json", "model.json", "trees.npz"):
        files.pop(name, None)
    changed = files | {"evaluation.json": json.dumps(document).encode()}
    artifact.save(candidate.artifact.model, tmp_path / "changed", files=changed, provenance=candidate.artifact.provenance)
    assert "card" in {one.criterion for one in judge(Candidate.read(tmp_path / "changed")).fails}


def test_paths_that_do_not_agree_to_the_bit_fail_the_parity(made: Callable[..., Candidate]) -> None:
    def off(folder: Path, asked: MadeUp) -> Risks:
        return {id: {day: risk * (1 + 1e-15) for day, risk in risks.items()} for id, risks in same(folder, asked).items()}

    def few(folder: Path, asked: MadeUp) -> Risks:
        return dict(list(same(folder, asked).items())[1:])

    found = judge_candidate(made(), None, None, {"file": same, "HTTP": off, "pyfunc": few})
    (fail,) = found.fails
    assert fail.criterion == "parity"
    assert "HTTP: " in fail.why
    assert "risks differ, by up to" in fail.why
    assert "pyfunc: 59 patients were scored, the training path has 60" in fail.why
    assert "equal: file" in fail.found


def test_without_any_path_there_is_no_parity(made: Callable[..., Candidate]) -> None:
    assert [one.criterion for one in judge_candidate(made(), None, None, {}).fails] == ["parity"]


def test_where_no_study_declared_bars_the_shipped_ones_hold(made: Callable[..., Candidate]) -> None:
    found = judge(made(lambda evidence: evidence.pop("study.json")))
    assert found.criteria == Criteria()
    assert found.declared == "no study file: the bars this product ships"


def test_bars_that_this_version_does_not_know_are_not_passed_over(made: Callable[..., Candidate]) -> None:
    candidate = made(lambda evidence: evidence["study.json"]["gate"].update({"least_luck": 1}))
    with pytest.raises(InvalidArtifact, match=r"study\.json declares least_luck"):
        judge(candidate)


def test_what_was_found_on_patients_kept_for_the_end_is_judged_too(made: Callable[..., Candidate]) -> None:
    def kept(evidence: Evidence) -> None:
        at = copy.deepcopy(evidence["evaluation.json"]["evaluations"])
        for found in at.values():
            lower(found["horizons"][DAY]["auc"], 0.6)
        evidence["test.json"] = {"cohorts": [{"cohort": "later", "digest": "1" * 64, "look": 1, "evaluations": at}]}
        evidence["study.json"]["gate"]["require_test"] = True

    (fail,) = judge(made(kept)).fails
    assert (fail.criterion, fail.where.startswith("kept for the end, later")) == ("AUC", True)
