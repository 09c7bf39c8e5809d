"""Which codes and words of a diagnosis stand for which tumour of the closed list, and which for metastases or for no cancer.

ICD-10 is read by its three-character categories (WHO, ICD-10 version 2019, chapter II), which ICD-10-CM and ICD-10-GM share.
SNOMED CT has many thousands of codes of neoplasms and no order in its numbers: of them the names are read, by site and by kind,
which its releases carry with each code; what names two sites, or none, stays unknown. Lung cancer is two diseases here: the code
of the organ (C34) does not tell which, and the histology has to. A neuroendocrine tumour is another disease than the carcinoma of
its organ, and no patient of the cohorts had one: it is "other".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.tumours import HAEMATOLOGICAL

LUNG, LUNG_CANCERS = "lung, of a kind that is not told", ("nsclc", "sclc")
OTHER = "other"

# first category - last category -> tumour (models.tumours)
_RANGES: tuple[tuple[str, str, str], ...] = (
    ("C00", "C14", "head and neck"),
    ("C15", "C15", "oesophageal"),
    ("C16", "C16", "gastric"),
    ("C17", "C17", "other"),
    ("C18", "C20", "colorectal"),
    ("C21", "C21", "other"),
    ("C22", "C24", "hepatobiliary"),
    ("C25", "C25", "pancreatic"),  # but C25.4
    ("C26", "C29", "other"),
    ("C30", "C32", "head and neck"),
    ("C33", "C34", LUNG),
    ("C37", "C39", "other"),
    ("C40", "C41", "sarcoma"),
    ("C43", "C43", "melanoma"),
    ("C44", "C44", "other"),
    ("C45", "C45", "mesothelioma"),
    ("C46", "C48", "other"),
    ("C49", "C49", "sarcoma"),
    ("C50", "C50", "breast"),
    ("C51", "C53", "other"),
    ("C54", "C55", "endometrial"),
    ("C56", "C56", "ovarian"),
    ("C57", "C60", "other"),
    ("C61", "C61", "prostate"),
    ("C62", "C63", "other"),
    ("C64", "C64", "renal"),
    ("C65", "C68", "bladder"),  # urothelial: pelvis, ureter, bladder
    ("C69", "C69", "other"),
    ("C70", "C72", "cns"),
    ("C73", "C75", "other"),
    ("C76", "C76", "other"),
    ("C80", "C80", "unknown primary"),
    ("C81", "C96", HAEMATOLOGICAL),
)
_NEUROENDOCRINE = ("C254", "C7A")  # the endocrine pancreas; of ICD-10-CM all malignant neuroendocrine tumours
_SECONDARY = ("C77", "C78", "C79", "C7B")  # the last of ICD-10-CM: of neuroendocrine tumours
_CATEGORY = re.compile(r"([A-Z]\d[\dA-Z])(?:\.?[0-9A-Z]{1,4})?", re.ASCII)

# ICD-O-3 morphology (WHO, third edition): histologies that tell the two lung cancers, and neuroendocrine tumours of any site
MORPHOLOGY: Mapping[str, str] = {
    **dict.fromkeys(("8041/3", "8042/3", "8043/3", "8044/3", "8045/3"), "sclc"),
    **dict.fromkeys(("8012/3", "8046/3", "8070/3", "8071/3", "8140/3", "8250/3", "8255/3", "8260/3", "8560/3"), "nsclc"),
    **dict.fromkeys(("8013/3", "8150/3", "8240/3", "8246/3", "8249/3"), "other"),
}
# kinds that are diseases of their own wherever they sit: the first that fits
_KINDS: tuple[tuple[str, str], ...] = (
    (r"non[- ]small[- ]cell", "nsclc"),
    (r"small[- ]cell (lung|carcinoma of (the )?lung|.*lung)|lung.*small[- ]cell", "sclc"),
    (r"(adenocarcinoma|squamous cell carcinoma|large cell carcinoma)\b.*\b(lung|bronch)", "nsclc"),
    (r"\b(lung|bronch\w*)\b.*(adenocarcinoma|squamous cell|large cell)", "nsclc"),
    (r"leuk(a)?emi|lymphom|myelom|myelodysplas|hodgkin", HAEMATOLOGICAL),
    (r"neuroendocrine|carcinoid|islet cell|insulinom|gastrinom", "other"),
    (r"mesotheliom", "mesothelioma"),
    (r"melanom", "melanoma"),
    (r"(?<!carcino)sarcom", "sarcoma"),
    (r"unknown primary|primary (site )?unknown", "unknown primary"),
    (r"\bskin\b", "other"),
)
# organs: of a name that speaks of several, none is chosen
_ORGANS: tuple[tuple[str, str], ...] = (
    (r"pancrea", "pancreatic"),
    (r"bile duct|biliary|cholangio|gallbladder|hepatocell|liver|ampulla of vater", "hepatobiliary"),
    (r"(o)?esophag", "oesophageal"),
    (r"stomach|gastric|\bcardia\b|(o)?esophagogastric|gastro-?(o)?esophageal", "gastric"),
    (r"colon|colorect|rectum|rectal|rectosigmoid|sigmoid|c(a)?ecum", "colorectal"),
    (r"breast", "breast"),
    (r"ovar", "ovarian"),
    (r"endometri|corpus uteri|body of uterus", "endometrial"),
    (r"prostat", "prostate"),
    (r"renal pelvis|ureter|urothel|(?<!gall)(?<!gall )bladder", "bladder"),
    (r"kidney|renal cell", "renal"),
    (r"glioma|glioblastom|brain|astrocytom|central nervous", "cns"),
    (r"larynx|pharynx|tongue|tonsil|oral cavity|head and neck|mouth|salivary|nasal", "head and neck"),
    (r"lung|bronch", LUNG),
    (r"cervix|vulva|vagina|fallopian|testis|penis|thyroid|adrenal|\banus\b|anal canal|duoden|small intestine|thymus", "other"),
    (r"periton", "other"),
)
_BY_KIND = tuple((re.compile(pattern), tumour) for pattern, tumour in _KINDS)
_BY_ORGAN = tuple((re.compile(pattern), tumour) for pattern, tumour in _ORGANS)
_MALIGNANT = re.compile(
    r"malignan|cancer|carcino|neuroendocrine|sarcom|melanom|mesotheliom|leuk(a)?emi|lymphom|myelom|blastom|gliom"
)
_NO_CANCER = re.compile(r"in situ|benign|suspect|screening|history of|family|risk of|borderline|uncertain|premalignan|dysplasia")
_SECONDARY_WORDS = re.compile(r"secondary|metasta")
_LIVER = re.compile(r"\bliver\b|hepatic")


def icd_10_tumour(code: str) -> str:
    """The tumour of an ICD-10 code; none for what is no malignant primary of chapter II.

    >>> icd_10_tumour("C25.9"), icd_10_tumour("C34.1"), icd_10_tumour("C78.7"), icd_10_tumour("D01.0")
    ('pancreatic', 'lung, of a kind that is not told', '', '')
    """
    found = _CATEGORY.fullmatch(plain := code.strip().upper())
    if found is None:
        return ""
    if plain.replace(".", "").startswith(_NEUROENDOCRINE):
        return "other"
    return next((tumour for first, last, tumour in _RANGES if first <= found[1] <= last), "")


def icd_10_secondary(code: str) -> bool:
    """Whether an ICD-10 code is of a secondary malignant neoplasm.

    >>> icd_10_secondary("C78.7"), icd_10_secondary("C25.9")
    (True, False)
    """
    found = _CATEGORY.fullmatch(code.strip().upper())
    return found is not None and found[1] in _SECONDARY


def icd_10_liver(code: str) -> bool:
    """Whether an ICD-10 code is of a secondary malignant neoplasm of the liver (and intrahepatic bile duct).

    >>> icd_10_liver("C78.7"), icd_10_liver("C787"), icd_10_liver("C78.0")
    (True, True, False)
    """
    return code.strip().upper().replace(".", "").startswith(("C787", "C7B02"))


def named_tumours(name: str) -> frozenset[str]:
    """The tumours that the name of a diagnosis may mean: one, several where it speaks of several organs, or none.

    >>> sorted(named_tumours("Primary malignant neoplasm of colon")), sorted(named_tumours("Carcinoma in situ of prostate"))
    (['colorectal'], [])
    >>> sorted(named_tumours("Small cell carcinoma of lung")), sorted(named_tumours("Secondary malignant neoplasm of liver"))
    (['sclc'], [])
    >>> sorted(named_tumours("Malignant neoplasm of esophagogastric junction"))
    ['gastric', 'oesophageal']
    """
    plain = " ".join(name.lower().split())
    if _NO_CANCER.search(plain) or not _MALIGNANT.search(plain) or _SECONDARY_WORDS.search(plain):
        return frozenset()
    kind = next((tumour for pattern, tumour in _BY_KIND if pattern.search(plain)), "")
    return frozenset([kind] if kind else [tumour for pattern, tumour in _BY_ORGAN if pattern.search(plain)])


def named_secondary(name: str) -> bool:
    """Whether the name of a diagnosis is that of metastases.

    >>> named_secondary("Secondary malignant neoplasm of bone (disorder)"), named_secondary("Secondary hypertension")
    (True, False)
    """
    plain = name.lower()
    spread = _SECONDARY_WORDS.search(plain) and (_MALIGNANT.search(plain) or "neoplasm" in plain or "metasta" in plain)
    return bool(spread) and not _NO_CANCER.search(plain)


def names_liver(name: str) -> bool:
    """Whether the name speaks of the liver."""
    return bool(_LIVER.search(name.lower()))


def cancerous(name: str) -> bool:
    """Whether a diagnosis is of a neoplasm at all, so that leaving it aside has to be told of its own."""
    plain = name.lower()
    return bool(_MALIGNANT.search(plain)) or "neoplasm" in plain or "tumor" in plain or "tumour" in plain
