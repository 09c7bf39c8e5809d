"""What drove the risks: means that add up, intervals by patient, and nobody told apart by subtraction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.receipts.archive import Archive
from serving.receipts.attributions.apart import apart
from serving.receipts.attributions.importance import (
    ABSOLUTE,
    ABSOLUTE_POINTS,
    ESTIMATES,
    LARGEST,
    SIGNED,
    SIGNED_POINTS,
    UNCLEAR,
    importance,
)
from serving.receipts.attributions.question import Period
from serving.receipts.attributions.reading import read
from serving.receipts.attributions.resampling import differences, means
from serving.receipts.attributions.table import Table


@pytest.fixture(scope="module")
def table(two_months: Archive) -> Table:
    return read(two_months, Period(date(2026, 9, 1), date(2026, 10, 31)), 90).table


def doubled(table: Table, row: int, times: int) -> Table:
    """The table with more receipts of one patient, who says the same each time."""
    return table.select(np.sort(np.append(np.arange(len(table)), np.full(times, row))))


def test_the_figures_are_the_means_of_the_answers(table: Table) -> None:
    found = importance(table)
    for one in found.groups:
        place = table.groups.index(one.name)
        term = table.group_term[:, place]
        assert one.figures[ABSOLUTE].value == pytest.approx(np.abs(term).mean(), rel=1e-12)
        assert one.figures[SIGNED].value == pytest.approx(term.mean(), rel=1e-9, abs=1e-15)
        assert one.figures[UNCLEAR].value == pytest.approx(1 - table.distinguishable[:, place].mean())
    sizes = [one.figures[ABSOLUTE].value for one in found.groups]
    assert sizes == sorted(sizes, reverse=True)


def test_mean_changes_sum_to_the_mean_risk_less_the_mean_reference(table: Table) -> None:
    found = importance(table)
    total = sum(one.figures[SIGNED_POINTS].value for one in found.groups)
    assert total == pytest.approx(100 * (found.risk.value - found.reference.value), abs=1e-9)
    assert sum(one.figures[LARGEST].value for one in found.groups) == pytest.approx(1)


def test_terms_of_inputs_sum_to_those_of_their_group(table: Table) -> None:
    found = importance(table)
    inputs = {one.name: one.figures[SIGNED].value for one in found.inputs}
    for group in found.groups[:-1]:
        members = [one.name for one in table.inputs if one.group == group.name]
        if members:
            assert sum(inputs[name] for name in members) == pytest.approx(group.figures[SIGNED].value, abs=1e-6)


def test_intervals_hold_the_mean_and_narrow_with_patients(table: Table) -> None:
    whole, part = importance(table).risk, importance(table.select(np.arange(30))).risk
    assert whole.low < whole.value < whole.high
    assert part.high - part.low > whole.high - whole.low


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 69), st.integers(1, 9))
def test_copies_of_a_patient_change_nothing(table: Table, row: int, times: int) -> None:
    once = table.last_of_each()
    assert importance(doubled(once, row, times).last_of_each()) == importance(once)


def test_receipts_of_one_patient_are_drawn_together() -> None:
    values, alone = np.array([[0.0], [1.0]] * 20), np.arange(40)
    together = np.repeat(np.arange(20), 2)  # each patient has a 0 and a 1: his mean never varies
    (apart_,), (pairs,) = means(values, alone), means(values, together)
    assert (pairs.low, pairs.high) == (0.5, 0.5)
    assert apart_.high - apart_.low > 0.2


def test_the_interval_of_a_mean_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(size=(2000, 1))
    (found,) = means(values, np.arange(2000))
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2000), rel=0.12)


def test_what_is_not_known_is_passed_over_in_a_difference() -> None:
    first, second = np.array([[1.0], [np.nan], [3.0]]), np.array([[10.0], [10.0]])
    (found,) = differences(first, second, np.array([1, 2, 3]), np.array([4, 5]))
    assert found.value == 8.0
    assert found.low >= 7.0
    assert found.high <= 9.0


def test_whoever_was_estimated_is_not_counted_out_where_they_are_few(table: Table) -> None:
    place = [one.name for one in table.inputs].index("ecog")
    states = table.states.copy()
    states[:, place] = 0
    few = states.copy()
    few[:3, place] = table.states[table.states[:, place] > 1, place][0]
    none, three = (importance(replace(table, states=one)).inputs for one in (states, few))
    assert next(one for one in none if one.name == "ecog").figures[ESTIMATES].value == 0
    assert ESTIMATES not in next(one for one in three if one.name == "ecog").figures


def of_sizes(table: Table, *sizes: int) -> Table:
    """So many patients in level a, b, c, ... of "tumour"."""
    stratum = table.stratum.copy()
    rows = np.repeat(np.arange(len(sizes)), sizes)
    part = table.last_of_each().select(np.arange(len(rows)))
    stratum = part.stratum.copy()
    stratum[:, part.strata.index("tumour")] = rows
    return replace(part, stratum=stratum, levels=dict(part.levels) | {"tumour": tuple("abcdef"[: len(sizes)])})


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((40, 30, 20), {"a": 40, "b": 30, "c": 20}),
        ((40, 30, 3), {"a": 40, "together: b, c": 33}),
        ((40, 9, 3), {"a": 40, "together: b, c": 12}),
        ((40, 4, 3), {"together: a, b, c": 47}),
        ((60, 20, 4, 3), {"a": 60, "together: b, c, d": 27}),
        ((9,), {}),
        ((5, 4), {}),
        ((10,), {"a": 10}),
    ],
)
def test_small_levels_are_told_with_the_next_smallest(table: Table, sizes: tuple[int, ...], told: dict[str, int]) -> None:
    assert {one.label: one.found.patients for one in apart(of_sizes(table, *sizes), "tumour")} == told


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_nothing_told_and_nothing_left_by_subtraction_is_of_fewer_than_ten(table: Table, sizes: list[int]) -> None:
    parts = apart(of_sizes(table, *sizes), "tumour")
    told = [one.found.patients for one in parts]
    assert all(size >= 10 for size in told)
    assert sum(told) == sum(sizes) or not told  # all or nobody: there is nothing to subtract


def test_parts_add_up_to_the_whole(table: Table) -> None:
    whole, parts = importance(table), apart(table, "sex")
    for place in range(len(whole.groups)):
        name = whole.groups[place].name
        by_part = [(one.found.receipts, next(g for g in one.found.groups if g.name == name)) for one in parts]
        mean = sum(count * one.figures[ABSOLUTE_POINTS].value for count, one in by_part) / sum(count for count, _ in by_part)
        assert mean == pytest.approx(whole.groups[place].figures[ABSOLUTE_POINTS].value, rel=1e-9, abs=1e-12)
