"""The pictures show the run's own numbers, say when patients are simulated, and leave nothing behind in the process."""

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from models.example import EXAMPLE
from models.risk import sigmoid
from training.cohort import Cohort
from training.fit import Fit
from training.statistics.censoring import FollowUp, survival
from training.statistics.standing import standing
from training.telling.attribution import Attribution, attribution
from training.telling.drawn_attribution import (
    MOST_PATIENTS,
    draw_features,
    draw_groups,
    draw_horizons,
    draw_one_patient,
    draw_swarm,
)
from training.telling.drawn_survival import draw_calibration, draw_survival
from training.telling.pictures import draw_pictures
from training.telling.risk_groups import risk_groups
from training.telling.sheet import sheet
from training.validate import EVERYBODY, TREATED, Validation

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def of(small_fit: Fit) -> Attribution:
    return attribution(small_fit)


def _words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_every_picture_is_drawn_and_nothing_is_left_in_pyplot(
    tmp_path: Path, small_cohort: Cohort, small_fit: Fit, small_validation: Validation
) -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # the legacy generator's tuple
    paths = draw_pictures(small_cohort, small_fit, small_validation, tmp_path / "pictures")
    assert [path.name for path in paths] == [
        "survival.png",
        "calibration-everybody.png",
        "shap-swarm.png",
        "shap-features.png",
        "shap-groups.png",
        "shap-horizons.png",
        "shap-one-patient.png",
    ]
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    assert plt.get_fignums() == []
    assert np.random.get_state()[1].tolist() == before, "shap's jitter is not taken from somebody else's numbers"  # type: ignore[index]


def test_a_picture_says_nothing_of_when_or_where_it_was_drawn(
    tmp_path: Path, small_cohort: Cohort, small_fit: Fit, small_validation: Validation
) -> None:
    again = [draw_pictures(small_cohort, small_fit, small_validation, tmp_path / name) for name in ("a", "b")]
    for first, second in zip(*again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
        assert b"Software" not in first.read_bytes()


def test_no_single_patient_of_a_real_cohort_is_drawn_and_the_treated_have_their_own_calibration(
    tmp_path: Path, small_cohort: Cohort, small_fit: Fit, small_validation: Validation
) -> None:
    both = replace(small_validation, evaluations=dict.fromkeys((TREATED, EVERYBODY), small_validation.evaluations[EVERYBODY]))
    names = [path.stem for path in draw_pictures(replace(small_cohort, source="a hospital"), small_fit, both, tmp_path)]
    assert "shap-one-patient" not in names
    assert names[1:3] == ["calibration-previously-treated", "calibration-everybody"]


def test_a_sheet_says_first_that_patients_are_simulated() -> None:
    assert sheet("title", "words", example=EXAMPLE).texts[0].get_text() == EXAMPLE
    assert _words(sheet("title", "words", example="")) == "title words"


def test_every_drawing_carries_the_words_of_simulated_patients(of: Attribution, small_fit: Fit, small_cohort: Cohort) -> None:
    drawings = [draw(of, example=EXAMPLE) for draw in (draw_features, draw_groups, draw_horizons, draw_one_patient)]
    drawings += [draw_swarm(of, seed=1, example=EXAMPLE)]
    drawings += [draw_survival(small_cohort.follow_up, small_fit.standings, example=EXAMPLE)]
    assert all(_words(figure).startswith(EXAMPLE) for figure in drawings)


def test_the_swarm_shows_every_term_where_it_is(of: Attribution) -> None:
    axes = draw_swarm(of, seed=1, example="").axes[0]
    shown = np.concatenate([np.ma.getdata(dots.get_offsets())[:, 0] for dots in axes.collections])
    largest = sorted(of.mean_size().values())[-15:]
    assert len(shown) == 15 * len(of.terms)
    assert np.abs(shown).mean() == pytest.approx(np.mean(largest))


def test_the_swarm_is_a_sample_of_a_large_cohort(of: Attribution) -> None:
    large = replace(of, terms=np.tile(of.terms, (3, 1, 1)), x=np.tile(of.x, (3, 1)))
    dots = draw_swarm(large, seed=1, example="").axes[0].collections
    assert sum(len(np.ma.getdata(each.get_offsets())) for each in dots) == 15 * MOST_PATIENTS


def test_the_bars_are_the_mean_sizes(of: Attribution) -> None:
    bars = draw_features(of, example="").axes[0].patches
    largest = sorted(of.mean_size().values(), reverse=True)[:14]
    assert [bar.get_width() for bar in bars][:14] == pytest.approx(largest)  # type: ignore[attr-defined]  # bars are rectangles
    groups = draw_groups(of, example="").axes[0].patches
    sizes = np.abs(of.by_group()[:, of.primary]).mean(axis=0)
    assert [bar.get_width() for bar in groups] == pytest.approx(sorted(sizes, reverse=True))  # type: ignore[attr-defined]


def test_the_strip_gives_every_group_at_every_horizon(of: Attribution) -> None:
    axes = draw_horizons(of, example="").axes[0]
    sizes = np.abs(of.by_group()).mean(axis=0).T
    assert [text.get_text() for text in axes.texts] == [f"{size:.2f}" for size in sizes.ravel()]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(of.model.design.groups)


def test_one_patient_is_led_from_the_average_to_a_risk_of_his_own(of: Attribution) -> None:
    figure = draw_one_patient(of, example="")
    row = int(np.argmin(np.abs((total := of.terms[:, of.primary].sum(axis=-1)) - np.quantile(total, 0.8))))
    assert f"({sigmoid(np.array([of.base + total[row]]))[0]:.0%})" in _words(figure)
    assert f"a risk of {sigmoid(np.array([of.base]))[0]:.0%}" in _words(figure)


def test_survival_is_drawn_while_ten_are_followed() -> None:
    followed = FollowUp(np.arange(1.0, 101.0), np.tile([True, False], 50))
    figure = draw_survival(followed, {30.0: standing(followed, 30), 365.0: standing(followed, 365)}, example="")
    axes = figure.axes[0]
    days, alive = (np.asarray(axis) for axis in axes.lines[0].get_data())
    assert days.max() == 91.0, "on day 91 ten are still followed"
    assert alive[-1] == survival(followed).at(91.0)
    words = [text.get_text() for text in axes.texts]
    assert words[1].startswith("refused: not ")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0\n100", "30\n70", "365\n0"]


def test_calibration_points_are_the_risk_groups(small_fit: Fit, small_cohort: Cohort) -> None:
    log_odds = small_fit.cross.repeats[0].calibrated["ensemble"]
    figure = draw_calibration(log_odds, small_fit.cross.horizons, small_cohort.follow_up, whom="everybody", example="")
    drawn = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in drawn] == [f"by day {day:g}" for day in small_fit.cross.horizons]
    points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in drawn[2].lines if line.get_marker() == "o"}  # type: ignore[index]
    expected = risk_groups(sigmoid(log_odds[:, 2]), small_cohort.follow_up, 90.0)
    assert points == {(group.stated, group.observed) for group in expected}


def test_calibration_without_a_curve_still_shows_its_points() -> None:
    rng = np.random.default_rng(1)
    followed = FollowUp(np.ceil(rng.exponential(100, 60)), rng.random(60) < 0.6)
    figure = draw_calibration(np.full((60, 1), -1.0), (90.0,), followed, whom="everybody", example="")
    assert sum(line.get_marker() == "o" for line in figure.axes[0].lines) == 3
