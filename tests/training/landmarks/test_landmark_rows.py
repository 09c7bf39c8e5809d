"""Who is seen at a landmark, who is gone, and that censoring is weighted within each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.courses import Treatment
from models.features import FEATURES
from models.measurements import Measurement
from models.patient import Patient
from training.histories import Histories, History
from training.landmarks.rows import landmark_rows
from training.learners.refit import _drawn
from training.refused import NotSupported
from training.statistics.censoring import FollowUp, weights
from training.study.landmarks import ON_THERAPY, Landmarks
from training.study.study_file import InvalidStudy, read_study_file


def history(name: str, days: float, died: bool, *, ends: float | None = None, alc: float = 1.0) -> History:
    """A patient with a count on day 0 and every 14 days, on a line from day 0 that ends on day `ends`."""
    last = int(days)
    counts = [
        Measurement(analyte, value, last - day) for day in range(0, last + 1, 14)
        for analyte, value in (("alc", alc), ("anc", 4.0), ("nlr", 4.0 / alc))
    ]
    line = Treatment("chemotherapy", float(last), None if ends is None else last - ends, 2, ("paclitaxel",), "progression")
    whole = Patient(name, 60, "female", "pancreatic", tuple(counts), (line,))
    first = replace(whole, measurements=tuple(m._replace(days_before_index=0.0) for m in counts[:3]), treatments=())
    return History(first, whole, days, died)


@pytest.fixture
def followed(small_cohort: object) -> Callable[..., Histories]:
    def made(*of: History) -> Histories:
        times, deaths = np.array([one.days for one in of]), np.array([one.died for one in of])
        cohort = replace(small_cohort, patients=tuple(one.at_index for one in of), follow_up=FollowUp(times, deaths))  # type: ignore[type-var]
        return Histories(cohort, of, {})

    return made


def test_who_is_alive_and_followed_has_a_row_and_the_others_are_counted(followed: Callable[..., Histories]) -> None:
    histories = followed(
        history("dead early", 20, True), history("dead on the day", 28, True), history("lost early", 10, False),
        history("off therapy", 120, True, ends=0), history("on therapy", 200, False), history("acute", 200, True, alc=0.4),
    )
    rows = landmark_rows(histories, Landmarks(days=(0.0, 29.0)))
    at = rows.at[1]
    assert (at.died, at.censored, at.followed, at.left, at.left_died, at.seen) == (2, 1, 3, 1, 0, 3)
    assert [histories.of[place].at_index.id for place in rows.patient[rows.day == 29]] == ["off therapy", "on therapy", "acute"]
    assert rows.cohort.follow_up.times[rows.day == 29].tolist() == [91, 171, 171]
    assert {patient.landmark for patient in rows.cohort.patients} == {0, 29}


def test_on_therapy_alone_is_a_selection_that_is_counted(followed: Callable[..., Histories]) -> None:
    histories = followed(history("left", 90, True, ends=0), history("stays", 200, False))
    rows = landmark_rows(histories, Landmarks(days=(0.0, 29.0), who=ON_THERAPY))
    assert rows.at[1].unseen == {"off systemic therapy": 1}
    assert rows.at[1].left_died == 1  # on day 90
    assert rows.at[0].left == 0  # on the index date the decision to treat has only been made
    assert [patient.id for patient in rows.cohort.patients] == ["left", "stays", "stays"]


def test_a_landmark_that_nobody_reaches_is_refused(followed: Callable[..., Histories]) -> None:
    with pytest.raises(NotSupported, match="nobody is seen on day 56: 1 had died, 0 were no longer followed"):
        landmark_rows(followed(history("one", 40, True)), Landmarks(days=(0.0, 56.0)))


def test_censoring_is_weighted_within_each_landmark() -> None:
    rng = np.random.default_rng(3)
    times, deaths = rng.integers(1, 300, 200).astype(float), rng.random(200) < 0.6
    strata = np.repeat([0.0, 56.0], 100)
    both = weights(FollowUp(times, deaths, None, strata), [90.0, 180.0])
    for day in (0.0, 56.0):
        own = strata == day
        alone = weights(FollowUp(times[own], deaths[own]), [90.0, 180.0])
        assert np.array_equal(both.weight[own], alone.weight)
        assert np.array_equal(both.dead[own], alone.dead)
    pooled = weights(FollowUp(times, deaths), [90.0, 180.0])
    assert not np.array_equal(pooled.weight, both.weight)


def test_all_rows_of_a_patient_are_drawn_together() -> None:
    of = np.array([0, 0, 1, 2, 2, 2])
    for seed in range(20):
        drawn = _drawn(np.random.default_rng(seed), of)
        assert drawn[0] == drawn[1]
        assert len({drawn[3], drawn[4], drawn[5]}) == 1
        assert drawn[0] + drawn[2] + drawn[3] == 3  # as many patients as there are


STUDY = 'name = "s"\n[landmarks]\n'


def read(folder: Path, text: str) -> Landmarks | None:
    (folder / "s.toml").write_text(STUDY + text)
    return read_study_file(folder / "s.toml").landmarks


def test_landmarks_are_declared_by_days_or_by_an_interval(tmp_path: Path) -> None:
    assert read(tmp_path, "every = 28\nto = 84\ncarried = 30\n") == Landmarks(days=(0, 28, 56, 84), carried=30)
    assert read(tmp_path, "") == Landmarks(days=tuple(range(0, 169, 14)), carried=42)
    assert read(tmp_path, 'days = [0, 30, 90]\nwho = "on therapy"\n') == Landmarks(days=(0, 30, 90), who=ON_THERAPY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("days = [14, 28]", "the first 0"),
        ("days = [0, 28]\nto = 90", "not both"),
        ('who = "on treatment"', "all alive, on therapy"),
        ("carried = 0", "1 or more"),
        ("day = [0, 28]", "one of"),
        ("[search]\ntrials = 3", r"\[landmarks\] without \[search\]"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_its_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidStudy, match=said):
        read(tmp_path, text)


def test_every_feature_of_a_landmark_says_where_it_belongs() -> None:
    assert FEATURES["landmark_days"].group == "time since the index date"
    assert FEATURES["alc_recovered"].sign == -1
