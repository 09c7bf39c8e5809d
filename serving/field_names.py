"""The fields of a request, and which unknown names an error may repeat: those made of our own words, never anybody's name.

"ageYears" or "risk" tells whoever has to put a request right where to look. Another name may be a patient's, and is not repeated.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache

from models.analytes import ANALYTES, BY_LOINC
from models.history import HISTORY_FIELDS

PATIENT_FIELDS = ("id", "as_of", "index_date", "age_years", "sex", "tumour", "measurements", "treatments", "history", "extra")
MEASUREMENT_FIELDS = ("analyte", "loinc", "value", "unit", "date", "uln", "method")
TREATMENT_FIELDS = ("line", "modality", "agents", "start", "end", "outcome")
FIELDS = frozenset(("patients", "compared_with", *PATIENT_FIELDS, *MEASUREMENT_FIELDS, *TREATMENT_FIELDS, *HISTORY_FIELDS))
LOOKED_UP = 8  # unknown names of an object that are held against the known ones

_MORE_WORDS = """
address admin age answer base birth birthdate birthday body ca19 calibration cell code comment comments config constructor count
created data death description diagnosis digest disclaimer dob dose drug email ethnicity explanation family first gender given
group haemoglobin horizon index info input inputs interval item key kind lab label last limit logit lymphocyte lymphocytes meta
metadata mode model mrn name neutrophil neutrophils note notes number odds output override patient payload pct percent phone
prediction probability proto prototype quality race raw receipt ref reference response result results risk role schema score
secret seed sequence shap signature site source ssn stage standing state status store subject system tag target telephone test
text threshold time timestamp title token tumor type uid units upper user uuid values version warnings weights witness
"""
_CALLED = {  # what charts call an analyte, where its spelling is nearer to another's or to none
    "lymphocytes": "alc",
    "lymphocyte count": "alc",
    "absolute lymphocyte count": "alc",
    "neutrophils": "anc",
    "neutrophil count": "anc",
    "absolute neutrophil count": "anc",
    "leukocytes": "wbc",
    "hgb": "hemoglobin",
    "hb": "hemoglobin",
    "plt": "platelets",
    "tbil": "bilirubin",
    "kps": "karnofsky",
}
_EXACTLY = {name.replace("_", " "): name for name in ANALYTES}
_EXACTLY |= {known.label.lower().replace("-", " "): name for name, known in ANALYTES.items()}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SHAPE = re.compile(r"[$_]{0,2}[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


_NAMES = (*FIELDS, *ANALYTES, *_MORE_WORDS.split())
_OURS = frozenset(form for name in _NAMES for word in (name, *_words(name)) for form in (word, f"{word}s"))


@lru_cache(maxsize=4096)
def repeatable(name: str) -> bool:
    """Whether an error may repeat the name of a field: one of ours, or made of nothing but our words.

    >>> repeatable("as_of"), repeatable("ageYears"), repeatable("__proto__"), repeatable("JaneDoe"), repeatable("patient 4711")
    (True, True, True, False, False)
    """
    if name in FIELDS:
        return True
    words = _words(name)
    digits = sum(sign.isdigit() for sign in name)
    return bool(words) and digits < 4 and bool(_SHAPE.fullmatch(name)) and all(word in _OURS for word in words)


def meant(name: str, known: tuple[str, ...]) -> str:
    """The known field that an unknown name is likely a spelling of, or nothing."""
    return next(iter(get_close_matches(name, known, n=1)), "")


def analyte_meant(name: str) -> str:
    """The analyte that an unknown name likely means: by what charts call it, else by how it is spelt.

    >>> analyte_meant("Lymphocytes"), analyte_meant("HGB"), analyte_meant("CA19-9"), analyte_meant("cea")
    ('alc', 'hemoglobin', 'ca19_9', '')
    """
    word = " ".join(_WORD.findall(name.lower()))
    return _CALLED.get(word) or meant(name.lower(), tuple(ANALYTES))


@lru_cache(maxsize=1024)
def analyte_called(name: str) -> str:
    """The analyte of exactly that name, label, LOINC code or what charts call it; nothing that is merely spelt like it.

    >>> analyte_called("CA 19-9"), analyte_called("Hb"), analyte_called("731-0"), analyte_called("ALT"), analyte_called("LDL")
    ('ca19_9', 'hemoglobin', 'alc', '', '')
    """
    word = " ".join(re.split(r"[\s_-]+", name.strip().lower()))
    return BY_LOINC.get(name.strip()) or _EXACTLY.get(word) or _CALLED.get(word, "")


def misspelt(name: str, known: str) -> bool:
    """Whether the name is so near to a long field of ours that it is nobody's name, and may be repeated."""
    return len(known) >= 7 and bool(_SHAPE.fullmatch(name)) and bool(get_close_matches(name, [known], n=1, cutoff=0.85))
