"""The model card as a page: the facts of `card.json`, rounded and in the order in which a careful reader asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SIGNS = {1: "never lowers the risk", -1: "never raises the risk", 0: "either way"}
_UNITS = {"1": "", "{score}": "", "a": "years", "mo": "months", "d": "days"}
_COMPOSITION = {
    "median_age": ("median age", "{:.0f}"),
    "share_women": ("women", "{:.0%}"),
    "share_previously_treated": ("previously treated", "{:.0%}"),
    "median_nlr": ("median NLR", "{:.1f}"),
    "median_albumin": ("median albumin", "{:.0f} g/L"),
}

Facts = Mapping[str, Any]


def card_text(card: Facts) -> str:
    """The page in Markdown; it begins with the words of a model of simulated patients where it is one."""
    parts = [_opening(card), _use(card), _cohort(card["cohort"]), _horizons(card), _performance(card["performance"])]
    parts += [_learner(card["learner"]), _features(card), _missing(card), _limits(card)]
    return "\n\n".join(block for part in parts for block in part) + "\n"


def _opening(card: Facts) -> list[str]:
    example = [card["example"]] if "example" in card else []
    cohort = card["cohort"]
    return [
        *example,
        f"# Model card: {card['model']}",
        f"The risk of death within {_days(card)} days of {card['time_origin']}, learned from {cohort['patients']} patients "
        f"of whom {cohort['deaths']} died. Trained on: {card['trained_on']}.",
        _promotable(card["learner"]),
    ]


def _days(card: Facts) -> str:
    served = [f"{one['days']:g}" for one in card["horizons"] if one["served"]]
    return ", ".join(served[:-1]) + f" and {served[-1]}" if len(served) > 1 else served[0]


def _promotable(learner: Facts) -> str:
    if learner["promotable"]:
        return (
            "Large enough to be put forward for promotion at the primary horizon of 90 days: at least 100 deaths and 100 "
            "survivors by effective size. The sample size after Riley is not checked by this version."
        )
    why = learner["promotable_why"] or "the primary horizon of 90 days is not served"
    return f"**Not promotable**: {why}."


def _use(card: Facts) -> list[str]:
    return ["## Intended use", f"For: {card['intended_use']}.", "Not for:", _bullets(card["not_for"])]


def _cohort(cohort: Facts) -> list[str]:
    flow = [(step["reason"], step["left"], step["remaining"], _composition(step["composition"])) for step in cohort["flow"]]
    deaths = [(name, n) for name, n in cohort["deaths_by_tumour"].items()]
    lines = [f"prior line {answer}: {n} deaths" for answer, n in cohort["deaths_by_prior_line"].items()]
    required = ", ".join(cohort["required"]) or "none"
    return [
        "## Development cohort",
        f"{cohort['name']} ({cohort['source'] or 'source not stated'}), digest `{cohort['digest']}`.",
        f"Required of every patient: {required}.",
        _table(("step", "left", "remain", "who remains"), flow),
        _table(("tumour", "deaths"), deaths),
        f"{'; '.join(lines)}. A tumour or a history with fewer than {cohort['outside_below_deaths']} deaths lies outside the "
        "development population: such patients are scored and marked.",
        *_noted("Warnings of the reader of the cohort", cohort["warnings"]),
        *_noted("Suspicions accepted by a person", cohort["accepted_suspicions"]),
    ]


def _composition(composition: Facts) -> str:
    known = [(label, form.format(composition[name])) for name, (label, form) in _COMPOSITION.items() if name in composition]
    return ", ".join(f"{label} {value}" for label, value in known)


def _noted(heading: str, sentences: Sequence[str]) -> list[str]:
    return [f"{heading}:", _bullets(sentences)] if sentences else []


def _horizons(card: Facts) -> list[str]:
    head = ("day", "standing", "deaths", "known alive", "censored before", "least G", "died", "reference", "why not more")
    rows = [
        (
            f"{one['days']:g}",
            one["level"],
            one["deaths"],
            one["survivors"],
            one["censored_before"],
            f"{one['min_g']:.2f}",
            *(f"{one[name]:.1%}" if one["served"] else "" for name in ("died_share", "reference_risk")),
            one["why"],
        )
        for one in card["horizons"]
    ]
    return [
        "## What the follow-up can answer",
        "G is the probability of still being followed. Died: the Kaplan-Meier share of the cohort. Reference: the risk at the "
        "cohort's average log-odds, from which every explanation starts. A horizon that is not identifiable or not evaluable is "
        "refused.",
        _table(head, rows),
    ]


def _performance(performance: Facts) -> list[str]:
    blocks = ["## Performance", f"Out of fold; 95 % intervals from {performance['resamples']} resamples of patients."]
    for name, found in performance["evaluations"].items():
        means, gains = performance["fold_means"][name], performance["over_albumin_alone"][name]
        blocks += [f"### {name.capitalize()}: {found['n']} patients", _statistics(found), *_uno(found["uno_c"])]
        blocks += [*_fold_means(found, means), *_gains(gains), *_refused(found["refused"])]
    return blocks


def _statistics(found: Facts) -> str:
    head = ("day", "deaths", "AUC", "IPA", "calibration slope", "intercept", "observed:expected", "ICI")
    rows = []
    for day, one in found["horizons"].items():
        line = one["calibration"]
        cells = (one["auc"], one["ipa"], line["slope"], line["intercept"], line["observed_expected"], line["ici"])
        rows.append((day, one["deaths"], *map(_interval, cells)))
    return _table(head, rows)


def _uno(found: Facts | None) -> list[str]:
    return [] if found is None else [f"Uno's C to day {found['tau']:g}: {_interval(found)}."]


def _fold_means(found: Facts, means: Facts) -> list[str]:
    if not means:
        return ["No fold holds enough patients to be judged alone."]
    names = ("auc", "ipa", "slope")
    days = [day for day in found["horizons"] if any(f"{name}_{day}d" in means for name in names)]
    rows = [(day, *(_number(means.get(f"{name}_{day}d")) for name in names)) for day in days]
    concordance = f" (Uno's C {_number(means['uno_c'])})" if "uno_c" in means else ""
    return [f"Means over folds{concordance}:", _table(("day", "AUC", "IPA", "slope"), rows)]


def _gains(gains: Facts) -> list[str]:
    if not gains:
        return ["Gain over albumin alone: albumin was not measured in enough of them."]
    rows = [(day, _interval(gain)) for day, gain in gains.items()]
    return ["Gain in AUC over albumin alone, on the same patients:", _table(("day", "gain"), rows)]


def _refused(refused: Facts) -> list[str]:
    return ["Refused:", _bullets(f"day {day}: {why}" for day, why in refused.items())] if refused else []


def _learner(learner: Facts) -> list[str]:
    plan = learner["cross_validation"]
    saved, found = learner["saved"], learner["cross_validated_ipa"]
    ipa = [(f"**{name}** (saved)" if name == saved else name, _number(value)) for name, value in found.items()]
    advance = ["Few deaths: only variables named before the cohort was seen."] if learner["variables_named_in_advance"] else []
    return [
        "## Learner",
        f"{saved.capitalize()}, chosen by {learner['chosen_by']}: {plan['repeats']} x {plan['folds']} folds by patient, seed "
        f"{plan['seed']}. Intervals of risks and terms rest on {learner['refits_for_intervals']} refits.",
        _table(("learner", "mean cross-validated IPA"), ipa),
        "The learner is chosen and judged on the same folds, which flatters the one that is saved a little. The intervals of "
        "single scores come from refits on resampled patients; imputation, calibration and that choice are not refitted. "
        "The penalties of the linear learner are defaults, chosen by cross-validation on 961 patients given immune checkpoint "
        "blockade (LORIS publication): figures on those very patients are flattered by that as well.",
        *advance,
    ]


def _features(card: Facts) -> list[str]:
    day = next((one["mean_absolute_term"]["days"] for one in card["features"]), "")
    head = ("feature", "group", "unit", "direction", f"mean size of its term at {day} d (log-odds)")
    rows = [_feature(one) for one in card["features"]]
    left = _noted("Left out", _by_reason(card["left_out"]))
    held = "All other inputs held, a feature with a direction never moves the risk the other way."
    return ["## Features", held, _table(head, rows), *left]


def _by_reason(left_out: Facts) -> list[str]:
    reasons = dict.fromkeys(left_out.values())
    return [f"{reason}: {', '.join(name for name, why in left_out.items() if why == reason)}" for reason in reasons]


def _feature(one: Facts) -> tuple[str, ...]:
    unit, size = str(one["unit"]), one["mean_absolute_term"]["log_odds"]
    return (_named(one), one["group"], _UNITS.get(unit, unit), _SIGNS[one["sign"]], _number(size))


def _named(feature: Facts) -> str:
    return f"{feature['label']} ({', '.join(feature['levels'])})" if feature["levels"] else str(feature["label"])


def _missing(card: Facts) -> list[str]:
    patients = card["cohort"]["patients"]
    rows = [
        (one["label"], _share(one["estimated"], patients), _share(one["not_applicable"], patients))
        for one in card["features"]
        if "estimated" in one
    ]
    return [
        "## Missing values",
        "What was not measured, or cannot be interpreted, is estimated from the rest (a conditional mean); each answer says so.",
        _table(("feature", "patients estimated", "patients to whom it does not apply"), rows),
    ]


def _share(count: int | str, patients: int) -> str:
    return f"{count} ({count / patients:.0%})" if isinstance(count, int) and count else str(count)


def _limits(card: Facts) -> list[str]:
    return ["## Limits", card["limits"]]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(cell: Facts) -> str:
    """A value with its interval, or why there is none."""
    if cell["value"] is None:
        return str(cell.get("why", "-"))
    if cell["low"] is None or cell["high"] is None:
        return _number(cell["value"])
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"
