"""A history told in FHIR, in a common data model and in plain tables is one patient with one risk, on every day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import small_cdm
from small_fhir import a_patient, bundle, result

from models.design import design_matrix
from models.features import FEATURES
from models.risk import RiskModel
from training.histories import History, read_histories
from training.sources.account import Account
from training.sources.fhir.imported import import_resources
from training.sources.imported import Wanted
from training.sources.people import Index

DAYS = (0, 20, 21, 40, 60, 150)
COUNTS = ((21, 0.7, 5.6), (49, 1.2, 3.6), (60, 1.3, 3.9))  # day, ALC, ANC
LABS = (  # day, LOINC, concept, value, unit in UCUM, unit's concept
    *((day, "731-0", small_cdm.ALC, alc, "10*9/L", small_cdm.BILLIONS) for day, alc, _ in COUNTS),
    *((day, "751-8", small_cdm.ANC, anc, "10*9/L", small_cdm.BILLIONS) for day, _, anc in COUNTS),
    (-1, "1751-7", small_cdm.ALBUMIN, 3.4, "g/dL", small_cdm.G_DL),
    (40, "1751-7", small_cdm.ALBUMIN, 31.0, "g/L", small_cdm.G_L),
)
TABLES = """
name = "by hand"
[tables]
patients = "p.csv"
measurements = "m.csv"
treatments = "t.csv"
[follow_up]
time = { column = "days", unit = "d" }
died = "died"
[patient_fields]
age_years = "age"
sex = "sex"
tumour = "tumour"
"""


def by_hand(folder: Path) -> Path:
    """The same patient as somebody would write him down, in other units where there are others."""
    folder.mkdir()
    (folder / "p.csv").write_text("patient,days,died,age,sex,tumour\n1,200,0,63,female,pancreatic\n")
    rows = [(-1, "alc", 1100, "cells/uL"), (-1, "anc", 4400, "cells/uL")]
    names = {"731-0": "alc", "751-8": "anc", "1751-7": "albumin"}
    rows += [(day, names[code], value, unit) for day, code, _, value, unit, _ in LABS]
    lines = [f"1,{day},{name},{value},{unit}" for day, name, value, unit in rows]
    (folder / "m.csv").write_text("\n".join(["patient,day,analyte,value,unit", *lines]) + "\n")
    drugs = ("1,1,chemotherapy,gemcitabine,-200,-186,", "1,2,chemotherapy,fluorouracil,0,1,",
             "1,2,chemotherapy,fluorouracil,14,14,")
    (folder / "t.csv").write_text("\n".join(["patient,line,modality,agents,start,end,outcome", *drugs]) + "\n")
    (folder / "cohort.toml").write_text(TABLES)
    return folder


@pytest.fixture
def told(tmp_path: Path, importing: Callable[..., tuple[Account, Path]]) -> dict[str, History]:
    """The one history of each source."""
    _, omop = importing(measurement=[
        *(small_cdm.result(concept, value, unit, day) for day, _, concept, value, _, unit in LABS),
        small_cdm.result(small_cdm.ALC, 1.1), small_cdm.result(small_cdm.ANC, 4.4),
    ])
    (tmp_path / "resources").mkdir()
    resources = a_patient(*(result(code, value, unit, day) for day, code, _, value, unit, _ in LABS))
    (tmp_path / "resources" / "one.json").write_text(json.dumps(bundle(resources)))
    fhir = tmp_path / "from-fhir"
    import_resources(tmp_path / "resources", Wanted(fhir, "small", Index(2, None)), threads=1, memory="500MB")
    found = {"omop": omop, "fhir": fhir, "tables": by_hand(tmp_path / "by-hand")}
    return {name: read_histories(folder / "cohort.toml", accept="one patient").of[0] for name, folder in found.items()}


@pytest.mark.parametrize("day", DAYS)
def test_the_features_are_the_same_to_the_bit(told: dict[str, History], day: int) -> None:
    rows = {name: [repr(one.of(history.as_of(day, 42))) for one in FEATURES.values()] for name, history in told.items()}
    assert rows["omop"] == rows["fhir"]
    assert rows["tables"] == rows["fhir"]


@pytest.mark.parametrize("day", DAYS)
def test_the_risk_is_the_same_to_the_bit(told: dict[str, History], model: RiskModel, day: int) -> None:
    rows = {name: design_matrix(model.design, [history.as_of(day)]) for name, history in told.items()}
    risks = {name: model.score(row).risk.tolist() for name, row in rows.items()}
    assert risks["omop"] == risks["fhir"] == risks["tables"]

