"""Scores that count points, one for each finding on the wrong side of its cut."""

from __future__ import annotations

from models.published.chart import Chart
from models.published.score import PublishedScore

_LOW_OR_HIGH = ((0.0, "low risk"), (2.0, "high risk"))


def _grim(chart: Chart) -> float:
    return chart.above("nlr", 6) + chart.above_normal("ldh") + chart.below("albumin", 35)


def _rmh(chart: Chart) -> float:
    return chart.above_normal("ldh") + chart.below("albumin", 35) + (chart.history("metastatic_sites") > 2)


def _pmhi(chart: Chart) -> float:
    return chart.below("albumin", 35) + (chart.history("metastatic_sites") > 2) + chart.above("ecog", 0)


def _hammersmith(chart: Chart) -> float:
    return chart.below("albumin", 35) + chart.above("ldh", 450) + chart.below("sodium", 135)


def _lipi(chart: Chart) -> float:
    return chart.derived_ratio_above(3) + chart.above_normal("ldh")


def _mgps(chart: Chart) -> float:
    inflamed, low = chart.above("crp", 10), chart.below("albumin", 35)
    return inflamed + (inflamed and low)


def _mps(chart: Chart) -> float:
    return chart.below("albumin", 40) + chart.above("nlr", 4)


def _mda_ici(chart: Chart) -> float:
    return (
        (chart.patient.age_years > 52)
        + chart.above("ecog", 1)
        + chart.above("ldh", 466)
        + chart.above("platelets", 300)
        + chart.above("anc", 4.9)
        + chart.below("alc", 1.8)
        + (chart.history("liver_metastases") > 0)
    )


POINTS = (
    PublishedScore(
        name="grim",
        label="GRIm",
        made_for="overall survival in phase I trials of immunotherapy",
        source="Bigot F et al., Eur J Cancer 2017;84:212; meta-analysis PMC10586078",
        inputs=("nlr", "ldh", "albumin"),
        rule=_grim,
        bands=_LOW_OR_HIGH,
        most=3,
    ),
    PublishedScore(
        name="rmh",
        label="RMH",
        made_for="overall survival in phase I trials",
        source="Arkenau HT et al., J Clin Oncol 2009;27:2692, 10.1200/JCO.2008.19.5081; validation PMID 21823111",
        inputs=("ldh", "albumin", "metastatic_sites"),
        rule=_rmh,
        bands=((0, "good"), (2, "poor")),
        most=3,
    ),
    PublishedScore(
        name="pmhi",
        label="PMHI",
        made_for="death within 90 days in phase I trials",
        source="Chau NG et al., BMC Cancer 2011;11:426, 10.1186/1471-2407-11-426",
        inputs=("albumin", "metastatic_sites", "ecog"),
        rule=_pmhi,
        bands=(),
        most=3,
    ),
    PublishedScore(
        name="hammersmith",
        label="Hammersmith",
        made_for="overall survival in phase I trials",
        source="Stavraka C et al., Cancer 2014;120:262, 10.1002/cncr.28381",
        inputs=("albumin", "ldh", "sodium"),
        rule=_hammersmith,
        bands=_LOW_OR_HIGH,
        most=3,
    ),
    PublishedScore(
        name="lipi",
        label="LIPI",
        made_for="overall survival in non-small cell lung cancer on immunotherapy",
        source="Kazandjian D et al., JAMA Oncol 2019;5:1481, 10.1001/jamaoncol.2019.1747",
        inputs=("anc", "wbc", "ldh"),
        rule=_lipi,
        bands=((0, "good"), (1, "intermediate"), (2, "poor")),
        most=2,
    ),
    PublishedScore(
        name="mgps",
        label="mGPS",
        made_for="overall and cancer-specific survival",
        source="McMillan DC et al., Int J Colorectal Dis 2007;22:881, 10.1007/s00384-006-0259-6; Br J Cancer 2011;104:726",
        inputs=("crp", "albumin"),
        rule=_mgps,
        bands=(),
        most=2,
    ),
    PublishedScore(
        name="mps",
        label="MPS",
        made_for="overall survival in metastatic pancreatic cancer",
        source="Lebenthal JM et al., Cancer 2021;127:1568, 10.1002/cncr.33420",
        inputs=("albumin", "nlr"),
        rule=_mps,
        bands=(),
        most=2,
    ),
    PublishedScore(
        name="mda_ici",
        label="MDA-ICI",
        made_for="overall survival in phase I trials of immunotherapy",
        source="Sen S et al., Br J Cancer 2018;118:763, 10.1038/bjc.2017.480 (LDH > 466 U/L, .75 times the upper limit there)",
        inputs=("age_years", "ecog", "ldh", "platelets", "anc", "alc", "liver_metastases"),
        rule=_mda_ici,
        # nobody in the publication had all seven
        bands=((0, "0 to 2 factors"), (3, "3 factors"), (4, "4 factors"), (5, "5 or more factors")),
        most=7,
    ),
)
