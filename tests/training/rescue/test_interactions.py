"""A ratio for each group by CA19-9 and by line, whether they differ, and groups that are too small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.rescue.covariates import Adjustment
from training.rescue.interactions import NO_BURDEN, Interaction, interactions, whole
from training.rescue.modelled import Compared, HazardRatio
from training.rescue.needed import Refused
from training.rescue.person import Person
from training.rescue.recovery import events
from training.rescue.timed import Timed, timed

N = 1200
NOTHING = Adjustment((), (), np.zeros((N, 0)), np.zeros(N, np.intp), {}, {})


@pytest.fixture(scope="module")
def people() -> list[Person]:
    """Recovery halves the hazard twice over below 1,000 U/mL, and does nothing at or above."""
    rng = np.random.default_rng(12)
    made = []
    for row in range(N):
        on, low_burden = np.ceil(rng.exponential(60)), row % 2 == 0
        before, after = rng.exponential(150), rng.exponential(150 / (0.25 if low_burden else 1.0))
        days = float(np.ceil(before if before <= on else on + after))
        marker = float(rng.uniform(100, 990) if low_burden else rng.uniform(1010, 5000))
        draws = ((on, 1.2), (on + 7, 1.2)) if on + 7 <= days else ()
        line = 2 + row % 3 if row else 6
        made.append(Person(days, True, 0.7, counts=draws, ca19_9_at_index=marker, ca19_9_undetectable=False, line=line))
    return made


@pytest.fixture(scope="module")
def of(people: list[Person]) -> Timed:
    return timed(people, events(1.0)[0])


def by(found: tuple[Interaction, ...], start: str) -> Interaction:
    (one,) = (each for each in found if each.by.startswith(start))
    return one


def test_what_differs_by_ca19_9_is_found_group_by_group(people: list[Person], of: Timed) -> None:
    found = by(interactions(of, people, NOTHING), "CA19-9")
    ratios = {one.level.split()[1]: one.found for one in found.groups}
    below, above = ratios["below"], next(each for name, each in ratios.items() if name != "below")
    assert isinstance(below, HazardRatio)
    assert isinstance(above, HazardRatio)
    assert below.high < 0.5
    assert above.low < 1 < above.high
    assert isinstance(found.differ, Compared)
    assert found.differ.p < 0.001


def test_no_median_is_told_where_nobody_has_a_measure_of_burden(people: list[Person]) -> None:
    without = [replace(one, ca19_9_at_index=None) for one in people]
    found = by(interactions(timed(without, events(1.0)[0]), without, NOTHING), "CA19-9")
    assert found.by == "CA19-9 on the index date (a measure of burden in nobody)"
    assert [one.level for one in found.groups] == [NO_BURDEN]


def test_what_does_not_differ_by_line_is_not_found(people: list[Person], of: Timed) -> None:
    found = by(interactions(of, people, NOTHING), "lines 3 to 6")
    assert {one.level for one in found.groups} == {"line 3 to 6", "another line"}
    assert isinstance(found.differ, Compared)
    assert found.differ.p > 0.05


def test_a_group_that_is_too_small_is_refused_and_the_others_are_not(people: list[Person], of: Timed) -> None:
    found = by(interactions(of, people, NOTHING), "line that begins")
    told = {one.level: one.found for one in found.groups}
    assert isinstance(told["line 6"], Refused)
    assert "at least 10 are needed" in told["line 6"].why
    assert all(isinstance(told[f"line {line}"], HazardRatio) for line in (2, 3, 4))
    assert isinstance(found.differ, Compared)
    assert found.differ.degrees == 2


def test_a_small_group_does_not_come_back_by_subtraction(people: list[Person], of: Timed) -> None:
    told = by(interactions(of, people, NOTHING), "line that begins").as_json()["groups"]
    assert isinstance(told, list)
    sizes = [one["patients"] for one in told]
    assert "<10" in sizes
    assert any(isinstance(size, str) and size.startswith("about") for size in sizes)


def test_undetectable_and_not_measured_are_groups_of_their_own(people: list[Person]) -> None:
    other = [replace(one, ca19_9_at_index=None, ca19_9_undetectable=True if row % 3 else None) for row, one in enumerate(people)]
    found = by(interactions(timed(other, events(1.0)[0]), other, NOTHING), "CA19-9")
    assert {one.level for one in found.groups} == {"CA19-9 undetectable", NO_BURDEN}


def test_one_group_has_nothing_to_differ_from(people: list[Person]) -> None:
    alike = [replace(one, line=4) for one in people]
    found = by(interactions(timed(alike, events(1.0)[0]), alike, NOTHING), "line that begins")
    assert isinstance(found.groups[0].found, HazardRatio)
    assert isinstance(found.differ, Refused)
    assert found.differ.why == "1 groups could be answered: a difference needs two"


def test_nobody_recovered_is_refused() -> None:
    nobody = [Person(50.0, True, 0.7) for _ in range(40)]
    found = whole(timed(nobody, events(1.0)[0]), None)
    assert isinstance(found, Refused)
    assert found.why.startswith("0 patients in whom it happened: at least 10 are needed")
