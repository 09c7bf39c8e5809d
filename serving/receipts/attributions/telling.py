"""Attributions in words and tables, the words first: what is told, of how many, what is left out, and how it was reckoned.

Numbers are rounded for the eye; the table of numbers (`numbers`) has every digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from serving.receipts.attributions.chance import SHUFFLES
from serving.receipts.attributions.importance import (
    ABSOLUTE,
    ABSOLUTE_POINTS,
    ESTIMATES,
    LARGEST,
    SIGNED,
    SIGNED_POINTS,
    UNCLEAR,
    Importance,
)
from serving.receipts.attributions.look import Look
from serving.receipts.attributions.reading import Counts
from serving.receipts.attributions.resampling import LEVEL, RESAMPLES, SEED, Figure
from serving.receipts.attributions.rounded import FEW, count, percent, rounded
from serving.receipts.attributions.strata import CALLED
from serving.receipts.attributions.telling_shift import shifted
from serving.receipts.telling import Row, Section

OPENING, GROUPS, APART = "opening", "groups", "apart"  # names of sections, for what stands beside them on a page
_SOURCES = (
    "Mean absolute SHAP terms as a measure of global importance: Lundberg SM and others. Nat Mach Intell 2020;2:56-67. "
    "doi:10.1038/s42256-019-0138-9",
    "Intervals by resampling patients: Efron B. Ann Stat 1979;7:1-26. doi:10.1214/aos/1176344552",
)
_SOURCES_OF_SHIFT = (
    "Kolmogorov-Smirnov distance: Smirnov N. Ann Math Stat 1948;19:279-281. doi:10.1214/aoms/1177730256",
    "Wasserstein-1 distance: Villani C. Optimal transport. 2009. doi:10.1007/978-3-540-71050-9",
    "Population stability index: Jeffreys H. Proc R Soc Lond A 1946;186:453-461. doi:10.1098/rspa.1946.0056",
    "Total variation: Gibbs AL, Su FE. Int Stat Rev 2002;70:419-435. doi:10.1111/j.1751-5823.2002.tb00178.x",
    "The largest of many under shuffling (max T): Westfall PH, Young SS. Resampling-based multiple testing. 1993",
    "Shuffles count themselves: Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010;9:39. doi:10.2202/1544-6115.1585",
)


_OF_GROUPS = (  # what a column is called, its figure, and how it is written
    ("mean size of the change, points", ABSOLUTE_POINTS, "{:.1f}"),
    ("mean change, points", SIGNED_POINTS, "{:+.1f}"),
    ("mean size of the term, log-odds", ABSOLUTE, "{:.3f}"),
    ("largest of all", LARGEST, "%"),
    ("not distinguishable from none", UNCLEAR, "%"),
    ("rests on estimates", ESTIMATES, "%"),
)
_OF_INPUTS = (("mean size", ABSOLUTE, "{:.3f}"), ("mean", SIGNED, "{:+.3f}"), ("estimated in", ESTIMATES, "%"))


def sections(look: Look) -> list[Section]:
    """Everything, in the order in which it is read."""
    return [opening(look), *_importance(look), *_apart(look), *shifted(look), *_reckoned(look)]


def title(look: Look) -> str:
    """What is told, in a line."""
    against = f", and what differs in {look.question.against}" if look.question.against else ""
    return f"What drove the risk of death within {look.question.horizon} days: {look.question.period}{against}"


def opening(look: Look) -> Section:
    """Of how many it is told, and who is left out."""
    lines = list(_of_how_many(look.read, look.question.every))
    if look.against is not None:
        lines += [f"Compared with {look.against.period}:", *_of_how_many(look.against, look.question.every)]
    return Section(title(look), (*lines, *filter(None, [look.untold])), name=OPENING)


def _of_how_many(read: Counts, every: bool) -> Iterator[str]:
    last = "counted is every receipt" if every else "counted is the last receipt of each patient"
    yield f"{read.receipts:,} receipts of scores; told of {count(read.patients)} patients: {last}."
    if read.left_out:
        yield "Left out: " + ", ".join(f"{times:,} {why}" for why, times in read.left_out.items()) + "."
    if read.stopped:
        yield f"Not all of it was read: what was written from {read.stopped} on is left out."
    if len(read.models) > 1:
        named = ", ".join(f"{one.name} ({one.digest[:16]})" for one in read.models)
        yield f"{len(read.models)} models answered: {named}."


def _importance(look: Look) -> Iterator[Section]:
    if look.found is None:
        return
    risk, reference = look.found.risk, look.found.reference
    total = sum(one.figures[SIGNED_POINTS].value for one in look.found.groups)
    lines: tuple[str, ...] = (
        f"Mean risk {percent(risk)}; at the average log-odds of the development cohort {100 * reference.value:.1f} %. "
        f"The mean changes of the groups sum to the difference, {total:+.1f} percentage points.",
    )
    rows = tuple(_rows("group", look.found.groups, _OF_GROUPS))
    yield Section("By clinical group", (*lines, *_still(look.found.groups)), rows, GROUPS)
    credit = "Credit between inputs that go together (ALC, neutrophils and NLR) is arbitrary: read the groups first."
    lines = (credit, *_still(look.found.inputs))
    yield Section("By input, in log-odds", lines, tuple(_rows("input", look.found.inputs, _OF_INPUTS)))


def moves(one: Importance) -> bool:
    """Whether it moved any risk at all."""
    return one.figures[ABSOLUTE].value > 0


def _still(found: Sequence[Importance]) -> Iterator[str]:
    if still := [one.label for one in found if not moves(one)]:
        yield f"Moved no risk at all: {', '.join(still)}."


def _rows(what: str, found: Sequence[Importance], columns: Sequence[tuple[str, str, str]]) -> Iterator[Row]:
    yield (what, *(called for called, _, _ in columns))
    for one in filter(moves, found):
        yield (one.label, *(_cell(one.figures.get(name), form) for _, name, form in columns))


def _cell(figure: Figure | None, form: str) -> str:
    if figure is None:
        return FEW
    return percent(figure) if form == "%" else rounded(figure, form)


def _apart(look: Look) -> Iterator[Section]:
    if not look.question.by or look.found is None:
        return
    groups = [one.name for one in look.found.groups if moves(one)]
    rows: list[Row] = [(CALLED[look.question.by], "patients", "mean risk", *groups)]
    for part in look.parts:
        by_name = {one.name: one.figures[ABSOLUTE_POINTS] for one in part.found.groups}
        cells = (_cell(by_name[name], "{:.1f}") for name in groups)
        rows.append((part.label, f"{part.found.patients:,}", percent(part.found.risk), *cells))
    lines = (
        "Mean size of the change in percentage points, by clinical group.",
        f"A level of {FEW} patients is told together with the next smallest, so that nobody can be told apart by subtraction.",
    )
    yield Section(f"By {CALLED[look.question.by]}", lines, tuple(rows), APART)


def _reckoned(look: Look) -> Iterator[Section]:
    """How it was reckoned, and after whom."""
    lines = [
        f"Ranges in brackets are {LEVEL} % intervals of {RESAMPLES} resamples by patient (seed {SEED}): they say what these "
        "patients leave open, and nothing of patients elsewhere.",
        "A term moves the log-odds of one risk; its size is without its sign. Percentage points are those of the answers. "
        "A receipt without a pseudonym counts as a patient of its own. The time bound keeps a risk from falling as the horizon "
        "grows, and is no SHAP value.",
    ]
    if look.shift is not None:
        lines.append(
            f"Chance: the patients of both were shuffled {SHUFFLES} times (same seed); beside each distance stands what 95 of "
            "100 shuffles stay below. p holds a line against the largest of all lines in each shuffle, so that many looks at "
            "once make no finding; at most .05 is told as more than chance. The gap is the Kolmogorov-Smirnov distance, of words "
            "and shares the total variation; the bins of the PSI are the deciles of the first, with half a patient added to each."
        )
    lines.append("Association, not cause: a large share in the risks is no ground for treating what it stands for.")
    yield Section("How it was reckoned", (*lines, *_SOURCES, *(_SOURCES_OF_SHIFT if look.shift is not None else ())))
