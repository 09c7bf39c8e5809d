"""The model card: what a model is for, whom it learned from, how good it is and where it must not be used.

Every number is taken from the run; `card.json` keeps them whole, `card.md` tells them rounded. Groups of fewer than ten
patients are hidden in both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.example import EXAMPLE
from models.population import ACUTE_ANC, ADULT, BEHIND, RUNNING_DAYS
from models.risk import RiskModel, sigmoid
from models.tumours import LABELS
from training.cohort import Cohort, Step
from training.fit import Fit
from training.small_cells import about, masked, masked_by_name, masked_parts, masked_sentence, masked_within, small
from training.statistics.standing import Standing
from training.telling.attribution import Attribution, attribution
from training.telling.card_text import card_text
from training.validate import EVERYBODY, Validation

NOT_FOR = (
    f"anybody under {ADULT:g} years",
    "haematological malignancies",
    f"an acute state (neutrophils below {ACUTE_ANC:g} 10*9/L): score again after recovery",
    f"somebody whose current line has been running for more than {RUNNING_DAYS:g} days",
    "choosing, giving or withholding a treatment: the model is prognostic, and its terms are associations, not causes",
    "claiming that raising a count would prolong a life",
)


def card_files(cohort: Cohort, fit: Fit, validation: Validation) -> dict[str, bytes]:
    """The card as files of the artifact: `card.json`, and `card.md` written from it."""
    facts = card_facts(cohort, fit, validation)
    document = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return {"card.json": document.encode(), "card.md": card_text(json.loads(document)).encode()}


def card_facts(cohort: Cohort, fit: Fit, validation: Validation) -> dict[str, object]:
    """Everything the card says, JSON-ready; a model of simulated patients says so first."""
    model = fit.model
    example: dict[str, object] = {"example": EXAMPLE} if model.simulated else {}
    return example | {
        "model": model.name,
        "trained_on": model.trained_on,
        "intended_use": model.facts["intended_use"],
        "not_for": list(NOT_FOR),
        "limits": model.facts["limits"],
        "time_origin": model.population.time_origin,
        "cohort": _cohort(cohort, fit),
        "horizons": [_horizon(one, fit) for one in fit.standings.values()],
        "learner": _learner(fit),
        "performance": _performance(validation, len(cohort)),
        "features": _features(fit, attribution(fit)),
        "left_out": {name: masked_sentence(reason) for name, reason in fit.choice.left_out.items()},
    }


def _cohort(cohort: Cohort, fit: Fit) -> dict[str, object]:
    population, required = fit.model.population, fit.model.required
    return {
        "name": cohort.name,
        "source": cohort.source,
        "digest": cohort.digest,
        "patients": len(cohort),
        "deaths": int(cohort.follow_up.deaths.sum()),
        "flow": flow_facts(cohort.flow),
        "required": [fit.model.design.of[name].label for name in required],
        "deaths_by_tumour": masked_by_name({LABELS.get(name, name): n for name, n in population.deaths_by_tumour.items()}),
        "deaths_by_prior_line": masked_by_name(population.deaths_by_prior_line),
        "outside_below_deaths": BEHIND,
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


def _horizon(one: Standing, fit: Fit) -> dict[str, object]:
    deaths, survivors, censored = masked_parts([one.deaths, one.survivors, one.censored_before])
    served = fit.model.days.index(int(one.horizon)) if one.horizon in fit.model.days else None
    return {
        "days": one.horizon,
        "level": one.level,
        "why": masked_sentence(one.why),
        "deaths": deaths,
        "survivors": survivors,
        "censored_before": censored,
        "effective_deaths": _effective(one.effective_deaths),
        "effective_survivors": _effective(one.effective_survivors),
        "min_g": one.min_g,
        "served": served is not None,
    } | ({} if served is None else _served(fit.model, served))


def _served(model: RiskModel, place: int) -> dict[str, object]:
    """What holds at a served horizon: who died, the risk at the cohort's average log-odds, the calibration map."""
    mapped = model.calibration
    return {
        "died_share": model.horizons[place].died_share,
        "reference_risk": float(sigmoid(model.base)[place]),
        "calibration_map": {"intercept": float(mapped.intercept[place]), "slope": float(mapped.slope[place])},
    }


def _effective(size: float) -> float | str:
    """Two digits: an effective size close to a count must not give a hidden one away."""
    return masked(size) if small(size) else float(f"{size:.2g}")


def _learner(fit: Fit) -> dict[str, object]:
    facts = fit.model.facts
    return {
        "saved": fit.learner,
        "chosen_by": facts["learner_chosen_by"],
        "cross_validated_ipa": dict(fit.learner_ipa),
        "cross_validation": facts["cross_validation"],
        "refits_for_intervals": len(fit.model.refits.first),
        "variables_named_in_advance": fit.choice.named_in_advance,
        "promotable": facts["promotable"],
        "promotable_why": masked_sentence(str(facts["promotable_why"])),
    }


def _performance(validation: Validation, patients: int) -> dict[str, Any]:
    """The validation as JSON, its counts hidden where they are small, with the number of resamples behind the intervals."""
    told: dict[str, Any] = validation.as_json()
    drawn = [one.auc.resamples for found in validation.evaluations.values() for one in found.horizons.values()]
    whole = {day: one.standing for day, one in validation.evaluations[EVERYBODY].horizons.items()}
    for name, found in told["evaluations"].items():
        found["n"] = masked_within(found["n"], patients)
        for day, one in found["horizons"].items():
            one |= _counts(validation.evaluations[name].horizons[float(day)].standing, whole.get(float(day)))
        found["refused"] = {day: masked_sentence(why) for day, why in found["refused"].items()}
    return told | {"resamples": max(drawn, default=0)}


def _counts(part: Standing, whole: Standing | None) -> dict[str, int | str]:
    """Counts of a population at one horizon, of which neither one nor what it lacks of everybody's is small."""
    names = ("deaths", "survivors", "censored_before")
    shown = dict(zip(names, masked_parts([getattr(part, name) for name in names]), strict=True))
    if whole is None or whole is part:
        return shown
    within = {name: masked_within(getattr(part, name), getattr(whole, name)) for name in names}
    return {name: within[name] if isinstance(within[name], str) else shown[name] for name in names}


def _features(fit: Fit, terms: Attribution) -> list[dict[str, object]]:
    """Every feature of the model, the largest mean term first."""
    sizes, missing = terms.mean_size(), _missing(fit)
    told: list[dict[str, object]] = []
    for name in sorted(sizes, key=lambda one: -sizes[one]):
        feature = fit.model.design.of[name]
        told.append(
            {
                "name": name,
                "label": feature.label,
                "group": feature.group,
                "unit": feature.unit,
                "sign": feature.sign,
                "levels": [column.level for column in fit.model.design.columns if column.feature == name and column.level],
                "mean_absolute_term": {"days": terms.day, "log_odds": sizes[name]},
                **missing.get(name, {}),
            }
        )
    return told


def _missing(fit: Fit) -> Mapping[str, dict[str, object]]:
    """By numeric feature: to how many patients it does not apply, and in how many of the others it had to be estimated."""
    found: dict[str, dict[str, object]] = {}
    for place, column in enumerate(fit.model.design.columns):
        if not column.level:
            owed = fit.matrix.to_estimate[:, place]
            absent = np.isnan(fit.matrix.x[:, place]) & ~owed
            found[column.feature] = {"estimated": masked(int(owed.sum())), "not_applicable": masked(int(absent.sum()))}
    return found
