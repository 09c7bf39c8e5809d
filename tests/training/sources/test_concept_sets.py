"""Every code has its source and one meaning; the codes of analytes are those of the product, no more and no fewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.analytes import BY_LOINC, UNCONFIRMED_LOINC, require_unit
from models.fhir.drugs import drugs_named
from models.mapping import InvalidCohort
from training.sources.concept_sets import COLUMNS, concepts

HEADER = ",".join(COLUMNS) + "\n"


def test_codes_of_analytes_are_those_of_the_product() -> None:
    assert {one.code: one.means for one in concepts() if one.kind == "measurement"} == dict(BY_LOINC)
    assert not {one.code for one in concepts()} & set(UNCONFIRMED_LOINC)


def test_every_unit_is_one_of_some_analyte() -> None:
    from models.analytes import ANALYTES, InvalidQuantity

    def accepted(unit: str) -> bool:
        for analyte in ANALYTES:
            try:
                require_unit(analyte, unit)
            except InvalidQuantity:
                continue
            return True
        return False

    assert [one.means for one in concepts() if one.kind == "unit" and not accepted(one.means)] == []


def test_every_drug_is_known_by_its_name() -> None:
    assert [one.means for one in concepts() if one.kind == "drug" and not drugs_named(one.means)] == []


def test_a_concept_has_one_number_and_a_number_one_concept() -> None:
    numbered = [(one.kind, one.concept_id) for one in concepts() if one.concept_id]
    assert len(numbered) == len(set(numbered))


def test_a_site_adds_its_own_codes(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text(f"\ufeff{HEADER}measurement,LOCAL,LYM,2000000001,alc,our laboratory\n", encoding="utf-8")  # a spreadsheet
    assert concepts(path)[-1].means == "alc"


@pytest.mark.parametrize(("row", "told"), [
    ("measurement,LOCAL,LYM,,lymphs,our laboratory", "means = lymphs: allowed is one of alb"),
    ("labs,LOCAL,LYM,,alc,our laboratory", "kind = labs"),
    ("measurement,LOCAL,LYM,,alc,", "source = nothing"),
    ("measurement,,,,alc,our laboratory", "concept_id = "),
    ("measurement,LOINC,731-0,3004327,anc,our laboratory", "one meaning: alc"),
    ("drug,LOCAL,X,,aspirin,our pharmacy", "means = aspirin"),
])
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, row: str, told: str) -> None:
    path = tmp_path / "ours.csv"
    path.write_text(f"{HEADER}{row}\n")
    with pytest.raises(InvalidCohort, match=told):
        concepts(path)


def test_a_file_that_is_not_there_or_has_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("code,means\n1,alc\n")
    with pytest.raises(InvalidCohort, match=r"no column kind, vocabulary, concept_id, source"):
        concepts(tmp_path / "other.csv")
    with pytest.raises(InvalidCohort, match="no such file"):
        concepts(tmp_path / "none.csv")
