"""What happened at any time after the index date is no covariate, under whatever name it is offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.cohort_file import InvalidCohort, read_cohort_file
from models.ever import LIKELY, known_only_later

COHORT = """
table = "patients.csv"
[patient_fields]
age_years = "age"
tumour = {{ constant = "pancreatic" }}
[follow_up]
time = {{ column = "days", unit = "d" }}
died = "dead"
{offered}
"""


@pytest.mark.parametrize("name", ["ever_rescued", "ALC_ever_above_1", "rescued", "lymphRecovered", "alc_normalised", "responder"])
def test_names_that_tell_who_lived_are_known(name: str) -> None:
    assert known_only_later(name)


@pytest.mark.parametrize(
    "name",
    ["ever_smoker", "never_smoked", "smoker_ever", "alc_recovered_by_landmark", "recovered_before_index", "fever"],
)
def test_what_is_known_on_the_index_date_is_not_taken_for_it(name: str) -> None:
    assert not known_only_later(name)


@pytest.mark.parametrize(
    ("offered", "key"),
    [
        ('[extra]\never_rescued = { column = "r", kind = "numeric" }', "extra.ever_rescued"),
        ('[extra]\nr = { column = "Ever Recovered", kind = "categorical" }', "extra.r"),
        ('[measurements]\nalc = { column = "alc_ever", unit = "10*9/L" }', "measurements.alc"),
        ('[treatment_history]\nliver_metastases = "responder"', "treatment_history.liver_metastases"),
    ],
)
def test_a_cohort_file_that_offers_one_is_refused_with_the_reason(tmp_path: Path, offered: str, key: str) -> None:
    path = tmp_path / "cohort.toml"
    path.write_text(COHORT.format(offered=offered))
    with pytest.raises(InvalidCohort, match=r"lymphorisk rescue.*immortal time") as refused:
        read_cohort_file(path)
    assert [(fault.field, fault.likely) for fault in refused.value.faults] == [(f"cohort.toml: {key}", LIKELY)]
