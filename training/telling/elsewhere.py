"""The report of a saved model on other cohorts: as it is, beside what is simpler, group by group, and recalibrated there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.diagnosis.learned_from import NO_EVIDENCE, WITHHELD, learned_from
from training.telling import sections_belief, sections_comparison, sections_performance
from training.telling.blocks import Block, Heading, Picture, Words, interval, points, table
from training.telling.evidence import DIAGNOSIS, EVALUATION
from training.telling.masked_evaluation import masked_evaluation
from training.telling.page import page_html
from training.telling.pictures import drawn_evaluation
from training.telling.pointers import Evidence
from training.telling.sheet import as_png
from training.validate import EVERYBODY, TREATED

_POPULATIONS = {TREATED: TREATED, "inside": "inside the development population"}

Found = Mapping[str, Any]


def elsewhere_html(model: str, digest: str, judgements: Sequence[Found], *, resamples: int) -> str:
    """The page of judgements in the shape of `evaluate --json`, one for each cohort, small groups hidden.

    The "diagnosis" of each is as it may leave the hospital (`Diagnosis.filed`); `resamples` are those of the intervals.
    """
    told, pictures = list[Sequence[Block]](), dict[str, bytes]()
    for place, found in enumerate(judgements):
        evidence, prefix = _evidence(found, resamples), f"{place}-"
        drawn = drawn_evaluation(evidence, str(found.get("example", "")))
        pictures |= {prefix + name: as_png(figure) for name, figure in drawn}
        told += [_apart(blocks, found["cohort"], prefix) for blocks in _sections(evidence, found)]
    example = next((str(found["example"]) for found in judgements if "example" in found), "")
    opening = [Words(f"The saved model, digest {digest}."), *map(_opening, judgements)]
    return page_html("a saved model on other cohorts", model, opening, told, pictures, example=example)


def _opening(found: Found) -> Words:
    """Whether the model knew these patients, before any figure."""
    cohort, answer = found["cohort"], learned_from(found["diagnosis"])
    if answer == "yes":
        return Words(f"{cohort}: {NO_EVIDENCE}", "warning")
    if answer == "not known":
        return Words(f"{cohort}: whether the model learned from some of these patients is not known.")
    return Words(f"{cohort}: none of these patients was found among those the model learned from.")


def _evidence(found: Found, resamples: int) -> Evidence:
    """A judgement as an evaluation of its populations, everybody last, and its diagnosis."""
    apart = {name: found[key] for key, name in _POPULATIONS.items() if key in found}
    judged = {"scheme": {"resamples": resamples}, "evaluations": {**apart, EVERYBODY: found}}
    return {DIAGNOSIS: found["diagnosis"], EVALUATION: masked_evaluation(judged, found["n"])}


def _sections(evidence: Evidence, found: Found) -> list[list[Block]]:
    known = learned_from(found["diagnosis"]) == "yes"
    doubt = [Words(NO_EVIDENCE, "warning")] if known else []
    parts = (
        sections_performance.calibration,
        sections_performance.decisions,
        sections_comparison.strata,
        sections_comparison.comparators,
    )
    rest = [_performance(evidence), *(blocks for part in parts if (blocks := part(evidence))), _recalibrated(found)]
    return [_believed(evidence, found), _beats(evidence, known), *([one[0], *doubt, *one[1:]] for one in rest)]


def _believed(evidence: Evidence, found: Found) -> list[Block]:
    """The diagnosis, Fails first, and how often the cohort was looked at."""
    heading, *findings = sections_belief.belief(evidence)
    look = found["look"]
    said = (
        "This look at the cohort is not counted: there was no ledger."
        if look is None
        else f"Look {look} at this cohort: who looks often, and keeps what did well, has chosen by it."
    )
    return [heading, Words(said), *findings]


def _beats(evidence: Evidence, known: bool) -> list[Block]:
    heading, *said = sections_comparison.beats(evidence)
    return [heading, Words(WITHHELD, "warning")] if known else [heading, *said]


def _performance(evidence: Evidence) -> list[Block]:
    """The statistics of every population, of the model as it is."""
    told = evidence[EVALUATION]
    blocks: list[Block] = [
        Heading("Performance"),
        *sections_performance.few_resamples(told),
        Words("The saved model as it is, without recalibration on this cohort."),
    ]
    for name, found in told["evaluations"].items():
        blocks += [Heading(f"{name.capitalize()}: {found['n']} patients", 3), *sections_performance.statistics(found)]
        blocks += points("Refused:", (f"day {day}: {why}" for day, why in found["refused"].items()))
    return blocks


def _recalibrated(found: Found) -> list[Block]:
    """Overall fit and calibration after recalibration here; the order of the patients, and so the AUC, stays what it was."""
    blocks: list[Block] = [
        Heading("After recalibration here"),
        Words("Cross-fitted: no patient was judged by a map fitted on them. Comparators are recalibrated the same way."),
    ]
    for how, one in found.get("recalibrated", {}).items():
        blocks.append(Heading(how.capitalize(), 3))
        if "refused" in one:
            blocks.append(Words(f"Refused: {one['refused']}.", "quiet"))
            continue
        rows = [(day, *_fit(each), *_gained(one, day)) for day, each in one["horizons"].items()]
        head = ("day", "IPA", "Brier", "slope", "observed:expected", *_names(one))
        blocks += table(f"Recalibrated, {how}; IPA gained over simple models", head, rows)
    return blocks


def _fit(one: Found) -> tuple[str, ...]:
    line = one["calibration"]
    return tuple(map(interval, (one["ipa"], one["brier"], line["slope"], line["observed_expected"])))


def _simple(one: Found) -> list[Found]:
    return [each for each in one["comparators"] if each["kind"] == "simple" and each["available"]]


def _names(one: Found) -> list[str]:
    return [f"over {each['label']}" for each in _simple(one)]


def _gained(one: Found, day: str) -> list[str]:
    return [interval(each["horizons"].get(day, {}).get("difference", {}).get("ipa")) for each in _simple(one)]


def _apart(blocks: Sequence[Block], cohort: object, prefix: str) -> list[Block]:
    """The blocks of one cohort among others: the heading names it, the pictures are its own."""
    first, *rest = blocks
    named: Block = Heading(f"{cohort}: {first.text}") if isinstance(first, Heading) else first
    return [named, *(replace(one, name=prefix + one.name) if isinstance(one, Picture) else one for one in rest)]
