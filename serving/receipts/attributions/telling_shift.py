"""What has shifted, in words and tables: every line in both, the difference, the distances beside chance, and a plain word.

What lies further apart than chance makes stands first in each table.
"""

from __future__ import annotations

from collections.abc import Iterator

from serving.receipts.attributions.distances import KS, PSI, VARIATION, WASSERSTEIN
from serving.receipts.attributions.lines import INPUT, RISK, SHARE, TERM, What
from serving.receipts.attributions.look import Look
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.rounded import FEW, count, is_logarithm, rounded, shown
from serving.receipts.attributions.shift import Shift, Shifted, Side
from serving.receipts.telling import Row, Section

SHIFT = "shift"  # name of the sections that hold tables of it
BEYOND, WITHIN = "more than chance", "within chance"
_WHAT, _SAID = "what", "beside chance"
_DISTANCES = ("gap (chance)", "Wasserstein, SDs (chance)", "PSI (chance)")
_HEADER = (_WHAT, "first", "second", "difference of the means", *_DISTANCES, "p", _SAID)
_OF_SHARES = (_WHAT, "first", "second", "difference, points", "p", _SAID)


def shifted(look: Look) -> Iterator[Section]:
    """The comparison, where one was made."""
    if look.shift is None:
        return
    ordered = sorted(look.shift.lines, key=lambda one: not one.beyond_chance)
    answers = [one for one in ordered if one.what.kind in (RISK, TERM)]
    inputs = [one for one in ordered if one.what.kind == INPUT]
    shares = [one for one in ordered if one.what.kind == SHARE]
    yield Section("What has shifted", tuple(_summary(look, look.shift)))
    median = "Median with the 10th and 90th percentile; terms in log-odds."
    yield Section("Risks and terms", (median,), (_HEADER, *map(_row, answers)), SHIFT)
    known = "Values that were known, in the unit of the input; of a yes or no, the share of yes."
    yield Section("Inputs", (known,), (_HEADER, *map(_row, inputs)), SHIFT)
    if shares:
        yield Section("In how many an input was not known, or in doubt", (), (_OF_SHARES, *map(_share, shares)), SHIFT)
    if look.shift.untold:
        yield Section("Not compared", tuple(f"{label}: {why}" for label, why in look.shift.untold.items()))


def _summary(look: Look, shift: Shift) -> Iterator[str]:
    yield (
        f"First: {look.question.period} ({shift.first:,} patients). Second: {look.question.against} ({shift.second:,}). "
        f"In both: {count(shift.in_both)}."
    )
    yield (
        "What was answered is compared, and the patients differ: a shift may lie in them, in what was measured, or in the model. "
        "What another model says of the same patients, lymphorisk audit replay --with tells."
    )
    beyond = [one.what.label for one in shift.lines if one.beyond_chance]
    named = ": " + "; ".join(beyond) if beyond else ""
    lie = "lie" if len(beyond) > 1 else "lies"
    yield f"{len(beyond) or 'None'} of {len(shift.lines)} lines {lie} further apart than chance makes{named}."


def _row(one: Shifted) -> Row:
    gap = _distance(one, VARIATION if one.what.words else KS)
    distances = (gap, _distance(one, WASSERSTEIN), _distance(one, PSI))
    return (label(one.what), *_sides(one), _difference(one), *distances, *_verdict(one))


def _share(one: Shifted) -> Row:
    return (one.what.label, *_sides(one), _difference(one), *_verdict(one))


def label(what: What) -> str:
    """What it is, with its unit."""
    unit = what.of.unit if what.of is not None and what.kind == INPUT else ""
    return what.label + (f", {unit}" if unit not in ("", "1", "{score}") else "")


def _sides(one: Shifted) -> tuple[str, str]:
    return _side(one.what, one.first), _side(one.what, one.second)


def _side(what: What, side: Side) -> str:
    if side.quantiles:
        if what.kind == RISK:
            low, middle, high = (f"{100 * each:.1f}" for each in side.quantiles)
            return f"{middle} % ({low} to {high})"
        low, middle, high = (f"{shown(each, _scale(what)):.3g}" for each in side.quantiles)
        return f"{middle} ({low} to {high})"
    if side.mean is not None:
        return f"{100 * side.mean:.1f} %"
    return FEW if what.share else "by level"


def _difference(one: Shifted) -> str:
    """In points of a share or a risk; of a logarithm, as a ratio."""
    if one.difference is None:
        return ""
    if one.what.words or one.what.kind == RISK:
        return rounded(one.difference, "{:+.1f}", 100)
    if is_logarithm(scale := _scale(one.what)):
        ratio = Figure(*(shown(each, scale) for each in (one.difference.value, one.difference.low, one.difference.high)))
        return "times " + rounded(ratio, "{:.2f}")
    return rounded(one.difference, "{:+.2f}")


def _scale(what: What) -> str:
    return what.of.scale if what.of is not None else "identity"


def _distance(one: Shifted, name: str) -> str:
    found = one.distances.get(name)
    return "" if found is None else f"{found.value:.3f} ({found.chance:.3f})"


def _verdict(one: Shifted) -> tuple[str, str]:
    return f"{one.p:.3f}", BEYOND if one.beyond_chance else WITHIN
