"""What is said of calibration before a number is read."""

from dataclasses import replace

import pytest

from models.artifact import Artifact
from models.calibration_at_site import CalibrationAtSite, ObservedExpected
from models.patient import GivenMeasurement as Given
from models.patient import assemble
from serving.score import score
from serving.standing import standing

COHORT = {"name": "northern", "patients": 145, "deaths": 28, "deaths_by": 90}
CHILD = {"recalibration": {"site": "Northern", "cohort": COHORT}}
ALC, ALBUMIN = Given("alc", 0.8, "10*9/L"), Given("albumin", 36, "g/L")
LABS = [ALC, ALBUMIN]
SOMEBODY = assemble(id="p", age_years=61, sex="female", tumour="pancreatic", measurements=LABS, history={"prior_lines": 2})
KNOWN = CalibrationAtSite("recalibrated", "Northern", "2026-11-02T10:00:00+00:00", 7, None)
EVALUATED = replace(KNOWN, kind="evaluated", patients=412)
GOOD, OFF = ObservedExpected(90, 0.97, 0.85, 1.1), ObservedExpected(365, 1.4, 1.2, 1.6)


@pytest.mark.parametrize(
    ("facts", "known", "site", "words"),
    [
        ({}, None, "", "not checked at this site"),
        ({}, None, "Northern", "not checked at this site (Northern)"),
        (
            CHILD,
            KNOWN,
            "Northern",
            "recalibrated at this site (Northern) on 145 patients, 28 of whom had died by day 90 "
            "(2026-11-02, entry 7 of the ledger)",
        ),
        (
            CHILD,
            None,
            "Northern",
            "not checked at this site (Northern); the model was recalibrated for Northern, "
            "and no ledger at hand knows of that here",
        ),
        (
            {},
            replace(EVALUATED, horizons=(GOOD, OFF)),
            "Northern",
            "checked at this site (Northern) on 412 patients (2026-11-02, entry 7 of the ledger): observed over expected deaths "
            "0.97 (0.85 to 1.10) by day 90; not within 0.80 to 1.25: 1.40 (1.20 to 1.60) by day 365; not checked by day 30, 180",
        ),
        (
            {},
            replace(EVALUATED, horizons=(OFF,)),
            "Northern",
            "not checked at this site (Northern): an evaluation on 412 patients (2026-11-02, entry 7 of the ledger) found "
            "observed over expected deaths 1.40 (1.20 to 1.60) by day 365, and not within 0.80 to 1.25",
        ),
    ],
)
def test_only_what_the_ledger_knows_counts_as_checked(make_model, facts, known, site, words):
    artifact = Artifact(make_model(facts=facts), "d" * 64, {}, at_site=known)
    assert f"calibration: {words}" in standing(artifact, SOMEBODY, site)


def test_an_answer_carries_what_the_ledger_knows(loaded):
    known = replace(EVALUATED, horizons=(GOOD,))
    (answer,) = score(replace(loaded, at_site=known), [SOMEBODY], "Northern")
    told = answer.as_json()
    assert CalibrationAtSite.from_json(told["model"]["calibration"]) == known
    assert any(line.startswith("calibration: checked at this site (Northern)") for line in told["standing"])
