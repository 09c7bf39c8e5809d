"""LORIS, pan-cancer: the chance to respond to immune checkpoint blockade. It is no mortality score, and higher is better."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.published.chart import Chart
from models.published.score import PublishedScore

TUMOUR_TERMS: Mapping[str, float] = {
    "bladder": -0.3323,
    "breast": -0.3323,
    "colorectal": -0.102,
    "endometrial": -0.0079,
    "oesophageal": 0.55,
    "gastric": 0.2306,
    "head and neck": 0.0678,
    "hepatobiliary": -0.1189,
    "melanoma": -0.0086,
    "mesothelioma": 0.1255,
    "nsclc": 0.0008,
    "ovarian": -0.052,
    "pancreatic": -1.1169,
    "renal": 0.5451,
    "sarcoma": 0.0542,
    "sclc": -0.0033,
}


def _loris(chart: Chart) -> float:
    tumour = TUMOUR_TERMS.get(chart.patient.tumour)
    if tumour is None:
        chart.gaps.append("it has no term for this type of tumour")
        tumour = math.nan
    burden = chart.extra("tmb", "the tumour mutational burden per megabase")
    log_odds = (
        0.0371 * min(burden, 50)
        - 0.8775 * chart.history("prior_systemic_therapy")
        + 0.5382 * chart.number("albumin") / 10  # g/dL
        - 0.033 * chart.number("nlr", most=25)
        + 0.0049 * min(chart.patient.age_years, 85)
        + tumour
        - 2.0886
    )
    return 1 / (1 + math.exp(-log_odds))


LORIS = PublishedScore(
    name="loris",
    label="LORIS (response to immunotherapy)",
    made_for="response to immune checkpoint blockade, not mortality; higher is better",
    source="Chang TG et al., Nat Cancer 2024;5:1158, 10.1038/s43018-024-00772-7 (coefficients as rounded in its repository)",
    inputs=("tmb", "prior_systemic_therapy", "albumin", "nlr", "age_years", "tumour"),
    rule=_loris,
    bands=(),
    most=1,
    whole=False,
    higher_is_worse=False,
)
