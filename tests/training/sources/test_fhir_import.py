"""Exports of FHIR resources: many patients, in any order, and the same history as in a common data model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import small_cdm
from small_cdm import INDEX
from small_fhir import Resource, a_patient, bundle, condition, dose, result

from models.features import FEATURES
from models.fhir.reading import understood
from models.mapping import InvalidCohort
from models.patient import Patient
from serving.wire import read_patient
from training.cohort import read_cohort
from training.sources.account import Account
from training.sources.draws import CONTRADICTED, DUPLICATE, EARLIER
from training.sources.fhir.imported import import_resources
from training.sources.imported import Wanted
from training.sources.people import Index

Importing = Callable[..., tuple[Account, Path]]


def write(folder: Path, resources: Sequence[Resource], form: str = "bundle") -> Path:
    folder.mkdir()
    if form == "bundle":
        (folder / "one.json").write_text(json.dumps(bundle(resources)))
    elif form == "list":
        (folder / "one.json").write_text(json.dumps(resources))
    else:
        for kind in {one["resourceType"] for one in resources}:
            lines = [json.dumps(one) for one in resources if one["resourceType"] == kind]
            (folder / f"{kind}.ndjson").write_text("\n".join(lines) + "\n")
    return folder


def imported(folder: Path, *more: Resource, form: str = "bundle", on: date | None = None) -> tuple[Account, Path]:
    source, out = write(folder / "fhir", a_patient(*more), form), folder / "cohort"
    return import_resources(source, Wanted(out, "small", Index(2, on)), threads=1, memory="500MB"), out


def the_patient(out: Path) -> Patient:
    (patient,) = read_cohort(out / "cohort.toml", doubtful=True).patients
    return patient


def features(patient: Patient) -> dict[str, object]:
    return {name: feature.of(patient) for name, feature in FEATURES.items()}


@pytest.mark.parametrize("form", ["bundle", "list", "bulk"])
def test_every_form_of_an_export_gives_the_same_cohort(tmp_path: Path, form: str) -> None:
    account, out = imported(tmp_path, form=form)
    assert account.flow == (("persons read", 0, 1),)
    patients = pd.read_parquet(out / "patients.parquet")
    assert patients.loc[0, ["age_years", "sex", "tumour", "os_days", "died"]].tolist() == [63, "female", "pancreatic", 200, 0]


def test_a_history_is_the_same_in_fhir_and_in_omop(
    tmp_path: Path, importing: Callable[..., tuple[Account, Path]]
) -> None:
    labs = [("1751-7", small_cdm.ALBUMIN, 3.4, "g/dL", 8713), ("777-3", 3024929, 210.0, "10*3/uL", 8848)]
    _, fhir = imported(tmp_path, *(result(code, value, unit) for code, _, value, unit, _ in labs))
    _, omop = importing(measurement=[
        *(small_cdm.result(concept, value, unit) for _, concept, value, _, unit in labs),
        small_cdm.result(small_cdm.ALC, 1.1), small_cdm.result(small_cdm.ANC, 4.4),
    ])
    assert features(the_patient(fhir)) == features(the_patient(omop))
    for name in ("measurements", "treatments", "doses"):
        one, other = (pd.read_parquet(out / f"{name}.parquet") for out in (fhir, omop))
        assert one.drop(columns="unit", errors="ignore").equals(other.drop(columns="unit", errors="ignore")), name


def test_the_features_are_those_of_the_resources_read_for_a_score(tmp_path: Path) -> None:
    more = (result("1751-7", 3.4, "g/dL", days=-3), dose("dexamethasone", -2), result("24108-3", 812, "U/mL", days=-8))
    _, out = imported(tmp_path, *more)
    before_the_first_dose = [one for one in a_patient(*more) if "fluorouracil" not in json.dumps(one)]
    document = dict(understood(bundle(before_the_first_dose), INDEX).document)
    assert features(the_patient(out)) == features(read_patient(document))


def test_what_is_recorded_after_the_index_date_reaches_no_feature(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    later = (result("731-0", 0.2, "10*9/L", days=1), condition("Secondary malignant neoplasm of liver", 2),
             condition("Malignant neoplasm of breast", 30), dose("dexamethasone", 1))
    _, plain = imported(tmp_path / "a")
    _, more = imported(tmp_path / "b", *later)
    assert the_patient(plain) == the_patient(more)


def test_a_later_remission_chooses_nobody(tmp_path: Path) -> None:
    resources = a_patient()
    resources[3]["clinicalStatus"] = {"coding": [{"code": "remission"}]}
    source, out = write(tmp_path / "fhir", resources), tmp_path / "cohort"
    account = import_resources(source, Wanted(out, "small"), threads=1, memory="500MB")
    assert account.flow == (("persons read", 0, 1),)


def test_results_of_one_day_follow_the_rules_of_all_sources(tmp_path: Path) -> None:
    rows = [
        result("1751-7", 3.4, "g/dL"), result("1751-7", 34, "g/L"),
        result("777-3", 200, "10*9/L", time="T08:00:00Z"), result("777-3", 190, "10*9/L", time="T18:00:00Z"),
        result("718-7", 11, "g/dL"), result("718-7", 12, "g/dL"),
    ]
    account, out = imported(tmp_path, *rows)
    assert account.results["albumin"] == {"written": 1, DUPLICATE: 1}
    assert account.results["platelets"] == {"written": 1, EARLIER: 1}
    assert account.results["hemoglobin"] == {CONTRADICTED: 2}
    written = pd.read_parquet(out / "measurements.parquet")
    assert written[written.analyte == "platelets"].value.tolist() == ["190"]


def test_medications_apart_are_found(tmp_path: Path) -> None:
    drug = {"resourceType": "Medication", "id": "m1", "code": {"text": "dexamethasone 4 MG Oral Tablet"}}
    given = dose("", -3)
    given["medicationReference"] = {"reference": "Medication/m1"}
    del given["medicationCodeableConcept"]
    account, _ = imported(tmp_path, drug, given, form="bulk")
    assert account.doses["dexamethasone"] == 1


def test_many_patients_are_told_apart(tmp_path: Path) -> None:
    every = a_patient()
    other = json.loads(json.dumps(every).replace("Patient/1", "Patient/2"))
    other[0] |= {"id": "2", "gender": "male"}
    shuffled = [one for pair in zip(other[::-1], every, strict=True) for one in pair]
    source, out = write(tmp_path / "fhir", shuffled, "bulk"), tmp_path / "cohort"
    account = import_resources(source, Wanted(out, "small"), threads=1, memory="500MB")
    assert account.flow == (("persons read", 0, 2),)
    assert pd.read_parquet(out / "patients.parquet").sex.tolist() == ["female", "male"]


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    nobody = result("731-0", 1.0, "10*9/L")
    del nobody["subject"]
    account, _ = imported(tmp_path, nobody, {"resourceType": "Claim"}, result("8480-6", 120, "mm[Hg]"), form="bulk")
    said = {(what, why): n for what, why, n in account.not_read}
    assert said["Observation", "it does not say of whom it is"] == 1
    assert said["Claim", "a kind of resource that is not read"] == 1
    assert said["Observation LOINC 8480-6", "no input of a model"] == 1
    assert any(note.startswith("no period of observation is told") for note in account.notes)


def test_what_is_dated_after_the_extraction_is_told_as_that(tmp_path: Path) -> None:
    source = write(tmp_path / "fhir", a_patient(result("1751-7", 3.4, "g/dL", 140_000)))
    account = import_resources(source, Wanted(tmp_path / "cohort", "small"), threads=1, memory="500MB")
    assert ("Observation albumin", "after the day of extraction", 1) in account.not_read


def test_a_file_as_another_system_writes_it_is_read(tmp_path: Path) -> None:
    """A mark of the encoding at the beginning, ends of lines of Windows, a name in capitals."""
    source = write(tmp_path / "fhir", a_patient(), "bulk")
    for path in list(source.iterdir()):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        path.rename(path.with_suffix(".NDJSON"))
    account = import_resources(source, Wanted(tmp_path / "cohort", "small"), threads=1, memory="500MB")
    assert account.flow == (("persons read", 0, 1),)


def test_a_file_of_another_encoding_is_refused_by_its_line(tmp_path: Path) -> None:
    source = write(tmp_path / "fhir", a_patient(), "bulk")
    (source / "Z.ndjson").write_bytes('{"resourceType": "Claim", "id": "é"}'.encode("latin-1"))
    with pytest.raises(InvalidCohort, match=r"Z\.ndjson, line 1 = what is no JSON"):
        import_resources(source, Wanted(tmp_path / "cohort", "small"), threads=1, memory="500MB")


def test_a_death_without_a_day_leaves_nobody_under_observation(tmp_path: Path) -> None:
    resources = a_patient()
    resources[0]["deceasedBoolean"] = True
    source, out = write(tmp_path / "fhir", resources), tmp_path / "cohort"
    account = import_resources(source, Wanted(out, "small"), threads=1, memory="500MB")
    assert account.flow[-1] == ("not under observation on the index date", 1, 0)


def test_what_is_no_json_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    (tmp_path / "fhir" / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "1"}\n{"resour\n')
    with pytest.raises(InvalidCohort, match=r"Patient\.ndjson, line 2"):
        import_resources(tmp_path / "fhir", Wanted(tmp_path / "out", "small"), threads=1)


def test_a_folder_without_resources_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    with pytest.raises(InvalidCohort, match="a file or folder of FHIR resources"):
        import_resources(tmp_path / "fhir", Wanted(tmp_path / "out", "small"), threads=1)
