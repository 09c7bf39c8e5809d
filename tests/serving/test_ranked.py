"""A percentage is told where it is known to hold, and a rank elsewhere; both are in the answer, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from models.artifact import Artifact
from models.calibration_at_site import CalibrationAtSite, ObservedExpected
from models.patient import GivenMeasurement, Patient, assemble
from models.risk import RiskModel
from serving.answer import Answer
from serving.score import score

HOLDS, FAILS = (1.02, 0.9, 1.15), (1.3, 1.1, 1.5)


def somebody(**changes: Any) -> Patient:
    labs = (("alc", 0.8, "10*9/L"), ("anc", 4.0, "10*9/L"), ("albumin", 36.0, "g/L"))
    measured = [GivenMeasurement(name, value, unit, 3.0) for name, value, unit in labs]
    usual = {"id": "", "age_years": 61, "sex": "female", "tumour": "pancreatic", "measurements": measured}
    return assemble(**usual | {"history": {"prior_lines": 2}} | changes)


def known(kind: str, **by_day: tuple[float, float, float]) -> CalibrationAtSite:
    found = tuple(ObservedExpected(int(day[1:]), *interval) for day, interval in by_day.items())
    return CalibrationAtSite(kind, "Northern", f"{date(2026, 5, 1)}T00:00:00Z", 7, 240, found)  # type: ignore[arg-type]


def answer(artifact: Artifact, patient: Patient) -> dict[str, Any]:
    (found,) = score(artifact, [patient], "Northern")
    assert isinstance(found, Answer)
    return found.as_json()


def test_where_nothing_is_known_of_the_site_every_horizon_is_a_rank(loaded: Artifact) -> None:
    found = answer(loaded, somebody())
    assert set(found["shown_as"].values()) == {"rank"}
    assert found["why_rank"] == ["percentages are not known to hold at this site (Northern)"]
    rank = found["risks"]["90"]["rank"]
    said = f"Rank within 90 days: above about {round(100 * rank)} of 100 patients of the development cohort; a rank, since"
    assert 0 < rank < 1
    assert said in found["text"]


def test_a_percentage_is_told_at_the_horizons_whose_interval_was_within_the_limits(loaded: Artifact) -> None:
    artifact = replace(loaded, at_site=known("evaluated", d90=HOLDS, d180=FAILS))
    found = answer(artifact, somebody())
    assert found["shown_as"] == {"30": "rank", "90": "share", "180": "rank", "365": "rank"}
    assert found["why_rank"] == ["percentages within 30, 180, 365 days are not known to hold at this site (Northern)"]
    assert "Rank within" not in found["text"]


def test_a_model_recalibrated_for_the_site_tells_percentages(loaded: Artifact) -> None:
    found = answer(replace(loaded, at_site=known("recalibrated")), somebody())
    assert (set(found["shown_as"].values()), found["why_rank"]) == ({"share"}, [])


@pytest.mark.parametrize("changes", [{"tumour": "breast"}, {"history": {"prior_lines": 0}}])
def test_outside_the_development_population_no_percentage_is_told_wherever_it_is(
    loaded: Artifact, changes: dict[str, Any]
) -> None:
    found = answer(replace(loaded, at_site=known("recalibrated")), somebody(**changes))
    assert set(found["shown_as"].values()) == {"rank"}
    assert found["why_rank"][0].startswith("outside the development population: ")


def test_a_model_that_keeps_no_ranks_says_none(make_model: Callable[..., RiskModel]) -> None:
    found = answer(Artifact(make_model(ranks=None), "d" * 64, {}), somebody())
    assert {one["rank"] for one in found["risks"].values()} == {None}
    assert "Rank within" not in found["text"]
