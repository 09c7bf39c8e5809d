"""The pictures show the run's own numbers, say when patients are simulated, and leave nothing behind in the process."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

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
from training.telling.drawn_calibration import draw_calibration, draw_risks
from training.telling.drawn_decisions import draw_censoring, draw_decisions
from training.telling.drawn_dependence import _between, draw_dependence
from training.telling.drawn_flow import draw_flow
from training.telling.drawn_forest import draw_comparators, draw_strata
from training.telling.drawn_survival import draw_survival
from training.telling.pictures import draw_pictures, drawn_evaluation
from training.telling.sheet import sheet
from training.validate import EVERYBODY, TREATED

Evidence = dict[str, dict[str, Any]]

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def of(small_fit: Fit) -> Attribution:
    return attribution(small_fit)


def _words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


ALWAYS = ["flow", "survival"]
OF_EVERYBODY = ["calibration", "risks", "survival-by-risk", "decision", "comparators", "strata"]
OF_THE_MODEL = ["shap-swarm", "shap-dependence", "shap-features", "shap-groups", "shap-horizons"]


def test_every_picture_is_drawn_and_nothing_is_left_in_pyplot(
    tmp_path: Path, small_cohort: Cohort, small_fit: Fit, small_evidence: Evidence
) -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # the legacy generator's tuple
    paths = draw_pictures(small_cohort, small_fit, small_evidence, tmp_path / "pictures")
    judged = [f"{name}-everybody" for name in OF_EVERYBODY] + ["censoring"]
    assert [path.stem for path in paths] == [*ALWAYS, *judged, *OF_THE_MODEL, "shap-one-patient"]
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    assert plt.get_fignums() == []
    assert np.random.get_state()[1].tolist() == before, "shap's jitter is not taken from somebody else's numbers"  # type: ignore[index]
    again = draw_pictures(small_cohort, small_fit, small_evidence, tmp_path / "again")
    for first, second in zip(paths, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
        assert b"Software" not in first.read_bytes()


def test_no_single_patient_of_a_real_cohort_is_drawn(
    tmp_path: Path, small_cohort: Cohort, small_fit: Fit, small_evidence: Evidence
) -> None:
    paths = draw_pictures(replace(small_cohort, source="a hospital"), small_fit, small_evidence, tmp_path)
    assert "shap-one-patient" not in [path.stem for path in paths]


def test_an_evaluation_without_the_later_parts_draws_what_it_has(small_evidence: Evidence) -> None:
    found = json.loads(json.dumps(small_evidence["evaluation.json"]["evaluations"][EVERYBODY]))
    for part in ("comparators", "strata"):
        found.pop(part, None)
    for one in found["horizons"].values():
        for part in ("net_benefit", "flagging", "naive"):
            one.pop(part, None)
        one["calibration"].pop("curve", None)
    evidence = small_evidence | {"evaluation.json": {"evaluations": {TREATED: found, EVERYBODY: found}}}
    risks = small_evidence["risks.json"]["populations"][EVERYBODY]
    evidence["risks.json"] = {"populations": {TREATED: risks, EVERYBODY: risks}}
    names = [name for name, _ in drawn_evaluation(evidence, "")]
    assert names == [f"{name}-{whom}" for whom in ("previously-treated", "everybody") for name in OF_EVERYBODY[:3]]


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


def _horizons(small_evidence: Evidence) -> tuple[Any, Any]:
    judged = small_evidence["evaluation.json"]["evaluations"][EVERYBODY]["horizons"]
    return judged, small_evidence["risks.json"]["populations"][EVERYBODY]["horizons"]


def test_calibration_points_are_the_risk_groups_and_the_band_is_the_curve(small_evidence: Evidence) -> None:
    judged, risks = _horizons(small_evidence)
    figure = draw_calibration(judged, risks, whom="everybody", example="")
    assert "not seen" not in _words(figure), "of a cohort the model was learned from that would be false"
    drawn = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert [title.split(",")[0] for title in drawn] == [f"by day {day}" for day in judged]
    axes = next(axes for title, axes in drawn.items() if title.startswith("by day 90"))
    points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"}  # type: ignore[index]
    assert points == {(group["stated"], group["observed"]) for group in risks["90"]["groups"]}
    curve = [(point["stated"], point["observed"]) for point in judged["90"]["calibration"]["curve"]]
    assert curve in [list(zip(*line.get_data(), strict=True)) for line in axes.lines]


def test_the_decision_curve_is_the_net_benefit(small_evidence: Evidence) -> None:
    judged, _ = _horizons(small_evidence)
    figure = draw_decisions(judged, whom="everybody", n=480, example="")
    assert "480 patients" in _words(figure)
    assert "worth using" not in _words(figure)
    assert "not intervals of that difference" in _words(figure)
    axes = next(axes for axes in figure.axes if axes.get_title() == "by day 180")
    lines = {str(line.get_label()): line.get_ydata() for line in axes.lines}
    told = judged["180"]["net_benefit"]
    assert list(lines["act for all"]) == pytest.approx([one["treat_all"]["value"] for one in told], nan_ok=True)
    model = [np.nan if one["model"]["value"] is None else one["model"]["value"] for one in told]
    assert list(lines["the model"]) == pytest.approx(model, nan_ok=True)


def test_a_forest_has_a_row_for_each_and_says_which_cannot_be_had() -> None:
    known = {"value": 0.7, "low": 0.6, "high": 0.8}
    none = {"value": None, "low": None, "high": None, "why": "fewer than 10 deaths"}
    strata = [
        {"by": "sex", "level": "female", "n": 80, "auc": known, "observed_expected": known},
        {"by": "sex", "level": "male", "n": "<10", "auc": none, "observed_expected": known},
    ]
    left, right = draw_strata(strata, known, day="90", whom="everybody", example="").axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["sex: female (80)", "sex: male (<10)"]
    assert [text.get_text() for text in left.texts] == ["cannot be had"]
    assert right.get_xlim()[1] > 1.0, "one observed for one expected is in the picture"


def test_a_hidden_count_is_drawn_as_five_and_hatched() -> None:
    histogram = {
        "edges": [0.0, 0.5, 1.0],
        "died": ["<10", 40],
        "alive": [0, "about 20"],
        "censored_before": [0, 0],
    }
    panels = draw_risks(histogram, day="90", whom="everybody", example="").axes
    bars = [(bar.get_height(), bar.get_hatch()) for bar in panels[0].patches]  # type: ignore[attr-defined]  # bars are rectangles
    assert bars == [(5.0, "////"), (40.0, "")]
    assert [bar.get_height() for bar in panels[1].patches] == [0.0, 20.0]  # type: ignore[attr-defined]  # bars are rectangles


def test_the_flow_names_every_exclusion() -> None:
    flow = [
        {"reason": "rows read", "left": 0, "remaining": "about 500"},
        {"reason": "under 18", "left": "<10", "remaining": "about 490"},
    ]
    words = [text.get_text() for text in draw_flow(flow, 488, 301, example="").axes[0].texts]
    assert [word for word in words if word] == [
        "about 500 rows read",
        "<10 left: under 18",
        "about 490 remain",
        "488 patients, of whom 301 died",
    ]


def test_the_arrows_of_the_flow_reach_their_boxes() -> None:
    flow = [{"reason": "read", "left": 0, "remaining": 500}, {"reason": "under 18, " * 6, "left": 20, "remaining": 480}]
    figure = draw_flow(flow, 480, 301, example="")
    figure.savefig(BytesIO())
    arrows = [text.arrow_patch for text in figure.axes[0].texts if isinstance(text, Annotation)]
    boxes = [text.get_bbox_patch() for text in figure.axes[0].texts if text.get_text()]
    assert len(arrows) == len(boxes) - 1
    extents = [box.get_window_extent().padded(3.0) for box in boxes if box is not None]
    met = [sum(box.overlaps(arrow.get_window_extent()) for box in extents) for arrow in arrows if arrow is not None]
    assert met == [2, 1, 2], "from box to box downwards, and from the line to the box of those who left"


def test_marks_of_a_wide_axis_are_few() -> None:
    assert [len(_between(1.0, high)) for high in (8.0, 80.0, 50_000.0)] == [3, 2, 1]


def test_a_forest_says_which_of_its_panels_is_fair() -> None:
    known = {"value": 0.7, "low": 0.6, "high": 0.8}
    one = {"label": "albumin alone", "kind": "simple", "n": 90, "horizons": {"90": {"auc": known, "difference": {"auc": known}}}}
    figure = draw_comparators([one], known, day="90", whom="everybody", example="")
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "AUC by day 90, each in its own patients",
        "AUC gained, on the same patients",
    ]


def test_what_censoring_does_is_drawn_beside_what_is_so(small_evidence: Evidence) -> None:
    judged, _ = _horizons(small_evidence)
    axes = draw_censoring(judged, whom="everybody", example="").axes[0]
    heights = [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]  # bars are rectangles
    told = [judged[day]["naive"][way] for way in ("dropped", "weighted", "called_alive") for day in judged]
    assert heights == pytest.approx(told)


def test_a_dependence_is_drawn_for_the_largest_feature_of_every_group(of: Attribution) -> None:
    panels = [axes for axes in draw_dependence(of, seed=1, example="").axes if axes.axison]
    assert {axes.get_title() for axes in panels} <= set(of.model.design.groups)
    sizes = of.mean_size()
    for axes in panels:
        group = [name for name in sizes if of.model.design.of[name].group == axes.get_title() and name != "tumour"]
        largest = of.model.design.of[max(group, key=lambda name: sizes[name])]
        assert axes.get_xlabel().startswith(largest.label)
