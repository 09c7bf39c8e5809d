"""Whatever a cohort holds, the analysis is whole: every question is answered or refused, and nothing small is told."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.cohort import Cohort, Step
from training.refused import NotSupported
from training.rescue.analysed import Analysed, analyse
from training.rescue.document import document
from training.rescue.drawn import drawn
from training.rescue.page import report
from training.rescue.person import ADJUSTED, Person
from training.rescue.population import Lymphopenic
from training.rescue.said import text
from training.rescue.table import table_csv
from training.rescue.tracked import numbers
from training.statistics.censoring import FollowUp


def people(seed: int, n: int, dying: float, recovering: float, late: bool) -> tuple[Person, ...]:
    """Patients with draws at random, of whom such a share dies and such a share of counts is high; `late`: some enter late."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        days = float(np.ceil(rng.exponential(150))) + 1
        drawn_on = sorted(set(rng.integers(1, int(days) + 1, rng.integers(0, 8)).tolist()))
        made.append(
            Person(
                days=days,
                died=bool(rng.random() < dying),
                alc=float(rng.uniform(0.1, 0.99)),
                entered=float(rng.integers(0, int(days))) if late and rng.random() < 0.5 else 0.0,
                counts=tuple((float(day), 1.3 if rng.random() < recovering else 0.6) for day in drawn_on),
                nlr=tuple((float(day), float(rng.uniform(0.3, 1.5))) for day in drawn_on),
                comparable=frozenset({"nlr"}),
                covariates={name: np.nan if rng.random() < 0.2 else float(rng.standard_normal()) for name in ADJUSTED},
                tumour=str(rng.choice(["pancreatic", "renal"])),
                line=int(rng.integers(2, 9)),
                steroids=[None, True, False][rng.integers(3)],
            )
        )
    return tuple(made)


def low(made: tuple[Person, ...]) -> Lymphopenic:
    steps = tuple(Step(reason, 0, {"n": float(len(made))}) for reason in ("rows read", "nobody"))
    draws = tuple(one.counts for one in made)
    return Lymphopenic(1.0, made, steps, tuple(one.alc for one in made), draws, {1.0: len(made)}, {0: 0, 1: len(made)})


def told(found: Analysed, of: Lymphopenic) -> dict[str, Any]:
    cohort = Cohort("c", "", "d" * 64, (), FollowUp(np.array([1.0]), np.array([True])), (), of.flow[:1])
    return document(cohort, of, found, everybody=True)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 2, 11, 60, 150]),
    st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
)
def test_every_question_is_answered_or_refused(seed: int, n: int, dying: float, recovering: float, late: bool) -> None:
    of = low(people(seed, n, dying, recovering, late))
    found = told(analyse(of, horizon=300.0), of)
    json.dumps(found, allow_nan=False)
    for made in (report(found, {}), table_csv(found), text(found)):
        assert re.search(r"\bnan\b", made) is None
    assert all(np.isfinite(one.value) for one in numbers(found))


def test_everything_that_is_drawn_is_drawn_of_a_cohort_that_answers() -> None:
    of = low(people(4, 300, 0.8, 0.5, False))
    found = analyse(of, horizon=300.0)
    assert {name for name, _ in drawn(found, told(found, of))} >= {"incidence", "ratios", "naive", "landmark-56"}


def test_the_same_patients_give_the_same_numbers_whatever_their_order() -> None:
    made = people(9, 120, 0.8, 0.5, False)
    there, back = (analyse(low(each), horizon=300.0).rescue.adjusted.as_json() for each in (made, made[::-1]))
    for name in ("value", "low", "high"):
        assert there[name] == pytest.approx(back[name])


def test_every_step_is_shown_to_whoever_waits() -> None:
    shown: list[tuple[str, int, int]] = []

    def watch(doing: str, done: int, total: int) -> None:
        shown.append((doing, done, total))

    analyse(low(people(2, 30, 0.8, 0.5, False)), landmarks=[28.0], advance=watch)
    assert [done for _, done, _ in shown] == list(range(shown[0][2] + 1))


@pytest.mark.parametrize("landmarks", [[], [0.0], [365.0], [28.0, 28.0]])
def test_landmarks_that_cannot_be_are_refused(landmarks: list[float]) -> None:
    with pytest.raises(NotSupported, match=r"allowed are days above 0 and before the horizon, day 365, each once"):
        analyse(low(people(1, 5, 0.5, 0.5, False)), landmarks=landmarks)
