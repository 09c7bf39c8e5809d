"""The model card says what the run found, all of it, and counts out nobody."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from models.example import EXAMPLE
from models.population import Population
from training.cohort import Cohort, Step
from training.fit import Fit
from training.statistics.estimates import Estimate
from training.telling.card import card_files
from training.validate import EVERYBODY, TREATED, Validation


@pytest.fixture(scope="module")
def card(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(card_files(small_cohort, small_fit, small_validation)["card.json"])
    return made


@pytest.fixture(scope="module")
def page(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> str:
    return card_files(small_cohort, small_fit, small_validation)["card.md"].decode()


def _page(cohort: Cohort, fit: Fit, validation: Validation) -> str:
    return card_files(cohort, fit, validation)["card.md"].decode()


def _with_treated(validation: Validation) -> Validation:
    """The same numbers once more, as those of the previously treated."""
    populations = (TREATED, EVERYBODY)
    return Validation(
        dict.fromkeys(populations, validation.evaluations[EVERYBODY]),
        dict.fromkeys(populations, validation.fold_means[EVERYBODY]),
        dict.fromkeys(populations, validation.over_albumin[EVERYBODY]),
    )


def test_a_card_of_simulated_patients_begins_with_saying_so(card: dict[str, Any], page: str) -> None:
    assert page.startswith(EXAMPLE)
    assert next(iter(card.items())) == ("example", EXAMPLE)


def test_a_card_of_real_patients_does_not(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    real = replace(small_fit, model=replace(small_fit.model, trained_on="a hospital"))
    files = card_files(small_cohort, real, small_validation)
    assert files["card.md"].startswith(b"# Model card")
    assert "example" not in json.loads(files["card.json"])


def test_the_same_run_gives_the_same_bytes(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    assert card_files(small_cohort, small_fit, small_validation) == card_files(small_cohort, small_fit, small_validation)


@pytest.mark.parametrize(
    "heading",
    [
        "Intended use",
        "Development cohort",
        "What the follow-up can answer",
        "Performance",
        "Learner",
        "Features",
        "Missing values",
        "Limits",
    ],
)
def test_the_page_has_every_part(page: str, heading: str) -> None:
    assert f"\n## {heading}\n" in page


def test_the_limits_are_said_plainly(card: dict[str, Any], page: str) -> None:
    sentence = "No cohort used in developing this product combines ALC, NLR and CA19-9 in previously treated patients"
    assert sentence in page
    assert sentence in card["limits"]


def test_the_performance_is_that_of_the_validation(card: dict[str, Any], page: str, small_validation: Validation) -> None:
    found = small_validation.evaluations[EVERYBODY].horizons[90.0]
    told = card["performance"]["evaluations"][EVERYBODY]["horizons"]["90"]
    for name in ("auc", "ipa", "calibration"):
        assert told[name] == getattr(found, name).as_json()
    auc, slope = found.auc, found.calibration.slope
    assert f"| {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}) |" in page
    assert f"| {slope.value:.3f} ({slope.low:.3f} to {slope.high:.3f}) |" in page
    assert card["performance"]["fold_means"] == {EVERYBODY: dict(small_validation.fold_means[EVERYBODY])}
    assert card["performance"]["resamples"] == 10


def test_the_previously_treated_come_first(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    page = _page(small_cohort, small_fit, _with_treated(small_validation))
    assert 0 < page.index("### Previously treated") < page.index("### Everybody")


def test_the_untreated_are_not_counted_out_by_subtraction(
    small_cohort: Cohort, small_fit: Fit, small_validation: Validation
) -> None:
    everybody = small_validation.evaluations[EVERYBODY]
    at = everybody.horizons[180.0]
    fewer = replace(at.standing, deaths=at.standing.deaths - 8, survivors=at.standing.survivors - 40)
    treated = replace(everybody, n=everybody.n - 48, horizons={180.0: replace(at, standing=fewer)})
    validation = _with_treated(small_validation)
    validation = replace(validation, evaluations={TREATED: treated, EVERYBODY: everybody})
    told = json.loads(card_files(small_cohort, small_fit, validation)["card.json"])["performance"]["evaluations"][TREATED]
    assert told["n"] == everybody.n - 48
    assert told["horizons"]["180"]["deaths"] == f"about {round(fewer.deaths, -1)}"
    assert told["horizons"]["180"]["survivors"] == fewer.survivors


def test_a_number_that_cannot_be_had_is_replaced_by_the_reason(
    small_cohort: Cohort, small_fit: Fit, small_validation: Validation
) -> None:
    gains = {EVERYBODY: {90.0: Estimate(None, None, None, "the same risk was stated for everybody")}}
    page = _page(small_cohort, small_fit, replace(small_validation, over_albumin=gains))
    assert "| 90 | the same risk was stated for everybody |" in page
    page = _page(small_cohort, small_fit, replace(small_validation, over_albumin={EVERYBODY: {}}))
    assert "albumin was not measured in enough of them" in page


def test_every_learner_stands_with_its_ipa_and_the_saved_one_is_marked(page: str, small_fit: Fit) -> None:
    for name, value in small_fit.learner_ipa.items():
        words = f"**{name}** (saved)" if name == small_fit.learner else name
        assert f"| {words} | {value:.3f} |" in page
    assert "1 x 5 folds by patient, seed 1" in page
    assert "4 refits" in page


def test_every_feature_has_its_direction_and_its_missing_values(card: dict[str, Any], page: str, small_fit: Fit) -> None:
    told = {one["name"]: one for one in card["features"]}
    assert set(told) == set(small_fit.model.design.features)
    assert "| albumin | nutrition and organ function | g/L | never raises the risk |" in page
    assert "| neutrophil-to-lymphocyte ratio | lymphocytes and inflammation |  | never lowers the risk |" in page
    column = [column.feature for column in small_fit.model.design.columns].index("ln_crp")
    assert told["ln_crp"]["estimated"] == int(small_fit.matrix.to_estimate[:, column].sum())
    sizes = [one["mean_absolute_term"]["log_odds"] for one in card["features"]]
    assert sizes == sorted(sizes, reverse=True)


def test_features_left_out_are_named_with_the_reason(page: str, small_fit: Fit) -> None:
    assert small_fit.choice.left_out
    assert all(name in page and reason in page for name, reason in small_fit.choice.left_out.items())


def test_every_horizon_stands_with_what_may_be_believed_of_it(card: dict[str, Any], page: str, small_fit: Fit) -> None:
    assert [one["days"] for one in card["horizons"]] == list(small_fit.standings)
    for day, one in small_fit.standings.items():
        assert f"| {day:g} | {one.level} |" in page
    served = card["horizons"][2]
    assert served["died_share"] == small_fit.model.horizons[2].died_share
    assert served["calibration_map"]["slope"] == small_fit.model.calibration.slope[2]


def test_a_refused_horizon_says_why(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    why = "7 deaths by day 730: at least 20 are needed"
    refused = replace(small_fit.standings[30.0], horizon=730.0, level="not evaluable", deaths=7, why=why)
    fit = replace(small_fit, standings={**small_fit.standings, 730.0: refused})
    row = next(line for line in _page(small_cohort, fit, small_validation).splitlines() if line.startswith("| 730 |"))
    assert "| not evaluable | <10 |" in row
    assert "fewer than 10 deaths by day 730" in row


def test_accepted_suspicions_and_warnings_are_kept(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    cohort = replace(small_cohort, accepted=("checked by the laboratory: NLR is 6.2 in everybody",), warnings=("a warning",))
    page = _page(cohort, small_fit, small_validation)
    assert "- checked by the laboratory: NLR is 6.2 in everybody" in page
    assert "- a warning" in page


def test_nothing_counts_out_fewer_than_ten(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    deaths = {"pancreatic": 170, "sarcoma": 4, "renal": 21}
    population = Population(deaths, {"yes": 190, "no": 5})
    flow = (
        Step("rows read", 0, {"n": 498.0, "share_women": 0.4879}),
        Step("under 18", 3, {"n": 495.0, "share_women": 0.4867}),
        Step("no follow-up", 12, {"n": 483.0}),
    )
    few = replace(small_fit.standings[30.0], level="not evaluable", deaths=8, why="8 deaths by day 30: at least 20 are needed")
    warnings = ("tumour sarcoma: 4 deaths, fewer than 20", "sex is unknown for 6 of 483 patients")
    cohort = replace(small_cohort, flow=flow, warnings=warnings)
    fit = replace(small_fit, model=replace(small_fit.model, population=population))
    card, page = (content.decode() for content in card_files(cohort, fit, small_validation).values())
    told = json.loads(card)["cohort"]
    assert told["deaths_by_tumour"] == {"pancreatic": "about 170", "sarcoma": "<10", "renal": 21}
    assert told["deaths_by_prior_line"] == {"yes": "about 190", "no": "<10"}
    assert [(step["left"], step["remaining"]) for step in told["flow"]] == [(0, "about 500"), ("<10", "about 500"), (12, 483)]
    assert told["warnings"] == [
        "tumour sarcoma: fewer than 10 deaths, fewer than 20",
        "sex is unknown for fewer than 10 of 483 patients",
    ]
    assert "498" not in page
    judged = replace(small_validation.evaluations[EVERYBODY], refused={30.0: few})
    page = _page(cohort, fit, replace(small_validation, evaluations={EVERYBODY: judged}))
    assert "- day 30: not evaluable: fewer than 10 deaths by day 30" in page
    assert "| under 18 | <10 |" in page


def test_every_count_in_the_card_is_ten_or_more_or_none(card: dict[str, Any]) -> None:
    counted = {"patients", "deaths", "survivors", "censored_before", "left", "remaining", "estimated", "not_applicable", "n"}
    found = list(_numbers(card, counted))
    assert len(found) > 50
    assert [one for one in found if isinstance(one, int) and 0 < one < 10] == []


def _numbers(card: object, names: set[str]) -> Any:
    if isinstance(card, dict):
        for name, value in card.items():
            if name in names and isinstance(value, int | str):
                yield value
            yield from _numbers(value, names)
    elif isinstance(card, list):
        for value in card:
            yield from _numbers(value, names)


def test_no_patient_is_named(card: dict[str, Any], page: str, small_cohort: Cohort) -> None:
    text = json.dumps(card) + page
    assert not any(re.search(rf"\b{re.escape(patient.id)}\b", text) for patient in small_cohort.patients[:50])


def test_a_bar_in_a_cell_does_not_break_the_table(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> None:
    flow = (*small_cohort.flow, Step("ward A | ward B", 20, {"n": 471.0}))
    page = _page(replace(small_cohort, flow=flow), small_fit, small_validation)
    assert "| ward A \\| ward B | 20 | 471 |" in page
