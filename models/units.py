"""How laboratories write their units: every spelling accepted, and what one unit of it is in the canonical unit.

The list is written by hand. A unit parser would read `K/uL` as kelvin per microlitre and refuse `x10(9)/L`; a spelling that is
not here is refused, never guessed. Factors are exact decimals, so that 3.57 g/dL and 35.7 g/L are one number to the bit.
Sources: UCUM 2.1 (ucum.org) for the units themselves; the spellings are those of laboratory reports, LOINC's example units and
the exchange formats.
"""

from collections.abc import Iterable, Mapping

# the two micro signs, the multiplication sign, superscripts
_SIGNS = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00d7": "x", "\u00b2": "^2", "\u00b3": "^3", "\u2079": "^9"})


def plain(unit: str) -> str:
    """One writing for what is the same unit: no blanks, one micro sign, small letters.

    The one pair that differs by case alone keeps its case: "G/L" is 10*9 per litre, "g/L" is grams per litre.

    >>> plain(" 10\u00b3 / \u00b5L ")
    '10^3/ul'
    >>> plain("G/l"), plain("g/l")
    ('G/L', 'g/l')
    """
    joined = "".join(unit.split()).translate(_SIGNS)
    if not joined.isascii():
        return joined  # the Kelvin sign is no K
    return "G/L" if joined in ("G/L", "G/l") else joined.lower()


def _per(numerators: str, volumes: str) -> list[str]:
    return [f"{numerator}/{volume}" for volume in volumes.split() for numerator in numerators.split()]


def _accepted(*groups: tuple[float, Iterable[str]]) -> Mapping[str, float]:
    return {spelling: factor for factor, spellings in groups for spelling in spellings}


_MICROLITRE = "uL mm3 mcL mm^3 cumm cmm"
_BILLIONS = "10*9 10^9 x10^9 x10*9 10E9 x10E9 1E9 10(9) x10(9) 10**9 billion Giga Gpt"
_THOUSANDS = "10*3 10^3 x10^3 x10*3 10E3 x10E3 1E3 10(3) x10(3) 10**3 K Thousand Thousands Thou Th"
_MILLIONS = "10*6 10^6 x10^6 x10*6 10E6 x10E6 1E6 10(6) x10(6) 10**6"
_CELLS = [*_per("cells", _MICROLITRE), *[f"/{volume}" for volume in _MICROLITRE.split()]]

# 10E9 is read as the laboratories that write it mean it, 10 to the 9th; the hard ranges would show the tenfold.
CELL_COUNT = _accepted(
    (1.0, ["10*9/L", "10*3/uL", "K/uL", "G/L"]),
    (0.001, ["cells/uL", "/mm3"]),
    (1.0, ["/nL", *_per(_BILLIONS, "L"), *_per(_THOUSANDS, _MICROLITRE), *_per(_MILLIONS, "mL")]),
    (0.001, [*_CELLS, *_per("{cells} #", "uL mm3"), *_per(_MILLIONS, "L")]),
)
SHARE = _accepted((1.0, ["%", "percent", "pct"]))
RATIO = _accepted((1.0, ["1", "{ratio}", "ratio"]))
SCORE = _accepted((1.0, ["{score}", "score"]))
SCORE_OR_PERCENT = _accepted((1.0, ["{score}", "score", "%"]))

# CA 19-9 is in arbitrary units of the assay: strict UCUM [arb'U], on paper U or IU. kU/L is the same number as U/mL.
ANTIGEN = _accepted(
    (1.0, ["U/mL", "kU/L", *_per("[arb'U] [iU] IU unit units", "mL"), *_per("k[arb'U] k[iU] kIU", "L")]),
    (0.001, ["U/L", *_per("[arb'U] [iU] IU units", "L")]),
)
# 1 katal is 1 mol/s, 1 U is 1 umol/min: 1 ukat = 60 U, exactly.
ENZYME = _accepted((1.0, ["U/L", *_per("[iU] IU unit units", "L")]), (60.0, ["ukat/L"]), (0.06, ["nkat/L"]))

ALBUMIN = _accepted((1.0, ["g/L"]), (10.0, ["g/dL", "gm/dL", "g/100mL"]))
# 1.611: g/dL per mmol/L of the haemoglobin monomer (16.11 kDa).
HEMOGLOBIN = _accepted((1.0, ["g/dL", "gm/dL", "g/100mL"]), (0.1, ["g/L"]), (1.611, ["mmol/L"]))
CRP = _accepted((1.0, ["mg/L", "ug/mL", "mcg/mL"]), (10.0, ["mg/dL"]))
# 17.1 and 88.4: umol/L per mg/dL of bilirubin (584.7 g/mol) and creatinine (113.12 g/mol), as laboratories round them.
BILIRUBIN = _accepted((1.0, ["umol/L", "mcmol/L"]), (17.1, ["mg/dL"]))
CREATININE = _accepted((1.0, ["umol/L", "mcmol/L"]), (88.4, ["mg/dL"]))
SODIUM = _accepted((1.0, ["mmol/L", "mEq/L"]))
# The international avoirdupois pound, exact since 1959.
WEIGHT = _accepted((1.0, ["kg", "kgs"]), (0.45359237, ["[lb_av]", "lb", "lbs"]))
BODY_MASS_INDEX = _accepted((1.0, ["kg/m2", "kg/m^2", "kg/m**2", "kg/(m2)"]))
