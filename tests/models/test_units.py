import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import units
from models.analytes import ANALYTES
from models.units import plain

TABLES = sorted({tuple(analyte.units.items()) for analyte in ANALYTES.values()})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0][0])
def test_no_two_spellings_of_an_analyte_that_look_alike_mean_different_units(table: tuple[tuple[str, float], ...]) -> None:
    factors: dict[str, float] = {}
    for spelling, factor in table:
        assert factors.setdefault(plain(spelling), factor) == factor


@pytest.mark.parametrize(
    "spelling",
    [
        *["10*9/L", "10^9/L", "10\u2079/L", "x10(9)/L", "X 10^9 / L", "\u00d710\u2079/L", "G/L", "10*6/mL"],
        *["10*3/uL", "K/uL", "k/\u00b5L", "K/\u03bcL", "x10E3/uL", "10\u00b3/\u00b5L", "Thousand/uL", "10^3/mm\u00b3", "K/mcL"],
    ],
)
def test_thousands_per_microlitre_have_many_spellings(spelling: str) -> None:
    assert _factor(units.CELL_COUNT, spelling) == 1


@pytest.mark.parametrize(
    "spelling", ["cells/uL", "CELLS/UL", "/uL", "/\u00b5l", "/mm3", "cells / mm\u00b3", "{cells}/uL", "#/uL", "10*6/L"]
)
def test_cells_per_microlitre_have_many_spellings(spelling: str) -> None:
    assert _factor(units.CELL_COUNT, spelling) == 0.001


@pytest.mark.parametrize("spelling", ["g/L", "g/l", "109/L", "10*12/L", "10*9", "K", "uL", "10/uL", "%", "1", ""])
def test_a_cell_count_is_not_guessed_from_an_unknown_spelling(spelling: str) -> None:
    assert _factor(units.CELL_COUNT, spelling) is None


def test_giga_and_grams_per_litre_keep_their_capital() -> None:
    assert _factor(units.ALBUMIN, "G/L") is None
    assert _factor(units.HEMOGLOBIN, "g/l") == 0.1
    assert _factor(units.ALBUMIN, "G/DL") == 10  # no giga per decilitre: capitals of an old system


def test_international_units_and_catalytic_units() -> None:
    assert _factor(units.ANTIGEN, "[arb'U]/mL") == _factor(units.ANTIGEN, "kU/L") == _factor(units.ANTIGEN, "IU/mL") == 1
    assert _factor(units.ANTIGEN, "U/L") == 0.001
    assert _factor(units.ENZYME, "\u00b5kat/L") == 60


@given(st.sampled_from(sorted(units.CELL_COUNT)), st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_blanks_mean_nothing(spelling: str, blank: str) -> None:
    assert plain(blank + spelling.replace("/", f"{blank}/{blank}") + blank) == plain(spelling)


def _factor(table: object, spelling: str) -> float | None:
    assert isinstance(table, dict)
    return {plain(accepted): factor for accepted, factor in table.items()}.get(plain(spelling))
