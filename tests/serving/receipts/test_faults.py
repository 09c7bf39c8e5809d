"""The exam of faults, scaled down: each kind against the real process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from breakages import NotHere
from faults import FAULTS, STARTS, Endured, Fault, endured, refused_start

# of each way to break one; all of them are in the exam
FEW = (
    "disk full (files may not grow)",
    "read-only (nothing can be written)",
    "database locked",
    "clock set back 1 h",
    "an older copy of the database in its place",
)


def test_the_few_are_of_the_exam() -> None:
    assert set(FEW) < {fault.called for fault in FAULTS}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.called in FEW], ids=lambda fault: fault.called)
def test_no_score_without_its_receipt_whatever_breaks(fault: Fault, tmp_path: Path) -> None:
    try:
        found = endured(fault, tmp_path, lasts=2)
    except NotHere as why:
        pytest.skip(str(why))
    assert (found.amiss, found.back <= 10) == ([], True)


def test_what_is_spoilt_is_refused_at_the_start_and_left_as_it_is(tmp_path: Path) -> None:
    called, spoil = STARTS[0]
    assert (called, refused_start(tmp_path, spoil).amiss) == ("start with the last page of the log spoilt", [])


def test_a_score_while_none_can_be_given_and_a_process_that_dies_are_amiss(tmp_path: Path) -> None:
    @contextmanager
    def nothing(_: object) -> Iterator[None]:
        yield

    found: Endured = endured(Fault("nothing breaks", nothing), tmp_path, lasts=0.3)
    assert len(found.amiss) == 1
    assert found.amiss[0].endswith("scores and 0 refusals while it lasted")
