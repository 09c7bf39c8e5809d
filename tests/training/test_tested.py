"""Who is kept for the end is learned from by nobody, judged on once, and every look is counted."""

from dataclasses import replace

import pytest

from training.cohort import read_cohort
from training.comparing.simple_file import simple_from
from training.comparing.simple_models import SavedSimple
from training.refused import NotSupported
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.study.study import Study
from training.tested import Looks, kept_apart, look_lines
from training.validate import EVERYBODY

pytestmark = pytest.mark.usefixtures("one_thread")
STUDY = Study("a study", "0" * 64)


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """Other patients, 300 of them."""
    return write(simulate(300, 21), tmp_path_factory.mktemp("later"))


@pytest.fixture
def looks():
    """Counts in memory."""
    kept = []

    def record(model, cohort):
        kept.append((model, cohort.digest))
        return len(kept)

    return Looks(lambda digest: sum(cohort == digest for _, cohort in kept), record)


def test_the_chosen_model_is_judged_on_them_and_the_look_is_counted(small_cohort, small_fit, small_validation, later, looks):
    simple = simple_from(small_validation.simple_models)
    apart = kept_apart(replace(STUDY, test=(later,)), small_cohort, None, looks)
    assert [len(one) for one in apart.cohorts] == [300]
    first = apart.judge(small_fit.model, simple, bootstrap=5, seed=1)
    apart.looked_at_by("m" * 64)
    second = apart.judge(small_fit.model, simple, bootstrap=5, seed=1)
    (one,), (again,) = first["cohorts"], second["cohorts"]
    assert (one["look"], again["look"]) == (1, 2)
    assert one["digest"] == read_cohort(later).digest
    assert {**one, "look": 2} == again
    horizon = one["evaluations"][EVERYBODY]["horizons"]["180"]
    assert {"auc", "ipa", "calibration", "net_benefit"} <= horizon.keys()
    comparators = {found["name"] for found in one["evaluations"][EVERYBODY]["comparators"]}
    assert {"albumin_alone", "cox_four"} <= comparators
    text = "\n".join(look_lines(second))
    assert "Test cohort simulated-300-21, look 2 at it" in text
    assert f" {EVERYBODY}, 300 patients" in text


def test_without_a_test_nobody_looks(small_cohort, small_fit, looks):
    for study in (None, STUDY):
        apart = kept_apart(study, small_cohort, None, None)
        assert apart.judge(small_fit.model, SavedSimple(), bootstrap=0, seed=1) is None
        apart.looked_at_by("m" * 64)


def test_who_is_tested_on_is_not_learned_from(small_cohort, small_file, later, looks, tmp_path):
    with pytest.raises(NotSupported, match="test cohort simulated-500-3: it is the development cohort"):
        kept_apart(replace(STUDY, test=(small_file,)), small_cohort, None, looks)
    lines = small_file.with_name("patients.csv").read_text().splitlines()
    (tmp_path / "patients.csv").write_text("\n".join(lines[:200]) + "\n")
    with pytest.raises(NotSupported, match=r"test cohort simulated-500-3: \d+ of \d+ patients have name.*is not learned from"):
        kept_apart(replace(STUDY, test=(later, small_file), test_data=None), small_cohort, tmp_path, looks)


def test_nobody_looks_where_looks_are_not_counted(small_cohort, later):
    with pytest.raises(NotSupported, match="only where looks at it are counted"):
        kept_apart(replace(STUDY, test=(later,)), small_cohort, None, None)
