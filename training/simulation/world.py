"""The made-up hospitals, tumours and settings of care that simulated patients come from.

Every number here is an assumption of the size seen in published cohorts of advanced solid tumours, not a measurement of
any cohort. The hospitals are the same whatever the seed, so that a model can be tested on new patients of the hospitals
it was fitted in.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """What patients look like before a given line: medians, standard deviations, shares.

    ``alc`` and ``anc`` are medians in 10*9/L and ``alc_sd``, ``anc_sd`` standard deviations of their natural
    logarithms; albumin is in g/dL; ``ecog`` are the shares with ECOG 0, 1, 2, 3; ``liver`` the share with liver
    metastases.
    """

    alc: float
    alc_sd: float
    anc: float
    anc_sd: float
    albumin: float
    albumin_sd: float
    ecog: tuple[float, float, float, float]
    liver: float


PANCREATIC_SECOND_LINE = Setting(1.25, 0.50, 4.7, 0.48, 3.75, 0.47, (0.20, 0.50, 0.24, 0.06), 0.78)
PANCREATIC_LATER_LINES = Setting(1.05, 0.55, 4.9, 0.52, 3.60, 0.50, (0.13, 0.48, 0.30, 0.09), 0.80)
OTHER_TUMOURS = Setting(1.15, 0.55, 5.2, 0.50, 3.80, 0.47, (0.25, 0.50, 0.20, 0.05), 0.40)
SETTINGS = (PANCREATIC_SECOND_LINE, PANCREATIC_LATER_LINES, OTHER_TUMOURS)

LINES = (2, 3, 4, 5, 6)
LINE_SHARES = (0.48, 0.28, 0.14, 0.07, 0.03)


@dataclass(frozen=True)
class Tumour:
    """One tumour type: its share of the cohort, its log hazard relative to pancreatic cancer, who has it and how it is treated.

    ``ca19_9`` is the mean log10 U/mL of secretors before the second line, None where CA19-9 is not applicable. ``regimens`` are
    (modality, agents joined by " + "), in the usual order.
    """

    name: str
    share: float
    hazard: float
    age: float
    male: float
    irradiated: float
    ca19_9: float | None
    regimens: tuple[tuple[str, str], ...]


_PLATINUM = ("chemotherapy", "carboplatin + paclitaxel")
_FOLFIRI = ("chemotherapy", "irinotecan + fluorouracil + leucovorin")
_PD1 = ("immunotherapy", "pembrolizumab")

TUMOURS = (
    Tumour("pancreatic", 0.42, 0.0, 65, 0.53, 0.20, 3.1, (
        ("chemotherapy", "oxaliplatin + irinotecan + fluorouracil + leucovorin"),
        ("chemotherapy", "gemcitabine + nab-paclitaxel"),
        ("chemotherapy", "liposomal irinotecan + fluorouracil + leucovorin"),
    )),
    Tumour("colorectal", 0.13, -0.70, 63, 0.56, 0.20, 2.0, (
        ("chemotherapy", "oxaliplatin + fluorouracil + leucovorin"), _FOLFIRI, ("targeted", "cetuximab"),
    )),
    Tumour("gastric", 0.08, -0.25, 63, 0.65, 0.15, 1.9, (
        ("chemotherapy", "oxaliplatin + capecitabine"), ("targeted", "ramucirumab + paclitaxel"), _PD1,
    )),
    Tumour("nsclc", 0.14, -0.45, 66, 0.55, 0.45, None, (_PLATINUM, _PD1, ("chemotherapy", "docetaxel"))),
    Tumour("melanoma", 0.06, -0.75, 62, 0.60, 0.25, None, (_PD1, ("targeted", "dabrafenib + trametinib"))),
    Tumour("renal", 0.05, -0.70, 63, 0.70, 0.20, None, (("targeted", "cabozantinib"), ("immunotherapy", "nivolumab"))),
    Tumour("breast", 0.07, -0.65, 58, 0.01, 0.50, None, (
        ("chemotherapy", "doxorubicin + cyclophosphamide"),
        ("chemotherapy", "capecitabine"),
        ("targeted", "trastuzumab deruxtecan"),
    )),
    Tumour("ovarian", 0.05, -0.60, 61, 0.0, 0.10, None, (_PLATINUM, ("targeted", "bevacizumab"))),
)


@dataclass(frozen=True)
class Site:
    """One hospital: its log hazard, its laboratory and its habits of testing.

    ``alc`` and ``anc`` are shifts of the natural logarithm, ``albumin`` a shift in g/dL; ``ldh_uln`` is in U/L,
    ``ca19_9_cap`` in U/mL; the last five are shares: not measured (CA19-9, LDH, CRP, anything else) and drugs of the
    last 14 days not asked about.
    """

    name: str
    share: float
    hazard: float
    alc: float
    anc: float
    albumin: float
    ldh_uln: float
    ca19_9_cap: float
    no_ca19_9: float
    no_ldh: float
    no_crp: float
    no_other: float
    not_asked: float


SITES = (
    Site("S01", 0.14, -0.05, 0.01, -0.03, 0.04, 250, 120_000, 0.03, 0.05, 0.10, 0.01, 0.03),
    Site("S02", 0.12, 0.11, -0.03, 0.04, -0.02, 205, 120_000, 0.03, 0.20, 0.50, 0.02, 0.03),
    Site("S03", 0.11, -0.13, 0.04, 0.00, 0.07, 250, 12_000, 0.10, 0.05, 0.10, 0.02, 0.05),
    Site("S04", 0.10, 0.02, -0.06, 0.02, -0.05, 280, 120_000, 0.03, 0.20, 0.90, 0.03, 0.05),
    Site("S05", 0.09, 0.26, 0.02, -0.06, 0.01, 205, 12_000, 0.10, 0.50, 0.90, 0.05, 0.10),
    Site("S06", 0.09, -0.21, 0.08, 0.01, 0.02, 250, 120_000, 0.03, 0.05, 0.10, 0.01, 0.03),
    Site("S07", 0.08, 0.18, -0.01, 0.07, -0.08, 190, 12_000, 0.50, 0.50, 0.50, 0.06, 0.25),
    Site("S08", 0.07, -0.10, 0.05, -0.02, 0.05, 250, 120_000, 0.10, 0.20, 0.50, 0.03, 0.05),
    Site("S09", 0.06, 0.06, -0.08, -0.08, -0.03, 225, 2_000, 0.03, 0.05, 0.10, 0.02, 0.03),
    Site("S10", 0.05, -0.29, 0.00, 0.05, 0.08, 280, 12_000, 0.10, 0.20, 0.50, 0.03, 0.10),
    Site("S11", 0.05, 0.15, -0.04, 0.03, -0.01, 205, 120_000, 0.50, 0.50, 0.90, 0.06, 0.25),
    Site("S12", 0.04, -0.01, 0.03, -0.04, -0.06, 250, 2_000, 0.03, 0.05, 0.10, 0.02, 0.05),
)
