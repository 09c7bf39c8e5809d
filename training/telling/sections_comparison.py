"""What is told beside the performance: simpler models on the same patients, strata, splits, and the study declared before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.comparing.by_chance import off_by_chance
from training.comparing.simple_models import WORDS
from training.telling.blocks import Block, Heading, Picture, Table, Words, interval, missing, points, table
from training.telling.evidence import COMPARATORS, EVALUATION, STUDY, TEST
from training.telling.pointers import Evidence
from training.telling.sections_performance import few_resamples, shown_day, slug, statistics

ALBUMIN = "albumin alone"
FEW = "no verdict from so few resamples"

Facts = Mapping[str, Any]


def beats(evidence: Evidence) -> list[Block]:
    """Whether the model beats the simple models: a sentence with an interval for each, at the horizon that is shown."""
    said = [sentence for name, found in evidence[EVALUATION]["evaluations"].items() for sentence in _beats(evidence, name, found)]
    return [Heading("Does it beat simpler models?"), *(Words(sentence) for sentence in said)]


def _beats(evidence: Evidence, name: str, found: Facts) -> Iterator[str]:
    day = shown_day(found["horizons"])
    if day is None:
        yield f"{name.capitalize()}: no horizon can be judged."
        return
    few = bool(few_resamples(evidence[EVALUATION]))
    simple = [one for one in found.get("comparators", ()) if one["kind"] == "simple"]
    for one in simple:
        gain = one["horizons"].get(day, {}).get("difference", {}).get("auc") if one["available"] else None
        yield _sentence(name, day, one["n"], one["label"], gain, one.get("why", ""), few)
    if not simple:
        gain = evidence[EVALUATION].get("over_albumin_alone", {}).get(name, {}).get(day)
        yield _sentence(name, day, found["n"], ALBUMIN, gain, "it was not measured in enough of them", few)


def _sentence(name: str, day: str, n: object, label: str, gain: Facts | None, why: str, few: bool) -> str:
    opening = f"{name.capitalize()}, by day {day}, against {label}"
    if gain is None:
        return f"{opening}: not available: {why or 'not compared at this day'}."
    said = FEW if few else verdict(gain)
    return f"{opening} ({n} patients): AUC gained {interval(gain)}: {said}."


def verdict(gain: Facts) -> str:
    """What an interval of a difference allows to be said.

    >>> verdict({"value": 0.03, "low": 0.01, "high": 0.05}), verdict({"value": 0.03, "low": -0.01, "high": 0.05})
    ('better', 'not distinguishable')
    """
    if gain.get("value") is None or gain.get("low") is None:
        return "no interval, so nothing can be said"
    if gain["low"] > 0:
        return "better"
    return "worse" if gain["high"] < 0 else "not distinguishable"


def comparators(evidence: Evidence) -> list[Block]:
    """Every comparator on the same patients, those not available with the reason."""
    blocks: list[Block] = []
    for name, found in evidence[EVALUATION]["evaluations"].items():
        day = shown_day(found["horizons"])
        there = [one for one in found.get("comparators", ()) if one["available"] and day in one["horizons"]]
        if there and day is not None:
            alt = "For each comparator its AUC and how much the model's is above or below it, with 95 % intervals."
            blocks += [Picture(f"comparators-{slug(name)}", f"Comparators, {name}", f"{alt} The table says the same.")]
        head = ("comparator", "kind", "patients", "AUC", "AUC gained over it", "IPA gained over it")
        blocks += table(f"Comparators by day {day}, {name}", head, (_comparator(one, str(day)) for one in there))
        gone = table("Not available", ("comparator", "kind", "why"), _gone(found, there))
        blocks += [each for each in gone if each not in blocks]
    opening = Words("The same patients and the same resamples on both sides; a gain above 0 is the model's.")
    told = [*_not_varied(evidence), *blocks] if blocks else missing("Comparators", "none were evaluated")
    return [Heading("Comparators on the same patients"), opening, *told]


def _not_varied(evidence: Evidence) -> Iterator[Block]:
    """What a simple model was named with in advance and cannot use, being the same for everybody."""
    for one in evidence.get(COMPARATORS, {}).get("models", {}).values():
        same = [WORDS.get(name, name) for name in one["features"] if name not in one["varied"]]
        if same:
            named = f"{one['label']}: named in advance with {', '.join(same)} as well"
            yield Words(f"{named}, which is the same for (almost) everybody here.")


def _gone(found: Facts, there: Sequence[Facts]) -> Iterator[tuple[object, ...]]:
    return ((one["label"], one["kind"], _reason(one)) for one in found.get("comparators", ()) if one not in there)


def _reason(one: Facts) -> str:
    return str(one.get("why") or "no horizon can be judged").removeprefix("not available: ")


def _comparator(one: Facts, day: str) -> tuple[object, ...]:
    found = one["horizons"][day]
    gains = found.get("difference", {})
    return (one["label"], one["kind"], one["n"], interval(found["auc"]), interval(gains.get("auc")), interval(gains.get("ipa")))


def strata(evidence: Evidence) -> list[Block]:
    """Performance by stratum at the horizon that is shown; small ones hidden."""
    blocks: list[Block] = []
    for name, found in evidence[EVALUATION]["evaluations"].items():
        day = shown_day(found["horizons"])
        shown = [one for one in found.get("strata", ()) if day is not None and float(one["day"]) == float(day)]
        if shown:
            alt = "AUC and observed over expected in each stratum, with 95 % intervals."
            blocks += [Picture(f"strata-{slug(name)}", f"Strata, {name}", f"{alt} The table says the same.")]
        head = ("by", "stratum", "patients", "deaths", "AUC", "observed:expected")
        blocks += table(f"Strata by day {day}, {name}", head, map(_stratum, shown))
        blocks += [Words(f"{off_by_chance(shown)[1]}; the groups overlap.")] if shown else []
    opening = Words("A stratum is judged with the risks of the one model; groups of fewer than ten patients are hidden.")
    return [Heading("Strata"), opening, *(blocks or missing("Strata", "none were evaluated"))]


def _stratum(one: Facts) -> tuple[object, ...]:
    return (one["by"], one["level"], one["n"], one["deaths"], interval(one.get("auc")), interval(one.get("observed_expected")))


def splits(evidence: Evidence) -> list[Block]:
    """Later patients judged by a model of earlier ones, and each site by a model of the others."""
    blocks: list[Block] = []
    for name, found in evidence[EVALUATION].get("splits", {}).items():
        blocks.append(Heading(name.capitalize(), 3))
        if "horizons" in found:
            opening = f"{found['how'].capitalize()}. " if found.get("how") else ""
            blocks += [Words(f"{opening}{found['n']} patients judged."), *statistics(found)]
            head = ("by", "stratum", "patients", "deaths", "AUC", "observed:expected")
            blocks += table(f"{name.capitalize()}, each apart", head, map(_stratum, found.get("strata", ())))
            blocks += points("Refused:", (f"day {day}: {why}" for day, why in found["refused"].items()))
        else:
            blocks += missing(name.capitalize(), str(found.get("refused", "no reason was given")))
    return [Heading("Splits"), *(blocks or missing("Splits by time and by site", "none were evaluated"))]


def test(evidence: Evidence) -> list[Block]:
    """The patients that a study kept for the end, and how often they have been looked at; nothing where none were kept."""
    if TEST not in evidence:
        return []
    said = "Nobody here was learned from. A test cohort wears out: every look at it is counted."
    blocks: list[Block] = [Heading("Patients kept for the end"), Words(said)]
    for one in evidence[TEST]["cohorts"]:
        blocks += [Heading(f"{one['cohort']}, look {one['look']} at it", 3)]
        for name, found in one["evaluations"].items():
            named = f"{one['cohort']}, {name}, {found['n']} patients"
            blocks += [replace(each, caption=named) for each in statistics(found) if isinstance(each, Table)]
            blocks += [Words(sentence) for sentence in _beats(evidence, f"{one['cohort']}, {name}", found)]
            blocks += points(f"Refused, {name}:", (f"day {day}: {why}" for day, why in found["refused"].items()))
    return blocks


def study(evidence: Evidence) -> list[Block]:
    """What was declared before training, and what the search found; as it stands in the document."""
    heading = Heading("What was declared before training")
    if STUDY not in evidence:
        return [heading, *missing("Study", "no study file was given: the defaults were used")]
    told = {name: value for name, value in evidence[STUDY].items() if name != "card"}
    rows = [(name.replace("_", " "), _written(value)) for name, value in told.items() if not _nested(value)]
    blocks: list[Block] = [heading, *table("Study", ("declared", ""), rows)]
    for name, value in told.items():
        if isinstance(value, Mapping) and value:
            flat = tuple((key.replace("_", " "), _written(each)) for key, each in value.items())
            blocks += [Table(name.replace("_", " ").capitalize(), ("declared", ""), flat)]
    return blocks


def _nested(value: object) -> bool:
    return isinstance(value, Mapping)


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_written(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
