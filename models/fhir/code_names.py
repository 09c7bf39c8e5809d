"""What a code is called where nobody wrote it beside it: a short list, since a wrong name is worse than an unknown code.

Only codes that an implementation guide, published resources or several independent sources show under this name. Public tables
of such codes contradict each other (one and the same number stands for irinotecan in one and for cisplatin in another), and none
was copied. A code that is not here and comes without words is listed as not understood.

References
----------
SNOMED CT disorders: value set of primary malignant neoplasms of HL7 CodeX (standardhealth/fsh-pct, OncoTreeVS, 2021); HL7 mCODE
(STU 4, 2024), its examples and its radiotherapy course summary. RxNorm ingredients: National Library of Medicine; here those that
FHIR examples of cancer therapy or at least two independent sources agree on.
"""

from __future__ import annotations

from collections.abc import Mapping

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

_DISORDERS = {
    "371967001": "Primary malignant neoplasm of ampulla of Vater",
    "371970002": "Primary malignant neoplasm of biliary tract",
    "93689003": "Primary malignant neoplasm of bladder",
    "372137005": "Primary malignant neoplasm of breast",
    "254837009": "Malignant neoplasm of breast",
    "408643008": "Infiltrating duct carcinoma of breast",
    "93727008": "Primary malignant neoplasm of brain",
    "371984007": "Primary malignant neoplasm of esophagus",
    "372014001": "Primary malignant neoplasm of stomach",
    "93849006": "Primary malignant neoplasm of kidney",
    "95214007": "Primary malignant neoplasm of liver",
    "93880001": "Primary malignant neoplasm of lung",
    "254637007": "Non-small cell lung cancer",
    "254632001": "Small cell carcinoma of lung",
    "93934004": "Primary malignant neoplasm of ovary",
    "372003004": "Primary malignant neoplasm of pancreas",
    "363418001": "Malignant tumor of pancreas",
    "93974005": "Primary malignant neoplasm of prostate",
    "93761005": "Primary malignant neoplasm of colon",
    "109838007": "Overlapping malignant neoplasm of colon",
    "94181007": "Secondary malignant neoplasm of axillary lymph nodes",
    "94222008": "Secondary malignant neoplasm of bone",
    "94260004": "Secondary malignant neoplasm of colon",
    "94381002": "Secondary malignant neoplasm of liver",
}
_PROCEDURES = {
    "1217123003": "Radiotherapy course of treatment",
    "152198000": "Brachytherapy",
    "367336001": "Chemotherapy",
    "703423002": "Combined chemotherapy and radiation therapy",
}
_INGREDIENTS = {
    "12574": "gemcitabine",
    "40048": "carboplatin",
    "56946": "paclitaxel",
    "72962": "docetaxel",
    "2555": "cisplatin",
    "32592": "oxaliplatin",
    "4492": "fluorouracil",
    "194000": "capecitabine",
    "1547545": "pembrolizumab",
    "1597876": "nivolumab",
}
NAMES: Mapping[tuple[str, str], str] = {
    **{(SNOMED, code): name for code, name in (_DISORDERS | _PROCEDURES).items()},
    **{(RXNORM, code): name for code, name in _INGREDIENTS.items()},
}
