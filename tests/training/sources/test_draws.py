"""Counts of one day: what SQL lets through, a patient may have; what a patient may not have, SQL holds back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.measurements import GivenMeasurement, read_measurements
from training.sources.database import DuckDb
from training.sources.draws import INCOHERENT, fates, place_all, settle
from training.sources.stages import NO_NUMBER, STAGES

DAY = date(2024, 1, 1)
UNITS = {"alc": "10*9/L", "anc": "10*9/L", "monocytes": "10*9/L", "wbc": "10*9/L", "lymphocyte_pct": "%", "neutrophil_pct": "%"}
COUNT, SHARE = st.integers(1, 900).map(lambda n: n / 100), st.integers(0, 1000).map(lambda n: n / 10)
DRAW = st.fixed_dictionaries({}, optional={name: SHARE if unit == "%" else COUNT for name, unit in UNITS.items()})


@pytest.fixture
def work(tmp_path: Path) -> Iterator[DuckDb]:
    with closing(DuckDb(tmp_path, threads=1, memory="500MB")) as found:
        yield found


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DRAW, min_size=60, max_size=120))
def test_a_draw_is_held_back_exactly_where_a_patient_would_be_refused(work: DuckDb, draws: list[dict[str, float]]) -> None:
    rows = [(str(person), analyte, DAY, "", "", value, "", UNITS[analyte], "", NO_NUMBER, "") for person, draw in enumerate(draws)
            for analyte, value in draw.items()]
    people = [(str(person), date(1960, 1, 1), 1, "female", "", None) for person in range(len(draws))]
    made = "judged placed results daily fated incoherent settled"
    for name in ("persons", "observed", "measured", "chosen", *made.split()):
        work.run(f"DROP TABLE IF EXISTS {name}")
    work.fill("persons", STAGES["persons"], people)
    work.fill("chosen", STAGES["persons"], people)
    work.fill("observed", STAGES["observed"], [])
    work.fill("measured", STAGES["measured"], rows)
    place_all(work, date(2025, 1, 1))
    settle(work)
    held = {int(person) for person, in work.rows(f"SELECT DISTINCT person FROM settled WHERE fate = '{INCOHERENT}'")}
    at_fault = {person for person, draw in enumerate(draws) if _at_fault(draw)}
    assert at_fault <= held
    assert all(_nearly_at_fault(draws[person]) for person in held - at_fault)  # held back where rounding alone decides
    assert sum(n for of_one in fates(work).values() for n in of_one.values()) == len(rows)


def _at_fault(draw: dict[str, float]) -> bool:
    """By the rules of a patient, of those results that may stand alone."""
    def faults(names: list[str]) -> list[object]:
        found: list[object] = []
        read_measurements([GivenMeasurement(name, draw[name], UNITS[name]) for name in names], found)  # type: ignore[arg-type]
        return found

    return bool(faults([name for name in draw if not faults([name])]))


def _nearly_at_fault(draw: dict[str, float]) -> bool:
    """Whether it is at fault, or would be with one value a millionth higher or lower."""
    return any(_at_fault({**draw, name: value + apart}) for name, value in draw.items() for apart in (-1e-6, 1e-6))
