"""`cohort.json`: who came into the cohort and who left it and why, who was in it, and what their follow-up can answer."""

from __future__ import annotations

from collections.abc import Mapping

from models.example import EXAMPLE, is_simulated
from models.population import BEHIND
from models.tumours import LABELS
from training.cohort import Cohort, Step
from training.learners.saved_model import deaths_behind
from training.small_cells import SMALLEST, about, masked, masked_by_name, masked_parts, masked_sentence, small
from training.statistics.censoring import FollowUp, StepFunction, survival
from training.statistics.standing import Standing
from training.telling.baseline import baseline


def cohort_facts(cohort: Cohort, standings: Mapping[float, Standing]) -> dict[str, object]:
    """The document, JSON-ready, groups of fewer than ten patients hidden; `standings` by horizon (days)."""
    by_tumour, by_line = deaths_behind(cohort)
    example: dict[str, object] = {"example": EXAMPLE} if is_simulated(cohort.source) else {}
    return example | {
        "name": cohort.name,
        "source": cohort.source,
        "digest": cohort.digest,
        "patients": len(cohort),
        "deaths": int(cohort.follow_up.deaths.sum()),
        "flow": flow_facts(cohort.flow),
        "required": list(cohort.required),
        "baseline": baseline(cohort.patients),
        "deaths_by_tumour": masked_by_name({LABELS.get(name, name): n for name, n in by_tumour.items()}),
        "deaths_by_prior_line": masked_by_name(by_line),
        "outside_below_deaths": BEHIND,
        "follow_up": _follow_up(cohort.follow_up, standings),
        "warnings": [masked_sentence(warning) for warning in cohort.warnings],
        "accepted_suspicions": [masked_sentence(accepted) for accepted in cohort.accepted],
    }


def flow_facts(flow: tuple[Step, ...]) -> list[dict[str, object]]:
    """The flow diagram, JSON-ready: who left and why, how many remained, and their composition to three digits.

    Beside an exclusion of fewer than ten patients the numbers that remained are rounded, the last one apart.
    """
    hide = any(small(step.left) for step in flow)
    told: list[dict[str, object]] = []
    for step in flow:
        n = step.remaining["n"]
        composition = {name: float(f"{value:.3g}") for name, value in step.remaining.items() if name != "n"}
        shown = about(n) if hide and step is not flow[-1] else masked(n)
        told.append({"reason": step.reason, "left": masked(step.left), "remaining": shown, "composition": composition})
    return told


def _follow_up(follow_up: FollowUp, standings: Mapping[float, Standing]) -> dict[str, object]:
    """How long they were followed (median by reverse Kaplan-Meier) and what may be asked at each horizon.

    References
    ----------
    Schemper, Smith. Controlled Clinical Trials 1996;17:343-346. doi:10.1016/0197-2456(96)00075-X
    """
    alive = survival(follow_up)
    return {
        "median_days": _median(survival(FollowUp(follow_up.times, ~follow_up.deaths, follow_up.entries))),
        "median_survival_days": _median(alive),
        "delayed_entry": follow_up.entries is not None,
        "horizons": {f"{day:g}": _horizon(one, float(1 - alive.at(day))) for day, one in standings.items()},
    }


def _median(curve: StepFunction) -> float | None:
    """The first day (to the nearest one) on which a product-limit curve is at one half or below; None where it never is."""
    fallen = curve.days[curve.at(curve.days) <= 0.5]
    return float(round(fallen[0])) if fallen.size else None


def _horizon(one: Standing, died_share: float) -> dict[str, object]:
    deaths, survivors, censored = masked_parts([one.deaths, one.survivors, one.censored_before])
    # beside a hidden count a share with all its digits would give it away
    digits = 2 if any(isinstance(count, str) for count in (deaths, survivors, censored)) else 6
    shown: dict[str, object] = {"died_share": round(died_share, digits)} if one.evaluable else {}
    return shown | {
        "level": one.level,
        "why": masked_sentence(one.why),
        "deaths": deaths,
        "survivors": survivors,
        "censored_before": censored,
        "effective_deaths": _effective(one.effective_deaths),
        "effective_survivors": _effective(one.effective_survivors),
        "min_g": round(one.min_g, digits),
    }


def _effective(size: float) -> float | str:
    """To the nearest ten: an effective size close to a count must not give a hidden one away."""
    return masked(size) if small(size) else float(round(size / SMALLEST) * SMALLEST)
