import numpy as np
import pytest

from training.recalibration.enough import enough
from training.refused import NotSupported
from training.statistics.censoring import FollowUp


def hospital(patients, by_90, later=0):
    """`by_90` die by day 60, `later` more by day 150, and nobody is lost."""
    times = np.full(patients, 400.0)
    times[:by_90], times[by_90 : by_90 + later] = 60.0, 150.0
    return FollowUp(times, times < 400.0)


def test_twenty_deaths_by_the_primary_horizon_will_do_and_nineteen_will_not():
    assert enough(hospital(100, 20), (30.0, 90.0, 180.0), 90.0, slope=False) == (90.0, 180.0)
    with pytest.raises(NotSupported, match=r"20 deaths by day 90.*19 deaths by day 90"):
        enough(hospital(100, 19, later=40), (90.0, 180.0), 90.0, slope=False)


def test_a_patient_of_several_rows_dies_once():
    with pytest.raises(NotSupported, match="10 deaths by day 90"):
        enough(hospital(100, 20), (90.0,), 90.0, slope=False, groups=np.arange(100) // 2)


@pytest.mark.parametrize(("patients", "deaths"), [(199, 60), (200, 59)])
def test_a_slope_takes_more(patients, deaths):
    with pytest.raises(NotSupported, match=f"here are {patients} patients and {deaths} deaths by day 90"):
        enough(hospital(patients, deaths), (90.0,), 90.0, slope=True)
    assert enough(hospital(200, 60), (90.0,), 90.0, slope=True) == (90.0,)
