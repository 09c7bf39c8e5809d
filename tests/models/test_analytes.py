import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.analytes import ANALYTES, BY_LOINC, UNCONFIRMED_LOINC, InvalidQuantity, ecog_from_karnofsky, quantity

EVERY_SPELLING = [(name, spelling) for name, analyte in ANALYTES.items() for spelling in analyte.units]
MEASURED = [name for name, analyte in ANALYTES.items() if not analyte.step]


@pytest.mark.parametrize(
    ("value", "unit"),
    [(0.8, "10*9/L"), (0.8, "K/uL"), (800, "cells/uL"), (800.0, "/mm3"), ("800", "cells/\u00b5L"), ("0.80", "G/L")],
)
def test_one_lymphocyte_count_in_every_unit_is_the_same_to_the_bit(value: float | str, unit: str) -> None:
    assert quantity("alc", value, unit).value.hex() == (0.8).hex()


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "expected"),
    [
        ("albumin", 3.57, "g/dL", 35.7),  # 3.57 * 10 is 35.699999999999996
        ("hemoglobin", 121, "g/L", 12.1),
        ("hemoglobin", 7.5, "mmol/L", 12.0825),
        ("ldh", 3.5, "ukat/L", 210.0),
        ("crp", 1.23, "mg/dL", 12.3),
        ("bilirubin", 1.1, "mg/dL", 18.81),
        ("creatinine", 0.9, "mg/dL", 79.56),
        ("sodium", 138, "mEq/L", 138.0),
        ("ca19_9", 37_000, "U/L", 37.0),
        ("ca19_9", 2_697_300, "kU/L", 2_697_300.0),
        ("platelets", 256_000, "/uL", 256.0),
        ("weight", 150, "[lb_av]", 68.0388555),
        ("karnofsky", 80, "%", 80.0),
    ],
)
def test_conversions_worked_by_hand(analyte: str, value: float, unit: str, expected: float) -> None:
    assert quantity(analyte, value, unit).value == expected


# not the ends themselves: a decimal of another unit may lie a last bit beyond what is allowed
@given(st.sampled_from(EVERY_SPELLING), st.floats(1e-6, 1 - 1e-6))
def test_every_spelling_brings_a_value_back(spelling: tuple[str, str], place: float) -> None:
    analyte, unit = ANALYTES[spelling[0]], spelling[1]
    low, high = analyte.plausible
    value = low + place * (high - low)
    value = round(value / analyte.step) * analyte.step if analyte.step else max(value, analyte.smallest * (1 + 1e-9))
    read = quantity(analyte.name, value / analyte.units[unit], unit)
    assert math.isclose(read.value, value, rel_tol=1e-12)
    assert read.converted == (analyte.units[unit] != 1)


@given(st.integers(10, 10_000), st.integers(80, 700))
def test_a_decimal_number_is_the_same_to_the_bit_in_every_decimal_unit(cells: int, centigrams: int) -> None:
    assert quantity("alc", cells, "cells/uL").value == quantity("alc", f"{cells}e-3", "10*9/L").value
    assert quantity("albumin", centigrams / 100, "g/dL").value == quantity("albumin", centigrams / 10, "g/L").value


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "likely"),
    [
        ("alc", 1200, "10*9/L", r"likely cells/uL under the unit 10\*9/L"),
        ("alc", 0.0012, "10*9/L", r"likely thousands\?"),
        ("alc", 0.009, "10*9/L", r"likely thousands\?"),
        ("alc", 12, "10*9/L", "likely a percentage, or lymphoproliferative disease: out of scope"),
        ("alc", 28, "K/uL", "likely a percentage"),
        ("alc", 1.2, "cells/uL", r"likely 10\*9/L under the unit cells/uL"),
        ("anc", 3000, "10*3/uL", r"likely cells/uL under the unit 10\*3/uL"),  # mCODE's published example
        ("anc", 0.004, "10*9/L", r"likely thousands\?"),
        ("wbc", 8000, "10*9/L", r"likely cells/uL under the unit 10\*9/L"),
        ("albumin", 3.5, "g/L", "likely g/dL under the unit g/L"),
        ("albumin", 45, "g/dL", "likely g/L under the unit g/dL"),
        ("hemoglobin", 120, "g/dL", "likely g/L under the unit g/dL"),
        ("hemoglobin", 12, "g/L", "likely g/dL under the unit g/L"),
        ("hemoglobin", 15, "mmol/L", "likely g/dL under the unit mmol/L"),
        ("bilirubin", 0.7, "umol/L", "likely mg/dL under the unit umol/L"),
        ("creatinine", 0.9, "umol/L", "likely mg/dL under the unit umol/L"),
        ("creatinine", 80, "mg/dL", "likely umol/L under the unit mg/dL"),
        ("ldh", 3.5, "U/L", "likely ukat/L under the unit U/L"),
        ("platelets", 256_000, "10*9/L", r"likely cells/uL under the unit 10\*9/L"),
        ("platelets", 0.25, "10*9/L", r"likely 10\*12/L"),
        ("ca19_9", 37_000_000, "U/mL", "likely U/L under the unit U/mL"),
        ("lymphocyte_pct", 1200, "%", "likely a cell count"),
        ("nlr", 0, "1", "likely a ratio that was not computed"),
        ("nlr", 4300, "1", "likely two counts in different units"),
        ("ecog", 5, "{score}", "likely death"),
        ("ecog", 1.5, "{score}", "likely an average"),
        ("ecog", 80, "{score}", "likely a Karnofsky score"),
        ("ecog", "<2", "{score}", "likely a plain value"),
        ("karnofsky", 0, "%", "likely death"),
        ("karnofsky", 2, "{score}", "likely an ECOG grade"),
        ("karnofsky", 85, "{score}", "in steps of 10; likely an average"),
        ("weight", 70_000, "kg", "likely grams"),
        ("bmi", 172, "kg/m2", "likely a height"),
    ],
)
def test_an_impossible_value_is_refused_with_its_likely_cause(analyte: str, value: float | str, unit: str, likely: str) -> None:
    with pytest.raises(InvalidQuantity, match=likely):
        quantity(analyte, value, unit)


CODES = [("ca19_9", code, "U/mL") for code in (-999, -99, -88, -1, 9_999_999, "-99")]
CODES += [("crp", 999, "mg/L"), ("sodium", 9999, "mmol/L")]


@pytest.mark.parametrize(("analyte", "code", "unit"), CODES)
def test_codes_for_missing_are_refused(analyte: str, code: float | str, unit: str) -> None:
    with pytest.raises(InvalidQuantity, match="a code of the source for a missing value"):
        quantity(analyte, code, unit)


NINES = [("ca19_9", "U/mL", 9999), ("ca19_9", "kU/L", 99_999), ("ldh", "U/L", 9999)]


@pytest.mark.parametrize(("analyte", "unit", "value"), NINES)
def test_nines_that_may_be_a_result_are_taken_and_said_to_be_implausible(analyte: str, unit: str, value: float) -> None:
    found = quantity(analyte, value, unit)
    assert found.value == value
    assert not found.plausible


def test_nines_that_can_be_true_are_values() -> None:
    assert quantity("platelets", 999, "10*9/L").value == 999
    assert quantity("anc", 9999, "cells/uL").value == 9.999


@pytest.mark.parametrize(
    ("value", "likely"),
    [
        (math.nan, "leave the measurement out"),
        (math.inf, "leave the measurement out"),
        (10**400, "leave the measurement out"),
        (True, "yes or no"),
        ("12,5", "comma"),
        ("pending", "text"),
        ("", "text"),
        ("<0", 'a plain value: "<" says nothing'),
    ],
)
def test_what_is_no_number_is_refused(value: float | str, likely: str) -> None:
    with pytest.raises(InvalidQuantity, match=likely):
        quantity("ca19_9", value, "U/mL")


@pytest.mark.parametrize("unit", [None, "", "  "])
def test_a_number_without_a_unit_is_refused_and_told_which_unit_would_fit(unit: str | None) -> None:
    with pytest.raises(InvalidQuantity, match=r"alc = 800 without a unit: .*never guessed, though cells/uL would fit"):
        quantity("alc", 800, unit)
    with pytest.raises(InvalidQuantity, match=r"never guessed, though \{score\} would fit"):
        quantity("ecog", 1, unit)


@pytest.mark.parametrize(
    ("analyte", "unit", "message"),
    [
        ("alc", "furlong", r"alc = 1 'furlong': allowed is a number with its unit: 10\*9/L, 10\*3/uL, K/uL, G/L, cells/uL, /mm3"),
        ("alc", "g/L", r"likely G/L, which is 10\*9/L"),
        ("albumin", "G/L", "likely g/L, grams per litre"),
        ("alc", "%", "likely a percentage: give lymphocyte_pct"),
        ("alc", "10*9/L" + " " * 80, "alc = 1"),
    ],
)
def test_an_unknown_unit_is_refused(analyte: str, unit: str, message: str) -> None:
    with pytest.raises(InvalidQuantity, match=message):
        quantity(analyte, 1, unit)


def test_an_unknown_analyte_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidQuantity, match=r"analyte = 'ca199': allowed is one of alc, .*; likely ca19_9"):
        quantity("ca199", 1, "U/mL")
    with pytest.raises(InvalidQuantity, match="likely alc"):
        quantity("731-0", 1, "K/uL")


def test_limits_are_kept_as_limits() -> None:
    undetectable, above = quantity("ca19_9", "<2.0", "U/mL"), quantity("ca19_9", "> 120000", "U/mL")
    assert (undetectable.value, undetectable.limit) == (2.0, "<")
    assert (above.value, above.limit) == (120_000.0, ">")
    assert quantity("crp", "<=0.06", "mg/dL").value == 0.6


@pytest.mark.parametrize("analyte", ["alc", "anc"])
def test_no_cells_and_few_cells_are_results(analyte: str) -> None:
    assert quantity(analyte, 0, "10*9/L").value == 0
    assert quantity(analyte, "<5", "cells/uL") == quantity(analyte, "< 5", "/mm3")
    assert quantity(analyte, "<5", "cells/uL").value == 0.005
    assert str(quantity(analyte, -0.0, "10*9/L").value) == "0.0"


def test_an_unusual_value_is_kept_and_marked() -> None:
    assert not quantity("alc", 7.8, "10*9/L").plausible
    assert not quantity("alc", 0, "10*9/L").plausible
    assert not quantity("anc", 65, "10*9/L").plausible
    assert quantity("anc", 0.3, "10*9/L").plausible  # an acute state, refused where scores are made, not a wrong value


def test_the_field_of_a_refusal_is_the_callers() -> None:
    with pytest.raises(InvalidQuantity, match=r"^/measurements/3 = 1200 ") as refused:
        quantity("alc", 1200, "10*9/L", "/measurements/3")
    assert "1200" not in refused.value.fault.without_value()


@given(st.sampled_from(MEASURED), st.floats(allow_nan=False) | st.text(max_size=8), st.text(max_size=8))
def test_nothing_is_raised_but_a_refusal(analyte: str, value: float | str, unit: str) -> None:
    for given_unit in (unit, ANALYTES[analyte].unit):
        try:
            read = quantity(analyte, value, given_unit)
        except InvalidQuantity:
            continue
        assert ANALYTES[analyte].hard[0] <= read.value <= ANALYTES[analyte].hard[1]


@pytest.mark.parametrize("name", ANALYTES)
def test_an_analyte_is_consistent(name: str) -> None:
    known = ANALYTES[name]
    assert known.name == name
    assert known.units[known.unit] == 1
    assert 0 <= known.hard[0] <= known.plausible[0] < known.plausible[1] <= known.hard[1]


def test_loinc_codes_are_unique_and_checked() -> None:
    codes = [code for analyte in ANALYTES.values() for code in analyte.loinc]
    assert len(codes) == len(set(codes)) == len(BY_LOINC)
    assert not set(codes) & set(UNCONFIRMED_LOINC)
    assert all(_check_digit(code) for code in [*codes, *UNCONFIRMED_LOINC])
    assert (BY_LOINC["731-0"], BY_LOINC["24108-3"], BY_LOINC["89247-1"]) == ("alc", "ca19_9", "ecog")
    assert "30522-7" not in BY_LOINC  # high-sensitivity CRP is another measurement


def _check_digit(code: str) -> bool:
    """LOINC's last digit is Luhn's, over the digits before the hyphen."""
    body, check = code.split("-")
    weighted = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    return (sum(one // 10 + one % 10 for one in weighted) + int(check)) % 10 == 0


def test_karnofsky_becomes_the_conventional_ecog_grade() -> None:
    assert [ecog_from_karnofsky(score) for score in range(100, 0, -10)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    with pytest.raises(InvalidQuantity, match="likely death"):
        ecog_from_karnofsky(0)
