"""Lines of therapy by the written rule: together, after a gap, with a new drug, after progression, and what never begins one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.lines import GAP_DAYS, REGIMEN_DAYS, Dose, lines_of

FIRST = date(2025, 1, 1)


def dose(day: int, agent: str = "gemcitabine", modality: str = "chemotherapy", until: int | None = None) -> Dose:
    return Dose(modality, agent, FIRST + timedelta(day), FIRST + timedelta(day if until is None else until))


@pytest.mark.parametrize(
    ("doses", "lines"),
    [
        ([dose(0), dose(REGIMEN_DAYS, "paclitaxel")], 1),
        ([dose(0), dose(REGIMEN_DAYS + 1, "paclitaxel")], 2),
        ([dose(0), dose(GAP_DAYS)], 1),
        ([dose(0), dose(GAP_DAYS + 1)], 2),
        ([dose(0, until=60), dose(60 + GAP_DAYS)], 1),
        ([dose(0), dose(40, "")], 1),
        ([dose(0), dose(GAP_DAYS + 1, "")], 2),
        ([dose(0), dose(40, "letrozole", "endocrine")], 1),
        ([dose(0, "letrozole", "endocrine"), dose(40, "palbociclib", "targeted")], 2),
        ([dose(0), dose(20, "", "radiotherapy"), dose(30, "dexamethasone", "steroid")], 1),
        ([dose(0, "", "radiotherapy")], 0),
    ],
)
def test_the_rule_worked_by_hand(doses: list[Dose], lines: int) -> None:
    assert len(lines_of(doses)) == lines


def test_what_still_runs_has_no_gap_after_it() -> None:
    running = Dose("targeted", "erlotinib", FIRST, None)
    assert len(lines_of([running, dose(400, "erlotinib", "targeted")])) == 1
    assert len(lines_of([running, dose(400)])) == 2


def test_a_new_drug_after_a_progression_begins_a_line_however_soon() -> None:
    doses = [dose(0), dose(20, "docetaxel")]
    assert len(lines_of(doses, [FIRST + timedelta(10)])) == 2
    assert len(lines_of(doses, [FIRST + timedelta(21)])) == 1
    assert len(lines_of([dose(0), dose(20)], [FIRST + timedelta(10)])) == 1


AGENTS, KINDS = st.sampled_from(["a", "b", "c", ""]), st.sampled_from(["chemotherapy", "endocrine", "targeted"])
DOSES = st.lists(st.builds(dose, st.integers(0, 900), AGENTS, KINDS))


@given(DOSES, st.randoms())
def test_the_order_in_which_doses_are_told_does_not_matter_and_none_is_lost(doses: list[Dose], random: object) -> None:
    lines = lines_of(doses)
    shuffled = list(doses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert lines_of(shuffled) == lines
    assert sorted(one for line in lines for one in line.doses) == sorted(doses)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(one.start <= other.start for one, other in pairwise(lines))
