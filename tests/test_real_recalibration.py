"""A model of patients on checkpoint inhibitors meets two other hospitals, where their tables are at hand."""

from pathlib import Path

import numpy as np
import pytest

from models.artifact import Artifact
from training.cohort import read_cohort
from training.fit import Settings, fit
from training.recalibration.recalibrate import recalibrate
from training.refused import NotSupported

pytestmark = pytest.mark.usefixtures("one_thread")
COHORTS = Path(__file__).parent / "cohorts"


@pytest.fixture(scope="module")
def parent(cohort_tables):
    model = fit(read_cohort(COHORTS / "chowell_train.toml", data=cohort_tables), Settings(learner="linear", refits=10)).model
    return Artifact(model, "a" * 64, {})


def local(name, tables, parent):
    return read_cohort(COHORTS / f"{name}.toml", data=tables, required=parent.model.required)


# O:E by day 90 and by day 180 before, and the most that the cross-fitted one may be off 1 at both
@pytest.mark.parametrize(
    ("name", "before", "off"), [("pacto", (1.597, 1.550), 0.12), ("msk_nonicb", (0.764, 0.730), 0.12)]
)
def test_risks_come_to_what_became_of_the_hospitals_patients_and_their_order_stays(cohort_tables, parent, name, before, off):
    found = recalibrate(parent, local(name, cohort_tables, parent), name, bootstrap=0, seed=1).account["horizons"]
    for day, was in zip(("90", "180"), before, strict=True):
        ratio = found[day]["observed_expected"]
        assert ratio["before"]["value"] == pytest.approx(was, abs=0.01)
        assert ratio["after"]["value"] == pytest.approx(1, abs=off)
        assert found[day]["auc"]["before"] == found[day]["auc"]["after"]


def test_where_too_few_died_nothing_is_moved(cohort_tables, parent):
    pacto = local("pacto", cohort_tables, parent)
    with pytest.raises(NotSupported, match="20 deaths by day 90"):
        recalibrate(parent, pacto.select(np.arange(50)), "pacto", bootstrap=0, seed=1)
    with pytest.raises(NotSupported, match="here are 145 patients and 28 deaths by day 90"):
        recalibrate(parent, pacto, "pacto", slope=True, bootstrap=0, seed=1)
