"""What is told of the model itself: what it is for, how it was chosen, which features it knows, what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.explanation import COVERS
from training.telling.blocks import Block, Heading, Picture, Words, missing, number, points, table, unit
from training.telling.evidence import COHORT, LEARNER, RISKS
from training.telling.pointers import Evidence

_SIGNS = {1: "never lowers the risk", -1: "never raises the risk", 0: "either way"}

Facts = Mapping[str, Any]


def what_it_is(evidence: Evidence) -> list[Block]:
    """One paragraph: what the model says, and of whom it learned it."""
    learner, cohort = evidence[LEARNER], evidence[COHORT]
    said = (
        f"The risk of death within {_listed(learner['served'])} days of {learner['time_origin']}, learned from "
        f"{cohort['patients']} patients of whom {cohort['deaths']} died. Trained on: {learner['trained_on']}."
    )
    recalibrated = [Words(learner["recalibrated"], "warning")] if "recalibrated" in learner else []
    return [*recalibrated, Words(said), _promotable(learner)]


def _listed(days: Mapping[str, Any]) -> str:
    *first, last = days
    return f"{', '.join(first)} and {last}" if first else last


def _promotable(learner: Facts) -> Words:
    if learner["promotable"]:
        return Words(
            "Large enough to be put forward for promotion at the primary horizon of 90 days: at least 100 deaths and 100 "
            "survivors by effective size. Whether it may be promoted is for the gate to say."
        )
    why = learner["promotable_why"] or "the primary horizon of 90 days is not served"
    return Words(f"Not promotable: {why}.", "warning")


def use(evidence: Evidence) -> list[Block]:
    """Intended use, and for whom and what it is not."""
    learner = evidence[LEARNER]
    return [Heading("Intended use"), Words(f"For: {learner['intended_use']}."), *points("Not for:", learner["not_for"])]


def limits(evidence: Evidence) -> list[Block]:
    """What nobody can promise yet."""
    return [Heading("Limits"), Words(str(evidence[LEARNER]["limits"]))]


def learner(evidence: Evidence) -> list[Block]:
    """How the learner was chosen, and what flatters its figures."""
    told = evidence[LEARNER]
    plan, saved = told["cross_validation"], str(told["saved"])
    rows = [(f"{name} (saved)" if name == saved else name, number(ipa)) for name, ipa in told["cross_validated_ipa"].items()]
    advance = "Few deaths: only variables named before the cohort was seen."
    return [
        Heading("Learner"),
        Words(
            f"{saved.capitalize()}, chosen by {told['chosen_by']}: {plan['repeats']} x {plan['folds']} folds by patient, seed "
            f"{plan['seed']}. Intervals of risks and terms rest on {told['refits_for_intervals']} refits."
        ),
        *table("Mean cross-validated IPA", ("learner", "IPA"), rows),
        Words(
            "The learner is chosen and judged on the same folds, which flatters the one that is saved a little. "
            f"{COVERS}. They come from refits in which patients and prior are drawn anew; that choice is not repeated. "
            "The penalties of the linear learner are defaults, chosen by cross-validation on 961 patients given immune "
            "checkpoint blockade (LORIS publication): figures on those very patients are flattered by that as well."
        ),
        *([Words(advance)] if told["variables_named_in_advance"] else []),
        *_learning_curve(evidence.get(RISKS, {}).get("learning_curve", {})),
    ]


def _learning_curve(found: Facts) -> list[Block]:
    """Whether more patients would help."""
    if "points" not in found:
        return missing("Learning curve", str(found.get("not available", "it was not asked for")))
    said = f"The linear learner fitted on shares of the patients; the same {found['judged']} judged out of fold each time."
    rows = [(one["patients"], number(one["auc"]), number(one["ipa"])) for one in found["points"]]
    drawn = Picture("learning-curve", "Learning curve", "AUC and IPA by the number of patients learned from, as in the table.")
    told = table(f"Learning curve by day {found['day']:g}", ("patients learned from", "AUC", "IPA"), rows)
    return [Heading("Would more patients help?", 3), Words(said), drawn, *told]


def features(evidence: Evidence) -> list[Block]:
    """Every feature with its direction and how much it moves the risk."""
    told = evidence[LEARNER]
    day = next((one["mean_absolute_term"]["days"] for one in told["features"]), "")
    head = ("feature", "group", "unit", "direction", f"mean size of its term at {day:g} d (log-odds)")
    rows = [_feature(one) for one in told["features"]]
    held = "All other inputs held, a feature with a direction never moves the risk the other way."
    left = points("Left out:", _by_reason(told["left_out"]))
    return [Heading("Features"), Words(held), *table("Features", head, rows), *left]


def _feature(one: Facts) -> tuple[str, ...]:
    size = one["mean_absolute_term"]["log_odds"]
    named = f"{one['label']} ({', '.join(one['levels'])})" if one["levels"] else str(one["label"])
    return (named, one["group"], unit(one["unit"]), _SIGNS[one["sign"]], number(size))


def _by_reason(left_out: Facts) -> list[str]:
    reasons = dict.fromkeys(left_out.values())
    return [f"{reason}: {', '.join(name for name, why in left_out.items() if why == reason)}" for reason in reasons]


def missing_values(evidence: Evidence) -> list[Block]:
    """How often each feature had to be estimated."""
    patients = evidence[COHORT]["patients"]
    rows = [
        (one["label"], _share(one["estimated"], patients), _share(one["not_applicable"], patients))
        for one in evidence[LEARNER]["features"]
        if "estimated" in one
    ]
    said = "What was not measured, or cannot be interpreted, is estimated from the rest; each answer says so."
    head = ("feature", "patients estimated", "patients to whom it does not apply")
    return [Heading("Missing values"), Words(said), *table("Estimated values", head, rows)]


def _share(count: int | str, patients: int) -> str:
    return f"{count} ({count / patients:.0%})" if isinstance(count, int) and count else str(count)


_PICTURES = (
    ("shap-swarm", "Every patient's terms by {day}", "A row of dots for each feature: how far it moves each patient's log-odds."),
    ("shap-features", "Mean size of the terms by {day}", "Bars of the mean absolute term, as in the table of features."),
    ("shap-dependence", "Terms against values by {day}", "For the largest feature of each group, the term against its value."),
    ("shap-horizons", "Clinical groups by horizon", "Mean absolute group term at each horizon, as in the table below."),
)


def attribution(evidence: Evidence) -> list[Block]:
    """What moves the risk, in pictures, by feature and by clinical group."""
    told = evidence[LEARNER]
    day = f"day {next(iter(told['features']))['mean_absolute_term']['days']:g}" if told["features"] else "the primary horizon"
    days = list(told["served"])
    rows = [(name, *(number(sizes[each], 2) for each in days)) for name, sizes in told["groups"].items()]
    opening = "Terms say what is associated with the risk in these patients, not what causes it, and not what would lower it."
    drawn = [Picture(name, caption.format(day=day), alt) for name, caption, alt in _PICTURES]
    head = ("clinical group", *(f"{each} d" for each in days))
    return [Heading("What moves the risk"), Words(opening), *drawn, *table("Mean absolute group term, log-odds", head, rows)]

