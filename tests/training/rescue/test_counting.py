"""Follow-up that is cut where something changed loses no day and no death."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.rescue.counting import counting

PERSON = st.tuples(st.integers(0, 20), st.integers(1, 60), st.booleans(), st.one_of(st.none(), st.integers(0, 90)))
people = st.lists(PERSON, min_size=1, max_size=20)


def test_three_patients_worked_by_hand() -> None:
    nan = np.nan
    rows = counting(np.array([0.0, 0, 5]), np.array([10.0, 20, 30]), np.array([True, False, True]), np.array([nan, 8, 30]))
    assert rows.patient.tolist() == [0, 1, 1, 2]
    assert rows.start.tolist() == [0, 0, 8, 5]
    assert rows.stop.tolist() == [10, 8, 20, 30]
    assert rows.event.tolist() == [True, False, False, True]
    assert rows.state.tolist() == [0, 0, 1, 0]  # who dies on the day of the change dies unchanged


@given(people)
def test_no_day_and_no_death_is_lost(given_people: list[tuple[int, int, bool, int | None]]) -> None:
    entries, length, deaths, changes = zip(*given_people, strict=True)
    start, changed = np.array(entries, float), np.array([np.nan if day is None else day for day in changes], float)
    ends = start + np.array(length, float)
    rows = counting(start, ends, np.array(deaths), changed)
    lived = np.bincount(rows.patient, rows.stop - rows.start, len(ends))
    assert lived.tolist() == (ends - start).tolist()
    assert np.bincount(rows.patient, rows.event, len(ends)).tolist() == np.array(deaths, float).tolist()
    assert (rows.start < rows.stop).all()
    after = changed[rows.patient][rows.state == 1]
    assert (rows.start[rows.state == 1] >= after).all()


def test_whoever_leaves_before_entering_is_refused() -> None:
    with pytest.raises(ValueError, match=r"entry of 1 patient.*two columns exchanged"):
        counting(np.array([5.0]), np.array([5.0]), np.array([True]), np.array([np.nan]))
