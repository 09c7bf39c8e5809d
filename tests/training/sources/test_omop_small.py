"""One patient of a common data model, row by row: what is read, what is refused, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from small_cdm import (
    ALBUMIN,
    ALC,
    ANC,
    BILLIONS,
    G_DL,
    G_L,
    INDEX,
    LYMPHOCYTES,
    SHARE,
    WBC,
    a_cdm,
    diagnosed,
    dose,
    result,
)

from models.mapping import InvalidCohort
from training.cohort import read_cohort
from training.sources.account import Account
from training.sources.concept_sets import concepts
from training.sources.draws import CONTRADICTED, DUPLICATE, EARLIER, INCOHERENT, TWO_SCORES
from training.sources.imported import Wanted
from training.sources.omop.imported import import_files
from training.sources.people import NO_LINE, NO_TUMOUR
from training.sources.therapy import BACKWARDS, BEFORE

Importing = Callable[..., tuple[Account, Path]]


def table(out: Path, name: str = "measurements") -> pd.DataFrame:
    return pd.read_parquet(out / f"{name}.parquet")


def values(out: Path, analyte: str) -> list[str]:
    rows = table(out)
    return rows[rows.analyte == analyte].value.tolist()


def fates(account: Account, analyte: str) -> dict[str, int]:
    return dict(account.results[analyte])


def test_a_source_becomes_a_cohort_that_is_read(importing: Importing) -> None:
    account, out = importing()
    cohort = read_cohort(out / "cohort.toml", doubtful=True)
    (patient,) = cohort.patients
    assert (patient.age_years, patient.sex, patient.tumour) == (63.0, "female", "pancreatic")
    assert patient.history.prior_lines == 1.0
    assert patient.history.prior_chemotherapy == 1.0
    assert patient.current("nlr").value == 4.0
    assert cohort.follow_up.times.tolist() == [200.0]
    assert cohort.follow_up.deaths.tolist() == [False]
    assert account.flow == (("persons read", 0, 1),)


def test_the_birthday_after_the_index_date_is_not_yet_counted(importing: Importing) -> None:
    born = {"person_id": 1, "gender_concept_id": 8507, "year_of_birth": 1960, "month_of_birth": 6, "day_of_birth": 1}
    _, out = importing(only_person=[born])
    assert table(out, "patients").age_years.tolist() == [64]


def test_the_same_result_in_another_unit_counts_once(importing: Importing) -> None:
    account, out = importing(measurement=[result(ALBUMIN, 3.5, G_DL), result(ALBUMIN, 35, G_L)])
    assert fates(account, "albumin") == {"written": 1, DUPLICATE: 1}
    assert len(values(out, "albumin")) == 1


def test_of_two_results_of_a_day_the_later_counts(importing: Importing) -> None:
    two = [result(ALBUMIN, 3.5, G_DL, clock="08:00:00"), result(ALBUMIN, 3.1, G_DL, clock="17:30:00")]
    account, out = importing(measurement=two)
    assert values(out, "albumin") == ["3.1"]
    assert fates(account, "albumin") == {"written": 1, EARLIER: 1}


@pytest.mark.parametrize("clocks", [("00:00:00", "00:00:00"), ("00:00:00", "09:00:00"), ("09:00:00", "09:00:00")])
def test_two_results_of_a_day_without_an_order_do_not_count(importing: Importing, clocks: tuple[str, str]) -> None:
    two = [result(ALBUMIN, value, G_DL, clock=clock) for value, clock in zip((3.5, 3.1), clocks, strict=True)]
    account, out = importing(measurement=two)
    assert values(out, "albumin") == []
    assert fates(account, "albumin") == {CONTRADICTED: 2}


def test_the_order_of_rows_changes_nothing(importing: Importing) -> None:
    rows = [result(ALC, 0.2 + day / 100, days=-day) for day in range(2, 30)]
    _, one = importing(measurement=rows)
    _, other = importing(measurement=rows[::-1])
    assert table(one).equals(table(other))


@pytest.mark.parametrize(("row", "why"), [
    (result(ALBUMIN, 3.5, 0), "no unit: it is never guessed"),
    (result(ALBUMIN, 3.5, 0, unit_source_value="cubits"), "unit 'cubits' is not accepted"),
    (result(ALBUMIN, 3.5, G_DL, unit_source_value="g/L"), "a unit code and the text of the unit that contradict each other"),
    (result(ALBUMIN, 350, G_DL), "not a possible value: another unit or quantity, or a code of the source for a missing one"),
    (result(ALBUMIN, "", G_DL, value_source_value="haemolytic"), "text that is no result"),
    (result(ALBUMIN, "", G_DL), "no value"),
    (result(ALBUMIN, 3.5, G_DL, operator_concept_id=12345), "a comparator that is not known"),
    (result(ALBUMIN, 3.5, G_DL, days=201), "dated after the last day of observation"),
    (result(ALBUMIN, 3.5, G_DL, days=40_000), "dated after the day of extraction"),
    (result(ALBUMIN, 3.5, G_DL, days=-30_000), "dated before the birth"),
    (result(ALBUMIN, 3.5, G_DL) | {"measurement_date": "soon"}, "no date that can be read"),
    (result(ALBUMIN, 3.5, G_DL) | {"person_id": 7}, "of a person who is not in the table of persons"),
])
def test_what_cannot_be_used_is_refused_with_its_reason(importing: Importing, row: dict[str, object], why: str) -> None:
    source = {"cdm_source": [{"cdm_source_name": "small", "source_release_date": "2026-01-01"}]}
    account, out = importing(measurement=[row], **source)
    assert fates(account, "albumin") == {why: 1}
    assert values(out, "albumin") == []


def test_comparators_and_results_in_text_are_kept(importing: Importing) -> None:
    rows = [
        result(ALC, 0.1, days=-5, operator_concept_id=4171756),
        result(ALC, 0.2, days=-6, value_source_value="<0.2"),
        result(ALC, "", days=-7, value_source_value="\u2264 0.3"),
    ]
    account, out = importing(measurement=rows)
    assert [value.replace(" ", "") for value in values(out, "alc")] == ["<=0.3", "<0.2", "<0.1", "1.1"]
    assert account.remarks["comparator told in the text alone"] == 1


def test_counts_that_cannot_be_true_together_do_not_count(importing: Importing) -> None:
    account, out = importing(measurement=[result(WBC, 3.0), result(ALBUMIN, 3.5, G_DL), result(LYMPHOCYTES, 20, SHARE, days=-9)])
    assert {name: fates(account, name) for name in ("alc", "anc", "wbc", "albumin", "lymphocyte_pct")} == {
        "alc": {INCOHERENT: 1}, "anc": {INCOHERENT: 1}, "wbc": {INCOHERENT: 1}, "albumin": {"written": 1},
        "lymphocyte_pct": {"written": 1},
    }
    assert table(out).analyte.tolist() == ["lymphocyte_pct", "albumin"]


def test_of_two_scores_of_a_day_ecog_counts(importing: Importing) -> None:
    scores = [{"concept_id": 77, "vocabulary_id": "LOINC", "concept_code": "89247-1"},
              {"concept_id": 78, "vocabulary_id": "LOINC", "concept_code": "89243-0"}]
    account, _ = importing(concept=scores, measurement=[result(77, 1, 0), result(78, 50, 0)])
    assert (fates(account, "ecog"), fates(account, "karnofsky")) == ({"written": 1}, {TWO_SCORES: 1})


def test_nothing_after_the_index_date_reaches_a_feature(importing: Importing) -> None:
    later = [result(ALC, 0.3, days=1), result(ANC, 9.0, days=1), result(ALBUMIN, 2.0, G_DL, days=14)]
    _, plain = importing()
    _, with_later = importing(measurement=later, drug_exposure=[dose(9104, 30), dose(9102, 60)],
                              condition_occurrence=[diagnosed(9004, 3), diagnosed(9005, 9)])
    (one,), (other,) = (read_cohort(out / "cohort.toml", doubtful=True).patients for out in (plain, with_later))
    assert len(table(with_later)) == len(table(plain)) + 3
    assert one == other


def test_a_result_of_the_index_date_is_known_on_it(importing: Importing) -> None:
    account, out = importing(measurement=[result(ALC, 0.6, days=0), result(ANC, 6.0, days=0)])
    (patient,) = read_cohort(out / "cohort.toml", doubtful=True).patients
    assert patient.current("alc").value == 0.6
    assert any(note.startswith("2 results of the index date itself") for note in account.notes)


def test_a_drug_of_the_line_that_begins_is_not_told_before_it_is_given(importing: Importing) -> None:
    _, out = importing(drug_exposure=[dose(9102, 9)])
    treatments = table(out, "treatments")
    second = treatments[treatments.line == 2]
    assert list(zip(second.agents, second.start, second.end, strict=True)) == [
        ("fluorouracil", "2024-06-01", "2024-06-02"), ("gemcitabine", "2024-06-10", "2024-06-10"),
        ("fluorouracil", "2024-06-15", "2024-06-15"),
    ]


@pytest.mark.parametrize("on", [None, INDEX, date(2023, 11, 20)])
def test_whether_a_drug_was_given_again_later_is_not_known(importing: Importing, on: date | None) -> None:
    once = [dose(9102, -200), dose(9102, -186), dose(9104, 0)]
    worse = {"person_id": 1, "observation_concept_id": 9201, "observation_date": "2024-06-02"}
    _, ended = importing(on=on, only_drug_exposure=once)
    _, went_on = importing(on=on, only_drug_exposure=[*once, dose(9104, 14), dose(9102, 20)], observation=[worse])
    (one,), (other,) = (read_cohort(out / "cohort.toml", doubtful=True, required=()).patients for out in (ended, went_on))
    assert one == other
    assert one.history.prior_lines == 1.0


def test_how_a_line_ended_is_what_was_told_by_the_index_date(importing: Importing) -> None:
    worse = {"person_id": 1, "observation_concept_id": 9201, "observation_date": "2024-05-20"}
    _, out = importing(observation=[worse])
    (patient,) = read_cohort(out / "cohort.toml", doubtful=True).patients
    assert patient.history.last_line_outcome == "progression"


def test_progression_begins_a_line_with_the_next_new_drug(importing: Importing) -> None:
    worse = {"person_id": 1, "observation_concept_id": 9201, "observation_date": "2023-11-25"}
    drugs = [dose(9102, -200), dose(9104, -185)]
    (one, _), (two, _) = (importing(line=1, only_drug_exposure=drugs, **more) for more in ({}, {"observation": [worse]}))
    assert [any(note.startswith(f"{n} lines") for note in account.notes) for account, n in ((one, 1), (two, 2))] == [True, True]


def test_steroids_stand_beside_the_lines_and_creams_do_not(importing: Importing) -> None:
    account, out = importing(drug_exposure=[dose(9105, -3), dose(9105, -3), dose(9106, -2)])
    treatments = table(out, "treatments")
    assert treatments[treatments.modality == "steroid"].agents.tolist() == ["dexamethasone"]
    assert "hydrocortisone" not in account.doses
    assert account.doses_refused == {"the same dose of the same drug twice: counted once": 1}


def test_doses_that_cannot_be_of_a_line_are_counted(importing: Importing) -> None:
    backwards = dose(9102, -100, drug_exposure_end_date="2020-01-01")
    account, _ = importing(drug_exposure=[dose(9102, -390), backwards])
    assert account.doses_refused == {BEFORE: 1, BACKWARDS: 1}


@pytest.mark.parametrize(("more", "reason"), [
    ({"only_condition_occurrence": [diagnosed(9003, -300)]}, "lung cancer whose histology is not told"),
    ({"condition_occurrence": [diagnosed(9005, -200)]}, "several malignant primaries recorded by the index date"),
    ({"only_condition_occurrence": [diagnosed(9001, 5)], "on": INDEX}, NO_TUMOUR),
    ({"only_condition_occurrence": [diagnosed(9004, -5)]}, "no malignant primary tumour recorded at any time"),
    ({"only_drug_exposure": [dose(9102, -200)]}, NO_LINE),
    ({"death": [{"person_id": 1, "death_date": "2024-05-01"}], "on": INDEX}, "dead before the index date"),
    ({"only_observation_period": [{"person_id": 1, "observation_period_start_date": "2024-06-02",
                                   "observation_period_end_date": "2025-06-02"}]}, "not under observation on the index date"),
])
def test_whoever_is_left_out_is_counted_with_the_reason(importing: Importing, more: dict[str, object], reason: str) -> None:
    account, out = importing(**more)
    assert account.flow == (("persons read", 0, 1), (reason, 1, 0))
    assert len(table(out, "patients")) == 0


def test_a_person_who_stands_twice_is_told(importing: Importing) -> None:
    twice = [{"person_id": 1, "death_date": "2024-07-01"}, {"person_id": 1, "death_date": "2024-06-20"}]
    persons = [{"person_id": 1, "gender_concept_id": sex, "year_of_birth": 1960} for sex in (8532, 8507)]
    account, out = importing(death=twice, only_person=persons)
    assert read_cohort(out / "cohort.toml", doubtful=True).follow_up.times.tolist() == [19]
    assert table(out, "patients").sex.tolist() == ["unknown"]
    assert "1 persons with several days of death: the first counts" in account.notes
    assert any(note.startswith("1 persons with several rows in the table of persons") for note in account.notes)


@pytest.mark.parametrize(("died", "followed"), [("2024-08-01", (61, 1)), ("2025-01-05", (218, 1)), ("2025-06-01", (200, 0))])
def test_follow_up_ends_with_a_death_that_was_observed(importing: Importing, died: str, followed: tuple[int, int]) -> None:
    _, out = importing(death=[{"person_id": 1, "death_date": died}])
    (patient,) = table(out, "patients").itertuples()
    assert (patient.os_days, patient.died) == followed


def test_liver_metastases_are_known_where_they_are_recorded(importing: Importing) -> None:
    _, out = importing(condition_occurrence=[diagnosed(9004, -20)])
    assert table(out, "patients").liver_metastases.tolist() == ["yes"]


def test_persons_without_a_tumour_are_left_out_by_the_cohort_file(importing: Importing) -> None:
    account, out = importing(on=date(2024, 6, 1), everybody=True, only_condition_occurrence=[diagnosed(1, -9)])
    assert account.flow == (("persons read", 0, 1),)
    with pytest.raises(InvalidCohort, match="nobody: 1 no malignant primary tumour recorded by the index date"):
        read_cohort(out / "cohort.toml")


def test_codes_of_the_source_are_read_where_nothing_was_mapped(importing: Importing) -> None:
    row = result(0, 41, G_L, measurement_source_value="1751-7")
    account, out = importing(measurement=[row, result(0, 1.9, BILLIONS, measurement_source_value="26474-7")])
    assert values(out, "albumin") == ["41"]
    assert account.routes["its code in the source"] == 1


def test_common_codes_that_are_not_mapped_are_named_and_rare_texts_are_not(importing: Importing) -> None:
    local = [result(0, 1.2, BILLIONS, days=-n, measurement_source_value="LYM#") for n in range(30)]
    rare = [result(0, 1.2, BILLIONS, measurement_source_value="Mrs Smith"), result(0, 1, measurement_source_value="26474-7")]
    account, out = importing(measurement=[*local, *rare])
    assert account.not_read == (
        ("LYM#", "a code of the source that is not mapped: --concepts may say what it means", 30),
        ("no code", "a code that no primary source has confirmed", 1),
        ("no code", "not mapped, and no code that is common", 1),
    )
    assert "Smith" not in (out / "report.txt").read_text()


def test_a_site_says_what_its_own_codes_mean(tmp_path: Path) -> None:
    rows = [result(0, 1.2, BILLIONS, days=-9, measurement_source_value="LYM#")]
    ours = "kind,vocabulary,code,concept_id,means,source\nmeasurement,LOCAL,LYM#,,alc,our laboratory\n"
    (tmp_path / "ours.csv").write_text(ours)
    source, wanted = a_cdm(tmp_path / "cdm", measurement=rows), Wanted(tmp_path / "out", "small")
    account = import_files(source, wanted, concepts(tmp_path / "ours.csv"), threads=1, memory="500MB")
    assert account.results["alc"] == {"written": 2}


def test_every_row_has_one_fate(importing: Importing) -> None:
    rows = [result(ALBUMIN, 1.0 + n / 7, G_DL if n % 3 else 0, days=-n % 5, clock=f"0{n % 4}:00:00") for n in range(60)]
    account, out = importing(measurement=rows)
    assert sum(fates(account, "albumin").values()) == 60
    written = sum(of_one.get("written", 0) for of_one in account.results.values())
    assert written == len(table(out)) == account.files["measurements.parquet"]


def test_the_report_names_no_value(importing: Importing) -> None:
    _, out = importing(measurement=[result(ALBUMIN, 3.4567, G_DL), result(ALBUMIN, "", G_DL, -2, value_source_value="Mrs Smith")])
    said = (out / "report.txt").read_text() + (out / "report.json").read_text()
    assert "3.4567" not in said
    assert "Smith" not in said
