"""The report of a saved model on other cohorts: as it is, beside what is simpler, group by group, and recalibrated there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.telling import sections_comparison, sections_performance
from training.telling.blocks import Block, Heading, Picture, Words, interval, points, table
from training.telling.evidence import EVALUATION
from training.telling.masked_evaluation import masked_evaluation
from training.telling.page import page_html
from training.telling.pictures import drawn_evaluation
from training.telling.pointers import Evidence
from training.telling.sheet import as_png
from training.validate import EVERYBODY, TREATED

_POPULATIONS = {TREATED: TREATED, "inside": "inside the development population"}

Found = Mapping[str, Any]


def elsewhere_html(model: str, digest: str, judgements: Sequence[Found]) -> str:
    """The page of judgements in the shape of `evaluate --json`, one for each cohort, small groups hidden."""
    told, pictures = list[Sequence[Block]](), dict[str, bytes]()
    for place, found in enumerate(judgements):
        evidence, prefix = _evidence(found), f"{place}-"
        drawn = drawn_evaluation(evidence, str(found.get("example", "")))
        pictures |= {prefix + name: as_png(figure) for name, figure in drawn}
        told += [_apart(blocks, found["cohort"], prefix) for blocks in _sections(evidence, found)]
    example = next((str(found["example"]) for found in judgements if "example" in found), "")
    cohorts = ", ".join(str(found["cohort"]) for found in judgements)
    opening = [Words(f"The saved model, digest {digest}, on patients it has not seen: {cohorts}.")]
    return page_html("a saved model on other cohorts", model, opening, told, pictures, example=example)


def _evidence(found: Found) -> Evidence:
    """A judgement as an evaluation of its populations, everybody last."""
    apart = {name: found[key] for key, name in _POPULATIONS.items() if key in found}
    return {EVALUATION: masked_evaluation({"evaluations": {**apart, EVERYBODY: found}}, found["n"])}


def _sections(evidence: Evidence, found: Found) -> list[list[Block]]:
    parts = (
        sections_comparison.beats,
        _performance,
        sections_performance.calibration,
        sections_performance.decisions,
        sections_comparison.strata,
        sections_comparison.comparators,
    )
    return [blocks for part in parts if (blocks := part(evidence))] + [_recalibrated(found)]


def _performance(evidence: Evidence) -> list[Block]:
    blocks: list[Block] = [Heading("Performance"), Words("As the model is, nothing fitted here.")]
    for name, found in evidence[EVALUATION]["evaluations"].items():
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
