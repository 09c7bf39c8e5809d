"""The model card says what the run found, from where, and counts out nobody."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.example import EXAMPLE
from models.population import Population
from training.cohort import Cohort, Step
from training.fit import Fit
from training.telling.card import card_files, check_card, facts
from training.telling.evidence import COHORT, EVALUATION, LEARNER, evidence_files, evidence_of, read_evidence
from training.telling.pointers import at
from training.validate import EVERYBODY, Validation

Evidence = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def card(small_evidence: Evidence) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(card_files(small_evidence)["card.json"])
    return made


@pytest.fixture(scope="module")
def page(small_evidence: Evidence) -> str:
    return card_files(small_evidence)["card.md"].decode()


@pytest.fixture
def folder(small_artifact: Path, tmp_path: Path) -> Path:
    """A copy of the artifact, to be changed."""
    return shutil.copytree(small_artifact, tmp_path / "model")


def _rewritten(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def test_a_card_of_simulated_patients_begins_with_saying_so(card: dict[str, Any], page: str) -> None:
    assert page.startswith(EXAMPLE)
    assert next(iter(card.items())) == ("example", EXAMPLE)


def test_a_card_of_real_patients_does_not(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    real = replace(small_fit, model=replace(small_fit.model, trained_on="a hospital"))
    files = card_files(evidence_of(small_cohort, real, small_validation.as_json()))
    assert files["card.md"].startswith(b"# Model card")
    assert "example" not in json.loads(files["card.json"])


def test_the_same_run_gives_the_same_bytes(small_evidence: Evidence) -> None:
    assert card_files(small_evidence) == card_files(small_evidence)


@pytest.mark.parametrize(
    "heading",
    [
        "May this model be believed?",
        "Does it beat simpler models?",
        "Intended use",
        "Development cohort",
        "Who was in it",
        "What the follow-up can answer",
        "Performance",
        "Learner",
        "Features",
        "Missing values",
        "Limits",
        "TRIPOD+AI",
        "PROBAST+AI",
        "Source attributes",
    ],
)
def test_the_page_has_every_part(page: str, heading: str) -> None:
    assert f"\n## {heading}\n" in page


def test_the_limits_are_said_plainly(page: str) -> None:
    assert "No cohort used in developing this product combines ALC, NLR and CA19-9 in previously treated patients" in page


def test_every_fact_is_what_its_source_says(card: dict[str, Any], small_evidence: Evidence) -> None:
    found = list(facts(card))
    assert len(found) > 300
    assert all(at(small_evidence, source) == value for source, _, value in found)
    auc = small_evidence[EVALUATION]["evaluations"][EVERYBODY]["horizons"]["90"]["auc"]
    assert (f"{EVALUATION}#/evaluations/everybody/horizons/90/auc", "AUC, everybody, by day 90", auc) in found


def test_the_card_of_an_artifact_holds(small_artifact: Path) -> None:
    assert check_card(small_artifact) == []


def test_a_changed_metric_breaks_the_card(folder: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["evaluations"][EVERYBODY]["horizons"]["90"]["auc"]["value"] = 0.99

    _rewritten(folder / EVALUATION, better)
    wrong = check_card(folder)
    assert wrong[0] == f"{EVALUATION}: not the file the card was written from"
    assert any("AUC, everybody, by day 90" in one and "0.99" in one for one in wrong)
    assert "card.md: not what card.json and the evidence say" in check_card_after_new_digest(folder)


def check_card_after_new_digest(folder: Path) -> list[str]:
    """The same, by somebody who also wrote card.json anew."""
    (folder / "card.json").write_bytes(card_files(read_evidence(folder))["card.json"])
    return check_card(folder)


def test_a_changed_number_in_the_card_is_found(folder: Path) -> None:
    def younger(document: dict[str, Any]) -> None:
        document["tripod_ai"]["tripod_10"]["facts"][0]["value"] = 10_000

    _rewritten(folder / "card.json", younger)
    assert [one for one in check_card(folder) if "the card says 10000" in one]


def test_a_file_that_is_gone_and_an_item_that_is_gone_are_found(folder: Path) -> None:
    (folder / LEARNER).unlink()
    _rewritten(folder / "card.json", lambda document: document["source_attributes"].pop("updates"))
    wrong = check_card(folder)
    assert f"{LEARNER}: the card was written from it and it is not there" in wrong
    assert any("source_attributes has no updates" in one for one in wrong)
    (folder / "card.json").unlink()
    assert check_card(folder) == ["card.json: it is not there"]


def test_a_changed_page_is_found(folder: Path) -> None:
    (folder / "card.md").write_text((folder / "card.md").read_text().replace("AUC", "AUC*", 1))
    assert check_card(folder) == ["card.md: not what card.json and the evidence say"]


def test_the_performance_on_the_page_is_that_of_the_validation(page: str, small_validation: Validation) -> None:
    found = small_validation.evaluations[EVERYBODY].horizons[90.0]
    for one in (found.auc, found.calibration.slope):
        assert f"| {one.value:.3f} ({one.low:.3f} to {one.high:.3f}) |" in page


def test_a_number_that_cannot_be_had_is_replaced_by_the_reason(small_evidence: Evidence) -> None:
    broken = json.loads(json.dumps(small_evidence))
    broken[EVALUATION]["over_albumin_alone"] = {
        EVERYBODY: {"90": {"value": None, "low": None, "high": None, "why": "the same risk was stated for everybody"}}
    }
    broken[EVALUATION]["evaluations"][EVERYBODY]["comparators"] = []  # where they are told, albumin is among them
    assert "| 90 | the same risk was stated for everybody |" in card_files(broken)["card.md"].decode()
    broken[EVALUATION]["over_albumin_alone"] = {}
    assert "albumin was not measured in enough of them" in card_files(broken)["card.md"].decode()


def test_every_learner_stands_with_its_ipa_and_the_saved_one_is_marked(page: str, small_fit: Fit) -> None:
    for name, value in small_fit.learner_ipa.items():
        words = f"{name} (saved)" if name == small_fit.learner else name
        assert f"| {words} | {value:.3f} |" in page
    assert "1 x 5 folds by patient, seed 1" in page
    assert "4 refits" in page


def test_every_feature_has_its_direction_and_its_missing_values(page: str, small_evidence: Evidence, small_fit: Fit) -> None:
    told = {one["name"]: one for one in small_evidence[LEARNER]["features"]}
    assert set(told) == set(small_fit.model.design.features)
    assert "| albumin | nutrition and organ function | g/L | never raises the risk |" in page
    assert "| neutrophil-to-lymphocyte ratio | lymphocytes and inflammation |  | never lowers the risk |" in page
    column = [column.feature for column in small_fit.model.design.columns].index("ln_crp")
    assert told["ln_crp"]["estimated"] == int(small_fit.matrix.to_estimate[:, column].sum())
    sizes = [one["mean_absolute_term"]["log_odds"] for one in small_evidence[LEARNER]["features"]]
    assert sizes == sorted(sizes, reverse=True)


def test_features_left_out_are_named_with_the_reason(page: str, small_fit: Fit) -> None:
    assert small_fit.choice.left_out
    assert all(name in page and reason in page for name, reason in small_fit.choice.left_out.items())


def test_every_horizon_stands_with_what_may_be_believed_of_it(page: str, small_evidence: Evidence, small_fit: Fit) -> None:
    told, served = small_evidence[COHORT]["follow_up"]["horizons"], small_evidence[LEARNER]["served"]
    for day, one in small_fit.standings.items():
        assert f"| {day:g} | {one.level} |" in page
        assert told[f"{day:g}"]["died_share"] == pytest.approx(1 - small_fit_alive(small_fit, day), abs=0.005)
    assert served["90"]["calibration_map"]["slope"] == small_fit.model.calibration.slope[2]


def small_fit_alive(fit: Fit, day: float) -> float:
    """The Kaplan-Meier share alive that the model itself holds."""
    return 1 - next(one.died_share for one in fit.model.horizons if one.days == day)


def test_a_refused_horizon_says_why(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    why = "7 deaths by day 730: at least 20 are needed"
    refused = replace(small_fit.standings[30.0], horizon=730.0, level="not evaluable", deaths=7, why=why)
    fit = replace(small_fit, standings={**small_fit.standings, 730.0: refused})
    page = card_files(evidence_of(small_cohort, fit, small_validation.as_json()))["card.md"].decode()
    row = next(line for line in page.splitlines() if line.startswith("| 730 |"))
    assert "| not evaluable | <10 |" in row
    assert "fewer than 10 deaths by day 730" in row


def test_accepted_suspicions_and_warnings_are_kept(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    cohort = replace(small_cohort, accepted=("checked by the laboratory: NLR is 6.2 in everybody",), warnings=("a warning",))
    page = card_files(evidence_of(cohort, small_fit, small_validation.as_json()))["card.md"].decode()
    assert "- checked by the laboratory: NLR is 6.2 in everybody" in page
    assert "- a warning" in page


def test_nothing_counts_out_fewer_than_ten(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    flow = (
        Step("rows read", 0, {"n": 498.0, "share_women": 0.4879}),
        Step("under 18", 3, {"n": 495.0, "share_women": 0.4867}),
        Step("no follow-up", 12, {"n": 483.0}),
    )
    warnings = ("tumour sarcoma: 4 deaths, fewer than 20", "sex is unknown for 6 of 483 patients")
    cohort = replace(small_cohort, flow=flow, warnings=warnings)
    evidence = evidence_of(cohort, small_fit, small_validation.as_json())
    page, told = card_files(evidence)["card.md"].decode(), evidence[COHORT]
    assert [(step["left"], step["remaining"]) for step in told["flow"]] == [(0, "about 500"), ("<10", "about 500"), (12, 483)]
    assert told["warnings"] == [
        "tumour sarcoma: fewer than 10 deaths, fewer than 20",
        "sex is unknown for fewer than 10 of 483 patients",
    ]
    assert "498" not in page
    assert "| under 18 | <10 |" in page


def test_every_count_that_is_written_is_ten_or_more_or_none(small_evidence: Evidence) -> None:
    counted = {"patients", "deaths", "survivors", "censored_before", "left", "remaining", "estimated", "not_applicable", "n"}
    counted |= {"died", "alive", "measured", "missing"}
    found = list(_numbers(small_evidence, counted))
    assert len(found) > 100
    assert [one for one in found if isinstance(one, int) and 0 < one < 10] == []


def _numbers(card: object, names: set[str]) -> Any:
    if isinstance(card, dict):
        for name, value in card.items():
            if name in names:
                yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, int | str))
            yield from _numbers(value, names)
    elif isinstance(card, list):
        for value in card:
            yield from _numbers(value, names)


def test_no_patient_is_named(small_evidence: Evidence, page: str, small_cohort: Cohort) -> None:
    text = "".join(content.decode() for content in evidence_files(small_evidence).values()) + page
    assert not any(re.search(rf"\b{re.escape(patient.id)}\b", text) for patient in small_cohort.patients[:50])


def test_a_bar_in_a_cell_does_not_break_the_table(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    cohort = replace(small_cohort, flow=(*small_cohort.flow, Step("ward A | ward B", 20, {"n": 471.0})))
    page = card_files(evidence_of(cohort, small_fit, small_validation.as_json()))["card.md"].decode()
    assert "| ward A \\| ward B | 20 | 471 |" in page


def test_deaths_behind_a_tumour_are_masked(small_evidence: Evidence, small_fit: Fit) -> None:
    population: Population = small_fit.model.population
    told = small_evidence[COHORT]["deaths_by_tumour"]
    for name, deaths in population.deaths_by_tumour.items():
        if 0 < deaths < 10:
            assert "<10" in told.values(), name
    assert all(not isinstance(shown, int) or shown >= 10 or shown == 0 for shown in told.values())
