"""Which drugs are systemic cancer therapy, of which kind, and which move a blood count: steroids and G-CSF.

A drug is told by its ATC code, else by an ingredient's name within the words beside any code, which RxNorm's product names hold
("Paclitaxel 100 MG Injection"). What is not here is listed by whoever reads, and never counted as "no therapy".

References
----------
WHO Collaborating Centre for Drug Statistics Methodology, ATC index 2025: groups L01 (antineoplastic agents), L02 (endocrine
therapy), L03AA (colony stimulating factors), V03AF (detoxifying agents, no therapy of the tumour), H02AB (glucocorticoids).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

ATC = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")

_NAMES: Mapping[str, str] = {
    "chemotherapy": """
        altretamine azacitidine bendamustine bleomycin busulfan cabazitaxel capecitabine carboplatin carmustine cisplatin
        cyclophosphamide cytarabine dacarbazine dactinomycin daunorubicin decitabine docetaxel doxorubicin epirubicin eribulin
        estramustine etoposide fludarabine fluorouracil fotemustine gemcitabine ifosfamide irinotecan ixabepilone lomustine
        lurbinectedin melphalan mercaptopurine methotrexate mitomycin mitotane mitoxantrone nedaplatin oxaliplatin paclitaxel
        pemetrexed procarbazine raltitrexed streptozocin tegafur temozolomide thiotepa topotecan trabectedin trifluridine
        vinblastine vincristine vindesine vinflunine vinorelbine
    """,
    "immunotherapy": """
        aldesleukin atezolizumab avelumab camrelizumab cemiplimab dostarlimab durvalumab ipilimumab nivolumab pembrolizumab
        relatlimab retifanlimab sintilimab tebentafusp tislelizumab toripalimab tremelimumab
    """,
    "targeted": """
        abemaciclib adagrasib afatinib alectinib alpelisib axitinib bevacizumab binimetinib brigatinib cabozantinib capivasertib
        capmatinib ceritinib cetuximab cobimetinib crizotinib dabrafenib dacomitinib datopotamab encorafenib enfortumab
        entrectinib erdafitinib erlotinib everolimus fruquintinib futibatinib gefitinib imatinib infigratinib ivosidenib
        lapatinib larotrectinib lenvatinib lorlatinib margetuximab mirvetuximab neratinib niraparib olaparib osimertinib
        palbociclib panitumumab pazopanib
        pemigatinib pertuzumab ponatinib pralsetinib ramucirumab regorafenib repotrectinib ribociclib ripretinib rucaparib
        sacituzumab selpercatinib selumetinib sorafenib sotorasib sunitinib talazoparib temsirolimus tepotinib tisotumab tivozanib
        trametinib trastuzumab tucatinib vandetanib vemurafenib zanidatamab zenocutuzumab zolbetuximab aflibercept
    """,
    "endocrine": """
        abiraterone anastrozole apalutamide bicalutamide darolutamide degarelix elacestrant enzalutamide exemestane flutamide
        fulvestrant goserelin lanreotide letrozole leuprolide leuprorelin megestrol nilutamide octreotide relugolix tamoxifen
        toremifene triptorelin
    """,
    "steroid": "betamethasone cortisone dexamethasone hydrocortisone methylprednisolone prednisolone prednisone triamcinolone",
    "g-csf": "efbemalenograstim eflapegrastim filgrastim lenograstim lipegfilgrastim pegfilgrastim sargramostim tbo-filgrastim",
}
_TWO_WORDS: Mapping[str, str] = {
    "protein-bound paclitaxel": "nab-paclitaxel",
    "paclitaxel protein-bound": "nab-paclitaxel",
    "nab-paclitaxel": "nab-paclitaxel",
    "albumin-bound paclitaxel": "nab-paclitaxel",
    "liposomal irinotecan": "liposomal irinotecan",
    "irinotecan liposome": "liposomal irinotecan",
    "irinotecan liposomal": "liposomal irinotecan",
    "5-fu": "fluorouracil",
    "leuprolide": "leuprorelin",
}
# a combination by its usual name (leucovorin, which treats no tumour, left out): NCCN pancreatic and colon guidelines, 2025
_REGIMENS: Mapping[str, tuple[str, ...]] = {
    "folfirinox": ("fluorouracil", "irinotecan", "oxaliplatin"),
    "mfolfirinox": ("fluorouracil", "irinotecan", "oxaliplatin"),
    "nalirifox": ("fluorouracil", "liposomal irinotecan", "oxaliplatin"),
    "mfolfox": ("fluorouracil", "oxaliplatin"),
    "folfox": ("fluorouracil", "oxaliplatin"),
    "folfiri": ("fluorouracil", "irinotecan"),
    "capox": ("capecitabine", "oxaliplatin"),
    "xelox": ("capecitabine", "oxaliplatin"),
}
_KIND_OF_ATC: tuple[tuple[str, str], ...] = (  # the first that fits
    ("L01FF", "immunotherapy"),  # PD-1 and PD-L1 inhibitors
    ("L01FX04", "immunotherapy"),  # ipilimumab
    ("L01FX20", "immunotherapy"),  # tremelimumab
    ("L01F", "targeted"),
    ("L01E", "targeted"),
    ("L01XK", "targeted"),  # PARP inhibitors
    ("L01A", "chemotherapy"),
    ("L01B", "chemotherapy"),
    ("L01C", "chemotherapy"),
    ("L01D", "chemotherapy"),
    ("L01XA", "chemotherapy"),  # platinum
    ("L01", "other"),
    ("L02", "endocrine"),
    ("L03AA", "g-csf"),
    ("H02AB", "steroid"),
)
# by another way than through the blood they move no count
_LOCAL = re.compile(r"topical|cream|ointment|ophthalmic|nasal|inhal|otic|lotion|eye drop|ear drop|metered dose|shampoo|enema")


class Drug(NamedTuple):
    """A drug as far as it matters here: its name, and the modality it is."""

    name: str
    modality: str


@cache
def _by_name() -> Mapping[str, str]:
    return {name: modality for modality, names in _NAMES.items() for name in names.split()}


@cache
def _pattern() -> re.Pattern[str]:
    every = sorted({*_by_name(), *_TWO_WORDS, *_REGIMENS}, key=len, reverse=True)
    return re.compile(r"(?<![a-z])(" + "|".join(map(re.escape, every)) + r")(?![a-z])")


def drugs_named(name: str) -> tuple[Drug, ...]:
    """The drugs whose ingredients stand in the name of a product or a regimen; none where it stays on the surface.

    >>> drugs_named("Paclitaxel 100 MG Injection"), drugs_named("hydrocortisone 10 MG/ML Topical Cream")
    ((Drug(name='paclitaxel', modality='chemotherapy'),), ())
    >>> [drug.name for drug in drugs_named("FOLFOX + bevacizumab")]
    ['fluorouracil', 'oxaliplatin', 'bevacizumab']
    """
    plain = " ".join(name.lower().split())
    if _LOCAL.search(plain):
        return ()
    agents = [agent for found in _pattern().findall(plain) for agent in _REGIMENS.get(found, (_TWO_WORDS.get(found, found),))]
    return tuple(Drug(agent, _modality(agent)) for agent in dict.fromkeys(agents))


def _modality(agent: str) -> str:
    known = _by_name()
    return known.get(agent) or known[agent.removeprefix("liposomal ").removeprefix("nab-")]


def drug_of_atc(code: str) -> str:
    """The modality of an ATC code; none for what is no therapy of a tumour and moves no count.

    >>> drug_of_atc("L01FF02"), drug_of_atc("L01BC05"), drug_of_atc("V03AF03")
    ('immunotherapy', 'chemotherapy', '')
    """
    return next((kind for prefix, kind in _KIND_OF_ATC if code.strip().upper().startswith(prefix)), "")
