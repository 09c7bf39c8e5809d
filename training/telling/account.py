"""What a data scientist is told of a cohort before anything is fitted: who left and why, and what the follow-up can answer."""

from __future__ import annotations

from collections.abc import Mapping

from models.example import EXAMPLE, is_simulated
from training.cohort import Cohort, Step
from training.learners.plan import HORIZONS
from training.statistics.standing import Standing, standing

_WORDS = {
    "median_age": ("median age", "{:.0f}"),
    "share_women": ("women", "{:.0%}"),
    "share_previously_treated": ("previously treated", "{:.0%}"),
    "median_nlr": ("median NLR", "{:.1f}"),
    "median_albumin": ("median albumin", "{:.0f} g/L"),
}


def standings(cohort: Cohort) -> dict[float, Standing]:
    """The standing of every horizon the product reports."""
    return {day: standing(cohort.follow_up, day) for day in HORIZONS}


def account_json(cohort: Cohort) -> dict[str, object]:
    """The flow diagram, warnings, accepted suspicions and the standing of each horizon, JSON-ready."""
    found = standings(cohort)
    example = {"example": EXAMPLE} if is_simulated(cohort.source) else {}
    return {
        **example,
        "cohort": cohort.name,
        "source": cohort.source,
        "digest": cohort.digest,
        "n": len(cohort),
        "deaths": int(cohort.follow_up.deaths.sum()),
        "flow": [{"reason": step.reason, "left": step.left, "remaining": dict(step.remaining)} for step in cohort.flow],
        "warnings": list(cohort.warnings),
        "accepted": list(cohort.accepted),
        "horizons": {f"{day:g}": _standing_json(one) for day, one in found.items() if one.evaluable},
        "refused": {f"{day:g}": f"{one.level}: {one.why}" for day, one in found.items() if not one.evaluable},
    }


def _standing_json(one: Standing) -> dict[str, object]:
    counts = {name: getattr(one, name) for name in ("level", "deaths", "survivors", "censored_before", "min_g")}
    return counts | ({"why": one.why} if one.why else {})


def account_text(cohort: Cohort) -> str:
    """The same for a reader."""
    lines = [f"{cohort.name}: {len(cohort)} patients, {int(cohort.follow_up.deaths.sum())} deaths", "", "Who is in it"]
    if is_simulated(cohort.source):
        lines.insert(0, EXAMPLE)
    lines += map(_step, cohort.flow)
    lines += ["", "What the follow-up can answer"]
    for day, one in standings(cohort).items():
        counts = f"{one.deaths} deaths, {one.survivors} known alive, {one.censored_before} censored before"
        lines.append(f"  {day:>4g} d  {one.level}: {counts}" + (f" ({one.why})" if one.why else ""))
    if cohort.warnings:
        lines += ["", "Warnings", *(f"  {warning}" for warning in cohort.warnings)]
    if cohort.accepted:
        lines += ["", "Accepted", *(f"  {accepted}" for accepted in cohort.accepted)]
    return "\n".join(lines)


def _step(step: Step) -> str:
    left = step.reason if step.reason == "rows read" else f"- {step.left} left: {step.reason}"
    return f"  {left}; {step.remaining['n']:.0f} remain{_composition(step.remaining)}"


def _composition(remaining: Mapping[str, float]) -> str:
    words = [f"{label} {form.format(remaining[name])}" for name, (label, form) in _WORDS.items() if name in remaining]
    return f" ({', '.join(words)})" if words else ""
