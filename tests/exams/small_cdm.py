"""A small common data model, made table by table, so that each test says what is in it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
INDEX = date(2024, 6, 1)  # the second line of the one patient begins
ALC, ANC, WBC, ALBUMIN, LYMPHOCYTES = 3004327, 3013650, 3000905, 3024561, 3037511
BILLIONS, G_DL, G_L, SHARE = 9444, 8713, 8636, 8554
_CONCEPT = ("concept_id", "concept_name", "vocabulary_id", "concept_code", "concept_class_id")
CONCEPTS = (
    (9001, "Malignant neoplasm of pancreas, unspecified", "ICD10CM", "C25.9", ""),
    (9003, "Carcinoma of lung", "SNOMED", "1", ""),
    (9004, "Secondary malignant neoplasm of liver", "SNOMED", "94381002", ""),
    (9005, "Malignant tumor of breast", "SNOMED", "2", ""),
    (9102, "gemcitabine 1000 MG Injection", "RxNorm", "3", "Clinical Drug"),
    (9104, "fluorouracil 50 MG/ML Injection", "RxNorm", "4", "Clinical Drug"),
    (9105, "dexamethasone 4 MG Oral Tablet", "RxNorm", "5", "Clinical Drug"),
    (9106, "hydrocortisone 10 MG/ML Topical Cream", "RxNorm", "6", "Clinical Drug"),
    (9201, "Patient's condition worsened", "SNOMED", "271299001", ""),
)


def day(days: int, clock: str = "00:00:00") -> dict[str, str]:
    """When a result was, in days from the index date."""
    on = (INDEX + timedelta(days)).isoformat()
    return {"measurement_date": on, "measurement_datetime": f"{on} {clock}"}


def result(concept: int, value: object, unit: int = BILLIONS, days: int = -1, clock: str = "00:00:00", **more: object) -> Row:
    return {"person_id": 1, "measurement_concept_id": concept, "value_as_number": value, "unit_concept_id": unit} | day(
        days, clock
    ) | more


def dose(concept: int, days: int, **more: object) -> Row:
    on = (INDEX + timedelta(days)).isoformat()
    return {"person_id": 1, "drug_concept_id": concept, "drug_exposure_start_date": on, "drug_exposure_end_date": on} | more


def diagnosed(concept: int, days: int, person: int = 1) -> Row:
    on = (INDEX + timedelta(days)).isoformat()
    return {"person_id": person, "condition_concept_id": concept, "condition_start_date": on}


def a_cdm(folder: Path, **more: Sequence[Row]) -> Path:
    """A patient with pancreatic cancer, whose second line began on INDEX; `more` are rows beside, `only_...` in their place."""
    first = (INDEX - timedelta(400)).isoformat()
    tables: dict[str, list[Row]] = {
        "person": [{"person_id": 1, "gender_concept_id": 8532, "year_of_birth": 1960, "month_of_birth": 6, "day_of_birth": 2}],
        "observation_period": [{"person_id": 1, "observation_period_start_date": first,
                                "observation_period_end_date": (INDEX + timedelta(200)).isoformat()}],
        "condition_occurrence": [diagnosed(9001, -300)],
        "drug_exposure": [dose(9102, -200), dose(9102, -186), dose(9104, 0), dose(9104, 14)],
        "measurement": [result(ALC, 1.1), result(ANC, 4.4)],
        "concept": [dict(zip(_CONCEPT, one, strict=True)) for one in CONCEPTS],
    }
    for name, rows in more.items():
        table = name.removeprefix("only_")
        tables[table] = [*(() if name != table else tables.get(table, ())), *rows]
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name.upper()}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    return folder
