"""The test cohort of the gate: nobody in it was learned from, the model is good there, and better than the champion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import artifact
from models.artifact import Artifact
from training.cohort import Cohort, followed, read_cohort
from training.comparing.simple_file import read_simple
from training.gate.held_out import HeldOut, held_out_verdicts, learned_from, needed, over_champion, strangers
from training.study.criteria import Criteria


@pytest.fixture(scope="module")
def ours(trained_there: Path) -> Artifact:
    return artifact.load(trained_there)


@pytest.fixture(scope="module")
def north(hospitals: tuple[Path, Path]) -> Cohort:
    return read_cohort(hospitals[0])


@pytest.fixture(scope="module")
def south(hospitals: tuple[Path, Path]) -> Cohort:
    return read_cohort(hospitals[1])


def given(test: Cohort, development: Cohort | None) -> HeldOut:
    return HeldOut(test, () if development is None else (development,), bootstrap=100, seed=1)


def fails(ours: Artifact, champion: Artifact | None, asked: HeldOut) -> dict[str, str]:
    return {one.criterion: one.why for one in strangers(ours, champion, asked) if not one.holds}


def worse(known: Artifact) -> Artifact:
    """A model that reads next to nothing of its inputs."""
    linear = known.model.linear
    silent = np.where(np.arange(len(linear.first)) < 2, 1.0, 0.0)
    model = replace(known.model, linear=replace(linear, first=linear.first * silent, last=linear.last * silent))
    return replace(known, model=model)


def test_another_hospital_tests_the_model(ours: Artifact, north: Cohort, south: Cohort, trained_there: Path) -> None:
    asked = given(south, north)
    found = {one.criterion: one for one in held_out_verdicts(ours, read_simple(trained_there), ours, asked, Criteria())}
    for name in ("test not simulated", "not the cohort the model learned from", "no patients shared", "AUC", "IPA"):
        assert found[name].holds, found[name]
    assert found["AUC gained over the champion"].found == "+0.000 (+0.000 to +0.000)"  # it is the champion
    assert {"diagnosis", "calibration: slope", "AUC gained over albumin alone", "strata"} <= set(found)
    assert found["AUC"].where.startswith("on south")


def test_the_cohort_it_learned_from_tests_nothing(ours: Artifact, north: Cohort) -> None:
    learned = {f"not the cohort the {whose} learned from" for whose in ("model", "champion")}
    assert set(fails(ours, ours, given(north, north))) == {*learned, "no patients shared"}


def test_a_few_patients_of_the_development_cohort_are_found_in_the_test(ours: Artifact, north: Cohort, south: Cohort) -> None:
    """Under their names, and under others."""
    few = north.patients[:30]
    for shared in (few, tuple(replace(one, id=f"X{place}") for place, one in enumerate(few))):
        mixed = replace(south, patients=(*shared, *south.patients[30:]))
        assert "no patients shared" in fails(ours, None, given(mixed, north))


def test_without_the_development_cohort_nobody_can_look_for_its_patients(ours: Artifact, south: Cohort) -> None:
    assert "--development" in fails(ours, None, given(south, None))["no patients shared"]


def test_another_cohort_does_not_pass_for_the_development_cohort(ours: Artifact, north: Cohort, south: Cohort) -> None:
    changed = replace(north, digest="0" * 64)
    assert "unchanged (--development)" in fails(ours, None, given(south, changed))["no patients shared"]


def test_simulated_patients_test_nothing(ours: Artifact, north: Cohort, south: Cohort) -> None:
    assert "test not simulated" in fails(ours, None, given(replace(south, source=" Simulated"), north))


def test_a_model_that_ranks_worse_than_the_champion_fails(ours: Artifact, north: Cohort, south: Cohort) -> None:
    verdict = over_champion(worse(ours), ours, given(south, north), Criteria())
    assert not verdict.holds
    assert verdict.found.startswith("-0.")
    assert over_champion(ours, worse(ours), given(south, north), Criteria()).holds


def test_a_champion_that_does_not_serve_the_horizon_cannot_be_compared(ours: Artifact, north: Cohort, south: Cohort) -> None:
    verdict = over_champion(ours, ours, given(south, north), Criteria(primary_day=91.0))
    assert (verdict.holds, "does not serve day 91" in verdict.why) == (False, True)


@pytest.mark.parametrize(("champion", "test", "asked", "holds"), [
    (False, False, False, True),
    (True, False, False, False),
    (False, False, True, False),
    (True, True, False, True),
    (False, True, True, True),
])  # fmt: skip
def test_a_test_cohort_is_owed_to_a_champion_or_to_a_study_that_asked(
    ours: Artifact, south: Cohort, champion: bool, test: bool, asked: bool, holds: bool
) -> None:
    assert needed(ours, ours if champion else None, given(south, None) if test else None, asked).holds is holds


def recalibrated(known: Artifact) -> Artifact:
    """The model as a child that learned once more, from the patients of a site."""
    facts = {**known.model.facts, "recalibration": {"site": "west"}, "cohort_digest": known.provenance["cohort_digest"]}
    return replace(known, model=replace(known.model, facts=facts), provenance={"cohort_digest": "5" * 64})


def test_a_recalibrated_model_owes_a_test_of_its_own(ours: Artifact, south: Cohort) -> None:
    """The cross-validation in its folder judged its parent."""
    verdict = needed(recalibrated(ours), None, None, False)
    assert (verdict.holds, "what cross-validation found is its parent's" in verdict.why) == (False, True)
    assert needed(recalibrated(ours), None, given(south, None), False).holds


def test_a_recalibrated_model_has_learned_from_two_cohorts(ours: Artifact, north: Cohort, south: Cohort) -> None:
    child, west = recalibrated(ours), replace(south, digest="5" * 64, name="west")
    assert learned_from(child) == {north.digest, west.digest}
    assert "not the cohort the model learned from" in fails(child, None, given(west, north))
    assert "no patients shared" in fails(child, None, given(south, north))  # west was not searched
    few = replace(south, patients=north.patients[:200], follow_up=followed(north.follow_up, np.arange(200)), digest="5" * 64)
    assert fails(child, None, HeldOut(south, (north, few), bootstrap=100)) == {}
