"""Scores of a blood count alone, with albumin at most: the NLR, lymphopenia, PNI and SII."""

from __future__ import annotations

from models.lymphopenia import BOUNDARIES, LOWER_LIMIT
from models.published.chart import Chart
from models.published.score import PublishedScore

_OVERALL = "overall survival in advanced cancer"
_NO_OR_YES = ((0.0, "no"), (1.0, "yes"))


def _nlr_above_5(chart: Chart) -> float:
    return chart.above("nlr", 5)


def _alc_below_1(chart: Chart) -> float:
    return chart.below("alc", LOWER_LIMIT)


def _ctcae(chart: Chart) -> float:
    return sum([chart.below("alc", boundary) for boundary in BOUNDARIES])


def _pni(chart: Chart) -> float:
    # 10 x albumin in g/dL + .005 x lymphocytes per mm3, in our units
    return chart.number("albumin") + 5 * chart.number("alc")


def _sii(chart: Chart) -> float:
    # platelets x neutrophils / lymphocytes: the counts of one draw are in its NLR
    return chart.number("platelets") * chart.number("nlr")


COUNTS = (
    PublishedScore(
        name="nlr_above_5",
        label="NLR > 5",
        made_for=_OVERALL,
        source="Templeton AJ et al., J Natl Cancer Inst 2014;106:dju124, 10.1093/jnci/dju124 (cuts of 1.9 to 7.2 in 100 studies)",
        inputs=("nlr",),
        rule=_nlr_above_5,
        bands=_NO_OR_YES,
        most=1,
    ),
    PublishedScore(
        name="alc_below_1",
        label="ALC < 1.0 x 10^9/L",
        made_for=f"{_OVERALL} before chemotherapy",
        source="Ray-Coquard I et al., Cancer Res 2009;69:5383, PMC2775079",
        inputs=("alc",),
        rule=_alc_below_1,
        bands=_NO_OR_YES,
        most=1,
    ),
    PublishedScore(
        name="ctcae_lymphopenia",
        label="CTCAE lymphopenia grade",
        made_for="grading of adverse events",
        source="Common Terminology Criteria for Adverse Events 5.0, National Cancer Institute 2017",
        inputs=("alc",),
        rule=_ctcae,
        bands=(),
        most=4,
    ),
    PublishedScore(
        name="pni",
        label="PNI",
        made_for="operative risk in gastrointestinal surgery; later overall survival",
        source="Onodera T et al., Nihon Geka Gakkai Zasshi 1984;85:1001; in pancreatic cancer PMID 27967240 (cuts of 45 to 49.5)",
        inputs=("albumin", "alc"),
        rule=_pni,
        bands=(),
        whole=False,
        higher_is_worse=False,
    ),
    PublishedScore(
        name="sii",
        label="SII",
        made_for="overall survival in hepatocellular and other cancers",
        source="Hu B et al., Clin Cancer Res 2014;20:6212; review PMC7064450 (cuts of 440 to 900)",
        inputs=("platelets", "nlr"),
        rule=_sii,
        bands=(),
        whole=False,
    ),
)
