"""What has shifted, in words and tables: every line in both, the difference, the distances beside chance, and a plain word."""

from __future__ import annotations

from collections.abc import Iterator

from serving.receipts.attributions.distances import KS, PSI, VARIATION, WASSERSTEIN, Words
from serving.receipts.attributions.lines import INPUT, RISK, SHARE, TERM, Line
from serving.receipts.attributions.look import Look
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.rounded import FEW, count, is_logarithm, rounded, shown
from serving.receipts.attributions.shift import Shift, Shifted, Side
from serving.receipts.telling import Row, Section

BEYOND, WITHIN = "more than chance", "within chance"
_HEADER = ("", "first", "second", "difference of the means", "gap (chance)", "Wasserstein, SDs (chance)", "PSI (chance)", "p", "")
_OF_SHARES = ("", "first", "second", "difference, points", "p", "")


def shifted(look: Look) -> Iterator[Section]:
    """The comparison, where one was made."""
    if look.shift is None:
        return
    answers = [one for one in look.shift.lines if one.line.kind in (RISK, TERM)]
    inputs = [one for one in look.shift.lines if one.line.kind == INPUT]
    shares = [one for one in look.shift.lines if one.line.kind == SHARE]
    yield Section("What has shifted", tuple(_summary(look, look.shift)))
    median = "Median with the 10th and 90th percentile; terms in log-odds."
    yield Section("Risks and terms", (median,), (_HEADER, *map(_row, answers)))
    known = "Values that were known, in the unit of the input; of a yes or no, the share of yes."
    yield Section("Inputs", (known,), (_HEADER, *map(_row, inputs)))
    if shares:
        yield Section("In how many an input was not known, or in doubt", (), (_OF_SHARES, *map(_share, shares)))
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
    beyond = [one.line.label for one in shift.lines if one.beyond_chance]
    named = ": " + "; ".join(beyond) if beyond else ""
    yield f"{len(beyond) or 'None'} of {len(shift.lines)} lines lies further apart than chance makes{named}."


def _row(one: Shifted) -> Row:
    gap = _distance(one, VARIATION if isinstance(one.line.measure, Words) else KS)
    distances = (gap, _distance(one, WASSERSTEIN), _distance(one, PSI))
    return (label(one.line), *_sides(one), _difference(one), *distances, *_verdict(one))


def _share(one: Shifted) -> Row:
    return (one.line.label, *_sides(one), _difference(one), *_verdict(one))


def label(line: Line) -> str:
    """What the line is of, with its unit."""
    unit = line.of.unit if line.of is not None and line.kind == INPUT else ""
    return line.label + (f", {unit}" if unit not in ("", "1", "{score}") else "")


def _sides(one: Shifted) -> tuple[str, str]:
    return _side(one.line, one.first), _side(one.line, one.second)


def _side(line: Line, side: Side) -> str:
    if side.quantiles:
        if line.kind == RISK:
            low, middle, high = (f"{100 * each:.1f}" for each in side.quantiles)
            return f"{middle} % ({low} to {high})"
        low, middle, high = (f"{shown(each, _scale(line)):.3g}" for each in side.quantiles)
        return f"{middle} ({low} to {high})"
    if side.mean is not None:
        return f"{100 * side.mean:.1f} %"
    return FEW if isinstance(line.measure, Words) and line.measure.levels == 2 else "by level"


def _difference(one: Shifted) -> str:
    """In points of a share or a risk; of a logarithm, as a ratio."""
    if one.difference is None:
        return ""
    if isinstance(one.line.measure, Words) or one.line.kind == RISK:
        return rounded(one.difference, "{:+.1f}", 100)
    if is_logarithm(scale := _scale(one.line)):
        ratio = Figure(*(shown(each, scale) for each in (one.difference.value, one.difference.low, one.difference.high)))
        return "times " + rounded(ratio, "{:.2f}")
    return rounded(one.difference, "{:+.2f}")


def _scale(line: Line) -> str:
    return line.of.scale if line.of is not None else "identity"


def _distance(one: Shifted, name: str) -> str:
    found = one.distances.get(name)
    return "" if found is None else f"{found.value:.3f} ({found.chance:.3f})"


def _verdict(one: Shifted) -> tuple[str, str]:
    return f"{one.p:.3f}", BEYOND if one.beyond_chance else WITHIN
