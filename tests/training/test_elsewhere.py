"""A saved model's report on other cohorts says how it does there, before and after recalibration, and counts out nobody."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from models.example import EXAMPLE
from training.telling.elsewhere import elsewhere_html

ESTIMATE = {"value": 0.71, "low": 0.61, "high": 0.81}
CALIBRATION = dict.fromkeys(("intercept", "slope", "observed_expected", "ici", "e50", "e90"), ESTIMATE)
CURVE = [{"stated": 0.1, "observed": 0.12, "low": 0.05, "high": 0.2}, {"stated": 0.6, "observed": 0.5, "low": 0.4, "high": 0.6}]
AT = {"deaths": 41, "survivors": 160, "censored_before": 3, "min_g": 0.987, "auc": ESTIMATE, "ipa": ESTIMATE, "brier": ESTIMATE}
COMPARED = {"auc": ESTIMATE, "difference": {"auc": {"value": 0.03, "low": 0.01, "high": 0.05}, "ipa": ESTIMATE}}
SIMPLE = {"name": "albumin_alone", "label": "albumin alone", "kind": "simple", "available": True, "why": "", "n": 190}


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
    return Text(elsewhere_html("first", "ab" * 32, [_judged(), _judged() | {"cohort": "second"}]))


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
    said = [word for word in Text(elsewhere_html("first", "", [_judged() | {"example": EXAMPLE}])).said if word]
    assert EXAMPLE in said[:6]


def test_the_page_has_no_path_of_this_computer() -> None:
    assert str(Path.cwd()) not in elsewhere_html("first", "ab", [_judged()])
