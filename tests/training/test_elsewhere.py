"""A saved model's report on other cohorts says how it does there, before and after recalibration, and counts out nobody."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from models.example import EXAMPLE
from training.diagnosis.learned_from import NO_EVIDENCE, WITHHELD
from training.telling.elsewhere import elsewhere_html

ESTIMATE = {"value": 0.71, "low": 0.61, "high": 0.81}
CALIBRATION = dict.fromkeys(("intercept", "slope", "observed_expected", "ici", "e50", "e90"), ESTIMATE)
CURVE = [{"stated": 0.1, "observed": 0.12, "low": 0.05, "high": 0.2}, {"stated": 0.6, "observed": 0.5, "low": 0.4, "high": 0.6}]
AT = {"deaths": 41, "survivors": 160, "censored_before": 3, "min_g": 0.987, "auc": ESTIMATE, "ipa": ESTIMATE, "brier": ESTIMATE}
COMPARED = {"auc": ESTIMATE, "difference": {"auc": {"value": 0.03, "low": 0.01, "high": 0.05}, "ipa": ESTIMATE}}
SIMPLE = {"name": "albumin_alone", "label": "albumin alone", "kind": "simple", "available": True, "why": "", "n": 190}


def _finding(item: str, verdict: str) -> dict[str, Any]:
    return {"item": item, "domain": "analysis", "question": f"{item}?", "verdict": verdict, "number": 0, "why": f"why {item}"}


def _diagnosis(own: str) -> dict[str, Any]:
    items = {"deaths": "Pass", "patients in both": "Pass", "own cohort": own}
    return {"fails": int(own == "Fail"), "findings": [_finding(item, verdict) for item, verdict in items.items()]}


def _judged() -> dict[str, Any]:
    simple = SIMPLE | {"horizons": {"90": COMPARED}}
    again = {"n": 204, "horizons": {"90": AT | {"calibration": CALIBRATION}}, "comparators": [simple]}
    return {
        "cohort": "a <b>clinic</b>",
        "n": 204,
        "uno_c": None,
        "horizons": {"90": AT | {"calibration": CALIBRATION | {"curve": CURVE}}},
        "refused": {"30": "not evaluable: 7 deaths by day 30: at least 20 are needed"},
        "comparators": [simple],
        "strata": [],
        "diagnosis": _diagnosis("Pass"),
        "look": 3,
        "population": {"inside": 200, "outside": 4},
        "recalibrated": {"intercept": again, "intercept and slope": {"refused": "60 deaths are needed"}},
    }


class Text(HTMLParser):
    """What a reader reads, and how many pictures there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.images = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.images += tag == "img"
        assert tag not in ("b", "script"), "nothing that was told is markup"

    def handle_data(self, data: str) -> None:
        self.said.append(data.strip())


@pytest.fixture(scope="module")
def page() -> Text:
    return Text(elsewhere_html("first", "ab" * 32, [_judged(), _judged() | {"cohort": "second"}], resamples=200))


def test_every_cohort_has_its_sections_and_pictures(page: Text) -> None:
    for cohort in ("a <b>clinic</b>", "second"):
        for title in ("Performance", "Does it beat simpler models?", "After recalibration here"):
            assert f"{cohort}: {title}" in page.said
    assert page.images == 4, "calibration and comparators of each"


def test_it_says_what_recalibration_did_and_where_it_was_refused(page: Text) -> None:
    assert "Recalibrated, intercept; IPA gained over simple models" in page.said
    assert "over albumin alone" in page.said
    assert "Refused: 60 deaths are needed." in page.said


def test_small_groups_are_hidden(page: Text) -> None:
    assert "day 30: not evaluable: fewer than 10 deaths by day 30: at least 20 are needed" in page.said
    assert not any("7 deaths" in said for said in page.said)


def test_simulated_patients_are_said_to_be_so_first() -> None:
    said = [word for word in Text(elsewhere_html("first", "", [_judged() | {"example": EXAMPLE}], resamples=200)).said if word]
    assert EXAMPLE in said[:6]


def test_the_page_has_no_path_of_this_computer() -> None:
    assert str(Path.cwd()) not in elsewhere_html("first", "ab", [_judged()], resamples=200)


def test_the_diagnosis_and_the_look_stand_before_every_figure(page: Text) -> None:
    titles = ["a <b>clinic</b>: May this model be believed?", "a <b>clinic</b>: Does it beat simpler models?"]
    assert page.said.index(titles[0]) < page.said.index(titles[1])
    assert {"why own cohort", "why deaths"} <= set(page.said)
    assert any(said.startswith("Look 3 at this cohort") for said in page.said)
    uncounted = Text(elsewhere_html("first", "ab", [_judged() | {"look": None}], resamples=200))
    assert "This look at the cohort is not counted: there was no ledger." in uncounted.said


def test_on_patients_it_learned_from_nothing_is_called_evidence() -> None:
    own = _judged() | {"diagnosis": _diagnosis("Fail")}
    said = Text(elsewhere_html("first", "ab", [own, _judged() | {"cohort": "second"}], resamples=200)).said
    assert f"a <b>clinic</b>: {NO_EVIDENCE}" in said
    assert said.count(NO_EVIDENCE) >= 4, "performance, calibration, comparators, recalibration"
    assert said.count(WITHHELD) == 1
    verdicts = [one for one in said if one in ("Fail", "Pass")]
    assert verdicts[0] == "Fail"
    assert sum("against albumin alone" in one and one.endswith("better.") for one in said) == 1, "of the second cohort alone"
    assert not any("not seen" in one or "nothing fitted" in one for one in said)


def test_what_is_not_known_of_the_patients_is_said_not_to_be_known() -> None:
    unknown = _diagnosis("Pass")
    unknown["findings"][1]["verdict"] = "Unknown"
    said = Text(elsewhere_html("first", "ab", [_judged() | {"diagnosis": unknown}], resamples=200)).said
    assert "a <b>clinic</b>: whether the model learned from some of these patients is not known." in said


def test_few_resamples_are_said_to_be_few(page: Text) -> None:
    assert not any(said.startswith("Only") for said in page.said)
    few = Text(elsewhere_html("first", "ab", [_judged()], resamples=20)).said
    assert any(said.startswith("Only 20 resamples, and 100 are needed") for said in few)
