"""What is told of the cohort: who left and why, who was in it, and what their follow-up can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.telling.blocks import Block, Heading, Picture, Words, number, points, table, unit
from training.telling.evidence import COHORT, EVALUATION, LEARNER
from training.telling.pointers import Evidence

_COMPOSITION = {
    "median_age": ("median age", "{:.0f}"),
    "share_women": ("women", "{:.0%}"),
    "share_previously_treated": ("previously treated", "{:.0%}"),
    "median_nlr": ("median NLR", "{:.1f}"),
    "median_albumin": ("median albumin", "{:.0f} g/L"),
}

Facts = Mapping[str, Any]


def cohort(evidence: Evidence) -> list[Block]:
    """Flow, deaths behind each tumour, warnings."""
    told = evidence[COHORT]
    flow = [(step["reason"], step["left"], step["remaining"], _composition(step["composition"])) for step in told["flow"]]
    lines = "; ".join(f"prior line {answer}: {n} deaths" for answer, n in told["deaths_by_prior_line"].items())
    required = ", ".join(evidence[LEARNER]["required"]) or "none"
    return [
        Heading("Development cohort"),
        Words(f"{told['name']} ({told['source'] or 'source not stated'}), digest {told['digest']}."),
        Words(f"Required of every patient: {required}."),
        Picture("flow", "Flow of patients", "From the rows read to the patients kept, as in the table."),
        *table("Who left, and who remained", ("step", "left", "remain", "who remains"), flow),
        *table("Deaths by tumour", ("tumour", "deaths"), told["deaths_by_tumour"].items()),
        Words(
            f"{lines}. A tumour or a history with fewer than {told['outside_below_deaths']} deaths lies outside the development "
            "population: such patients are scored and marked."
        ),
        *points("Warnings of the reader of the cohort:", told["warnings"]),
        *points("Suspicions accepted by a person:", told["accepted_suspicions"]),
    ]


def _composition(composition: Facts) -> str:
    known = [(label, form.format(composition[name])) for name, (label, form) in _COMPOSITION.items() if name in composition]
    return ", ".join(f"{label} {value}" for label, value in known)


def who(evidence: Evidence) -> list[Block]:
    """The baseline table."""
    told = evidence[COHORT]["baseline"]
    groups = [(row["of"], row["level"], row["patients"]) for row in told["groups"]]
    numbers = [(row["of"], unit(row["unit"]), _quartiles(row), row["missing"], _share(row)) for row in told["numbers"]]
    return [
        Heading("Who was in it"),
        *table("Patients by group", ("of", "group", "patients"), groups),
        *table("Age and measurements", ("", "unit", "median (quartiles)", "not measured", "share"), numbers),
    ]


def _quartiles(row: Facts) -> str:
    if "median" not in row:
        return "fewer than 10 measured"
    return f"{row['median']:g} ({row['lower_quartile']:g} to {row['upper_quartile']:g})"


def _share(row: Facts) -> str:
    return f"{row['missing_share']:.0%}" if "missing_share" in row else ""


def follow_up(evidence: Evidence) -> list[Block]:
    """What may be asked at each horizon, and why not more."""
    told, served = evidence[COHORT]["follow_up"], evidence[LEARNER]["served"]
    head = ("day", "standing", "deaths", "known alive", "censored before", "least G", "died", "reference", "why not more")
    rows = [(day, *_standing(one), _percent(served.get(day)), one["why"]) for day, one in told["horizons"].items()]
    medians = [f"{what} {told[name]:.0f} days" for what, name in _MEDIANS if told[name] is not None]
    drawn = "Kaplan-Meier curve with the standing of each horizon, as in the table."
    return [
        Heading("What the follow-up can answer"),
        Words(
            "G is the probability of still being followed. Died: the Kaplan-Meier share of the cohort. Reference: the risk at "
            "the cohort's average log-odds, from which every explanation starts. A horizon that is not identifiable or not "
            "evaluable is refused." + (f" Median {'; median '.join(medians)}." if medians else "")
        ),
        Picture("survival", "Survival of the cohort", drawn),
        *table("Standing of each horizon", head, rows),
    ]


_MEDIANS = (("survival", "median_survival_days"), ("follow-up by reverse Kaplan-Meier", "median_days"))


def _standing(one: Facts) -> tuple[object, ...]:
    counts = (one["deaths"], one["survivors"], one["censored_before"])
    died = f"{one['died_share']:.1%}" if "died_share" in one else ""
    return (one["level"], *counts, f"{one['min_g']:.2f}", died)


def _percent(served: Facts | None) -> str:
    return "" if served is None else f"{served['reference_risk']:.1%}"


def naive(evidence: Evidence) -> list[Block]:
    """What dropping the censored, or calling them alive, would have said of the share that died."""
    rows = [
        (name, day, *(number(one["naive"].get(how)) for how in ("weighted", "dropped", "called_alive")))
        for name, found in evidence[EVALUATION]["evaluations"].items()
        for day, one in found["horizons"].items()
        if one.get("naive")
    ]
    if not rows:
        return []
    said = "The share that died by each day, weighted for censoring, and as it would be had they been dropped or called alive."
    drawn = Picture("censoring", "What censoring does to the share that died", "Three shares for each day, as in the table.")
    head = ("patients", "day", "weighted", "the censored dropped", "the censored called alive")
    told = table("Share dead by each day", head, rows)
    return [Heading("What two wrong ways with the censored would have said", 3), Words(said), drawn, *told]
