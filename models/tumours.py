"""The closed list of solid tumours the product knows, and the usual ways to write them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

TUMOURS: Mapping[str, tuple[str, ...]] = {  # canonical name -> usual spellings, lower case
    "nsclc": (
        "non-small cell lung cancer",
        "non small cell lung cancer",
        "non-small-cell lung cancer",
        "lung adenocarcinoma",
        "lung squamous",
    ),
    "sclc": ("small cell lung cancer", "small-cell lung cancer", "small cell lung carcinoma"),
    "melanoma": ("skin melanoma", "cutaneous melanoma", "malignant melanoma"),
    "renal": ("renal cell carcinoma", "rcc", "kidney", "kidney cancer", "renal cell", "renal cancer"),
    "bladder": ("urothelial", "bladder cancer", "urothelial carcinoma", "urothelial cancer", "bladder carcinoma"),
    "head and neck": ("head & neck", "head&neck", "head_neck", "hnscc", "head and neck cancer"),
    "gastric": ("stomach", "gastric cancer", "gastroesophageal", "stomach cancer", "gastric carcinoma", "gastric adenocarcinoma"),
    "oesophageal": (
        "esophageal",
        "oesophagus",
        "esophagus",
        "esophageal cancer",
        "oesophageal cancer",
        "esophageal carcinoma",
        "oesophageal carcinoma",
    ),
    "colorectal": (
        "crc",
        "colon",
        "rectal",
        "rectum",
        "colorectal cancer",
        "colon cancer",
        "rectal cancer",
        "colorectal carcinoma",
    ),
    "hepatobiliary": (
        "liver",
        "hcc",
        "hepatocellular",
        "biliary",
        "cholangiocarcinoma",
        "gallbladder",
        "liver cancer",
        "hepatocellular carcinoma",
        "biliary tract cancer",
        "bile duct cancer",
        "gallbladder cancer",
    ),
    "pancreatic": (
        "pancreas",
        "pdac",
        "pancreatic cancer",
        "pancreatic adenocarcinoma",
        "pancreatic ductal adenocarcinoma",
        "pancreatic carcinoma",
    ),
    "breast": ("breast cancer", "breast carcinoma"),
    "ovarian": ("ovary", "ovarian cancer", "ovarian carcinoma"),
    "endometrial": ("uterine", "endometrium", "endometrial cancer", "endometrial carcinoma", "uterine cancer"),
    "prostate": ("prostate cancer", "prostatic", "prostate carcinoma"),
    "sarcoma": ("soft tissue sarcoma", "bone sarcoma"),
    "mesothelioma": ("pleural mesothelioma",),
    "cns": ("brain", "glioma", "glioblastoma"),
    "unknown primary": ("cup", "cancer of unknown primary", "unknown_primary", "carcinoma of unknown primary"),
    "other": ("other solid", "other solid tumour"),
}
HAEMATOLOGICAL = "haematological"
_HAEMATOLOGICAL_WORDS = ("leukaemia", "leukemia", "lymphoma", "myeloma", "hematologic", "haematologic", "myelodysplastic")
_HAEMATOLOGICAL_NAMES = frozenset({HAEMATOLOGICAL, "aml", "all", "cll", "cml", "mds", "nhl", "dlbcl", "mm", "hodgkin"})
# CA19-9 is read only where the tumour may secrete it: pancreatobiliary and gastrointestinal (clinical.md section 6)
CA19_9_TUMOURS = frozenset({"pancreatic", "hepatobiliary", "gastric", "oesophageal", "colorectal"})
LABELS: Mapping[str, str] = {"nsclc": "non-small cell lung", "sclc": "small cell lung", "cns": "central nervous system"}

SPELLINGS = {word: name for name, words in TUMOURS.items() for word in (name, *words)}
SPELLINGS |= {name.replace(" ", "_"): name for name in TUMOURS}


def tumour_named(text: str) -> str:
    """The canonical name of a tumour written in a usual way; ValueError says what is allowed and what was likely meant.

    A haematological malignancy has a name of its own, so that eligibility can refuse it for what it is.

    >>> tumour_named(" Head & Neck ")
    'head and neck'
    >>> tumour_named("pancreatci")
    Traceback (most recent call last):
        ...
    ValueError: one of nsclc, sclc, ... unknown primary, other; perhaps pancreatic
    """
    word = " ".join(text.lower().replace("tumor", "tumour").split())
    if word in SPELLINGS:
        return SPELLINGS[word]
    if word in _HAEMATOLOGICAL_NAMES or any(part in word for part in _HAEMATOLOGICAL_WORDS):
        return HAEMATOLOGICAL
    near = get_close_matches(_site(word), SPELLINGS, n=1, cutoff=0.75)
    perhaps = f"; perhaps {SPELLINGS[near[0]]}" if near else ""
    raise ValueError("one of " + ", ".join(TUMOURS) + perhaps)


def _site(word: str) -> str:
    """The word without "cancer" or "carcinoma", in which "liver cancer" is nearer to the bladder's than to the liver."""
    return word.removesuffix(" cancer").removesuffix(" carcinoma")
