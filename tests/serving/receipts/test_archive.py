"""The receipts of a period are found without looking at all of them, and are those of that period and no others."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.receipts.archive import Archive
from serving.receipts.keys import ReceiptKeys
from serving.receipts.models_kept import KeptModels
from serving.receipts.record import ACCESS, SCORE, Draft, Record
from serving.receipts.store import NoStore
from serving.receipts.writer import Writer

FIRST = date(2026, 1, 1)


class Days:
    """A store whose records were written on these days; it counts how many are looked at."""

    def __init__(self, days: list[int]):
        self.times = [f"{FIRST + timedelta(day)}T12:00:00.000000Z" for day in days]
        self.looked_at = 0

    def record(self, sequence: int) -> Record | None:
        self.looked_at += 1
        if not 1 <= sequence <= len(self.times):
            return None
        return Record(sequence, self.times[sequence - 1], SCORE, "", "", b"", 0, "", "", "")

    def last(self) -> Record | None:
        return self.record(len(self.times))


def archive_of(store: object) -> Archive:
    return Archive(store, None, None)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 20), max_size=60).map(sorted), st.integers(-1, 22))
def test_the_first_record_of_a_day_is_the_first_that_is_not_before_it(days: list[int], asked: int) -> None:
    expected = next((place for place, day in enumerate(days, 1) if day >= asked), len(days) + 1)
    assert archive_of(Days(days)).first_of(FIRST + timedelta(asked)) == expected
    assert archive_of(Days(days)).first_after(FIRST + timedelta(asked - 1)) == expected


def test_after_the_last_day_of_the_calendar_there_is_no_record() -> None:
    assert archive_of(Days([1, 2])).first_after(date.max) == 3


def test_a_day_among_a_million_records_is_found_with_a_few_looks() -> None:
    store = Days(sorted(number // 50 % 365 for number in range(100_000)))
    archive_of(store).first_of(FIRST + timedelta(100))
    assert store.looked_at <= 20


def test_scores_are_those_of_the_period_and_no_events(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record([Draft(SCORE, "p", b"x"), Draft(ACCESS, "", b"{}"), Draft(SCORE, "q", b"x")])
    archive = Archive.open(folder, keys)
    today = date.fromisoformat(archive.store.record(1).time[:10])
    day = timedelta(1)
    for since, until, found in [
        (None, None, [1, 3]),
        (today, today, [1, 3]),
        (today + day, None, []),
        (None, today - day, []),
        (today - day, today + day, [1, 3]),
        (today + day, today - day, []),
    ]:
        assert [one.record.sequence for one in archive.scores(since, until)] == found
    assert [one.record.sequence for one in archive.of_patient("q")] == [3]


def test_where_there_are_no_receipts_there_is_no_archive(tmp_path: Path, keys: ReceiptKeys) -> None:
    with pytest.raises(NoStore, match="there are no receipts in"):
        Archive.open(tmp_path, keys)


def test_secrets_are_not_shown_with_it(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    archive = Archive.open(folder, keys)
    assert isinstance(archive.models, KeptModels)
    assert "ReceiptKeys" not in repr(archive)
    assert "KeptModels" not in repr(archive)
