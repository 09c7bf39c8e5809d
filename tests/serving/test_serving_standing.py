"""What is said of calibration before a number is read."""

import pytest

from models.patient import GivenMeasurement as Given
from models.patient import assemble
from serving.standing import standing

COHORT = {"name": "northern", "patients": 145, "deaths": 28, "deaths_by": 90}
CHILD = {"recalibration": {"site": "Northern", "cohort": COHORT}}
ALC = Given("alc", 0.8, "10*9/L")
SOMEBODY = assemble(id="p", age_years=61, sex="female", tumour="pancreatic", measurements=[ALC], history={"prior_lines": 2})


@pytest.mark.parametrize(
    ("facts", "site", "words"),
    [
        ({}, "", "not checked at this site"),
        ({}, "Northern", "not checked at Northern"),
        (CHILD, "Northern", "recalibrated at Northern on 145 patients, 28 of whom had died by day 90"),
        (CHILD, "Southern", "not checked at Southern; the model was recalibrated for Northern"),
        (CHILD, "", "not checked at this site; the model was recalibrated for Northern"),
    ],
)
def test_a_recalibrated_model_says_so_at_its_own_hospital_and_only_there(make_model, facts, site, words):
    assert f"calibration: {words}" in standing(make_model(facts=facts), SOMEBODY, site)
