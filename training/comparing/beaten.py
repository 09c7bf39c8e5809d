"""Does the model beat what was there before it? One sentence, with an interval for each of the simple models."""

from __future__ import annotations

from collections.abc import Sequence

from training.comparing.compared import Comparison
from training.comparing.simple_models import SIMPLE
from training.small_cells import masked_sentence
from training.statistics.estimates import LEAST_RESAMPLES, Estimate


def beaten_sentence(comparisons: Sequence[Comparison], day: float) -> str:
    """Whether the AUC by `day` exceeds that of each simple model, with the difference, its interval and in how many patients."""
    by_name = {one.name: one for one in comparisons}
    verdicts = [_verdict(by_name[name], day) for name in SIMPLE if name in by_name]
    return f"Does it beat them by day {day:g}? " + "; ".join(verdicts) + "." if verdicts else ""


def _verdict(one: Comparison, day: float) -> str:
    at = one.horizons.get(day)
    if at is None:
        return f"{one.label}: cannot be said ({masked_sentence(one.why) or 'not judged at this horizon'})"
    return f"{one.label}: {_words(at.auc_gain)} in {one.as_json()['n']} patients"


def _words(gain: Estimate) -> str:
    if gain.value is None:
        return f"cannot be said ({gain.why})"
    if gain.low is None or gain.high is None:
        return f"AUC {gain.value:+.3f}, {gain.why}"
    answer = "yes" if gain.low > 0 else "no, it is worse" if gain.high < 0 else "not shown"
    if gain.resamples < LEAST_RESAMPLES:
        answer = f"no verdict from {gain.resamples} resamples ({LEAST_RESAMPLES} are needed)"
    return f"{answer}, AUC {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
