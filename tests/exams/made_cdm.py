"""An OMOP common data model of any size, made by arithmetic, so that every count of it can be worked out apart."""

from __future__ import annotations

from pathlib import Path

import duckdb

FIRST = "DATE '2015-01-01'"
VISITS, LABS = 20, 10  # measurements of a person: one of each lab at each visit
DOSES = 6  # of each of the two drugs of each of the two lines
# concept, code, UCUM unit's concept, value of (person p, visit v); white cells are the sum of their parts
_LABS = (
    (3004327, 8848, "0.3 + ((p * 31 + v * 17) % 200) / 100.0"),
    (3013650, 8848, "1.5 + ((p * 13 + v * 29) % 700) / 100.0"),
    (3000905, 8848, "2.3 + ((p * 31 + v * 17) % 200) / 100.0 + ((p * 13 + v * 29) % 700) / 100.0"),
    (3000963, 8713, "8.0 + ((p * 7 + v * 11) % 70) / 10.0"),
    (3024929, 8848, "90.0 + ((p * 37 + v * 3) % 350)"),
    (3024561, 8713, "2.4 + ((p * 5 + v * 23) % 22) / 10.0"),
    (3016723, 8840, "0.5 + ((p * 3 + v * 19) % 15) / 10.0"),
    (3019550, 8753, "128.0 + ((p * 2 + v * 5) % 18)"),
    (3099001, 8763, "20.0 + ((p * 41 + v * 43) % 5000)"),  # CA 19-9: found by its code in the vocabulary
    (3004249, 8876, "100.0 + ((p + v) % 60)"),  # systolic blood pressure: no input
)
_CONCEPTS = (
    (3004327, "Lymphocytes [#/volume] in Blood by Automated count", "LOINC", "Lab Test", "731-0"),
    (3099001, "Cancer Ag 19-9 [Units/volume] in Serum or Plasma", "LOINC", "Lab Test", "24108-3"),
    (3004249, "Systolic blood pressure", "LOINC", "Clinical Observation", "8480-6"),
    (8848, "thousand per microliter", "UCUM", "Unit", "10*3/uL"),
    (8763, "unit per milliliter", "UCUM", "Unit", "[U]/mL"),
    (9001, "Malignant neoplasm of pancreas, unspecified", "ICD10CM", "ICD10CM code", "C25.9"),
    (9002, "Malignant tumor of pancreas", "SNOMED", "Clinical Finding", "363418001"),
    (9003, "Essential hypertension", "SNOMED", "Clinical Finding", "59621000"),
    (9101, "gemcitabine", "RxNorm", "Ingredient", "12574"),
    (9102, "gemcitabine 1000 MG Injection", "RxNorm", "Clinical Drug", "1719005"),
    (9103, "paclitaxel protein-bound 100 MG Injection", "RxNorm", "Clinical Drug", "583214"),
    (9104, "fluorouracil 50 MG/ML Injectable Solution", "RxNorm", "Clinical Drug", "1791736"),
    (9105, "irinotecan hydrochloride 20 MG/ML Injection", "RxNorm", "Clinical Drug", "1726319"),
)


def make(folder: Path, persons: int, form: str = "parquet") -> Path:
    """Write the tables into `folder`: one person in ten has no cancer, and rows of each kind that is refused are strewn in."""
    folder.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET memory_limit = '1GB'")
    for name, select in _tables(persons).items():
        options = "FORMAT parquet" if form == "parquet" else "FORMAT csv, HEADER true"
        connection.execute(f"COPY ({select}) TO '{folder / name}.{form}' ({options})")
    connection.close()
    return folder


def _tables(persons: int) -> dict[str, str]:
    everybody = f"(SELECT range AS p FROM range(1, {persons + 1}))"
    diagnosed = f"({FIRST} + CAST(60 + p % 300 AS INTEGER))"
    end = f"({FIRST} + CAST(500 + p % 1200 AS INTEGER))"
    concepts = ", ".join(str((*row, "S")) for row in _CONCEPTS)
    return {
        "person": f"""SELECT p AS person_id, 8507 + 25 * (p % 2) AS gender_concept_id, 1940 + p % 40 AS year_of_birth,
            1 + p % 12 AS month_of_birth, 1 + p % 28 AS day_of_birth, p % 12 AS care_site_id FROM {everybody}""",
        "death": f"SELECT p AS person_id, {end} AS death_date FROM {everybody} WHERE p % 2 = 0",
        "observation_period": f"""SELECT p AS observation_period_id, p AS person_id, {FIRST} AS observation_period_start_date,
            {end} AS observation_period_end_date FROM {everybody}""",
        "condition_occurrence": f"""SELECT p AS person_id, CASE WHEN p % 10 = 0 THEN 9003 ELSE 9002 END AS condition_concept_id,
            {diagnosed} AS condition_start_date, CASE WHEN p % 10 = 0 THEN 'I10' ELSE 'C25.9' END AS condition_source_value,
            CASE WHEN p % 10 = 0 THEN 0 ELSE 9001 END AS condition_source_concept_id FROM {everybody}""",
        "drug_exposure": _drugs(everybody, diagnosed),
        "measurement": f"""SELECT * FROM ({_measurements(everybody)}) UNION ALL BY NAME SELECT * FROM ({_again(everybody)})""",
        "concept": f"""SELECT * FROM (VALUES {concepts}) AS c(concept_id, concept_name, vocabulary_id, concept_class_id,
            concept_code, standard_concept)""",
        "concept_ancestor": "SELECT 9101 AS ancestor_concept_id, 9102 AS descendant_concept_id",
        "cdm_source": "SELECT 'made' AS cdm_source_name, DATE '2020-01-01' AS source_release_date, '5.4' AS cdm_version",
    }


def _drugs(everybody: str, diagnosed: str) -> str:
    start = f"{diagnosed} + CAST(20 + line * 200 + 14 * dose AS INTEGER)"
    return f"""SELECT p AS person_id, CAST(9102 + 2 * line + drug AS BIGINT) AS drug_concept_id,
        {start} AS drug_exposure_start_date, {start} AS drug_exposure_end_date
        FROM {everybody}, range(2) AS l(line), range(2) AS d(drug), range({DOSES}) AS e(dose) WHERE p % 10 <> 0"""


def _measurements(everybody: str) -> str:
    """Every 997th without a unit, every 1009th in cm, every 1013th dated in 2099, every 1019th below 0."""
    each = " UNION ALL ".join(
        f"SELECT {place} AS lab, {concept} AS concept, {unit} AS unit, p, v, {value} AS value "
        f"FROM {everybody}, range({VISITS}) AS r(v)"
        for place, (concept, unit, value) in enumerate(_LABS)
    )
    key = f"(p * {VISITS * LABS} + v * {LABS} + lab)"
    return f"""SELECT p AS person_id, concept AS measurement_concept_id,
        CASE WHEN {key} % 1013 = 0 THEN DATE '2099-01-01' ELSE {FIRST} + CAST(70 + p % 300 + 25 * v AS INTEGER) END
            AS measurement_date,
        CAST(NULL AS TIMESTAMP) AS measurement_datetime, 0 AS operator_concept_id,
        round(CASE WHEN {key} % 1019 = 0 THEN -99.0 ELSE value END, 3) AS value_as_number,
        CASE WHEN {key} % 997 = 0 THEN 0 WHEN {key} % 1009 = 0 THEN 8582 ELSE unit END AS unit_concept_id,
        CASE WHEN {key} % 1009 = 0 THEN 'cm' WHEN unit = 8763 AND {key} % 997 <> 0 THEN 'U/mL' ELSE '' END AS unit_source_value
        FROM ({each})"""


def _again(everybody: str) -> str:
    """Of every 50th person the first albumin again, of the same value in g/L; of every 51st another value on that day."""
    day = f"{FIRST} + CAST(70 + p % 300 AS INTEGER)"
    value = "2.4 + ((p * 5) % 22) / 10.0"
    return f"""SELECT p AS person_id, 3024561 AS measurement_concept_id, {day} AS measurement_date,
        CAST(NULL AS TIMESTAMP) AS measurement_datetime, 0 AS operator_concept_id,
        CASE WHEN p % 50 = 0 THEN round(10 * ({value}), 3) ELSE round({value} + 0.1, 3) END AS value_as_number,
        CASE WHEN p % 50 = 0 THEN 8636 ELSE 8713 END AS unit_concept_id, '' AS unit_source_value
        FROM {everybody} WHERE p % 50 = 0 OR p % 51 = 0"""
