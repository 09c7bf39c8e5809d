"""Every number of the analysis as one document: what page, tables, pictures and MLflow are made of, small groups hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.example import EXAMPLE, is_simulated
from training.cohort import Cohort
from training.rescue.analysed import Analysed, Happened
from training.rescue.e_value import e_value
from training.rescue.landmarked import Landmarked
from training.rescue.modelled import HazardRatio
from training.rescue.naive import Naive
from training.rescue.needed import Refused
from training.rescue.population import Lymphopenic
from training.rescue.survived import Group, Mean
from training.small_cells import SMALLEST, masked, masked_by_name, masked_parts, masked_within, small
from training.telling.cohort_facts import flow_facts

GRID, AT_RISK = 28.0, 56.0  # days between the numbers that are told
Document = Mapping[str, Any]


def document(cohort: Cohort, low: Lymphopenic, found: Analysed, *, everybody: bool) -> dict[str, Any]:
    """The document, JSON-ready."""
    example = {"example": EXAMPLE} if is_simulated(cohort.source) else {}
    return {
        **example,
        "cohort": {"name": cohort.name, "source": cohort.source, "digest": cohort.digest, "patients": len(cohort)},
        "settings": {
            "cut_off": found.cut_off,
            "horizon": found.horizon,
            "landmarks": list(found.landmarks),
            "population": "everybody in the cohort" if everybody else "adults with a solid tumour that progressed after a line",
        },
        "flow": [*flow_facts(cohort.flow), *flow_facts(low.flow)[1:]],
        "patients": masked(found.patients),
        "deaths": masked(found.deaths),
        "counted": masked(len(low.counts)),
        "by_cut_off": {f"{cut:g}": in_tens(count) for cut, count in low.by_cut_off.items()},
        "by_grade": masked_by_name({f"grade {grade}": count for grade, count in low.by_grade.items() if grade or count}),
        "adjusted_for": found.adjustment.sentence(),
        "left_out": dict(found.adjustment.left_out),
        "estimated": {name: round(share, 2) for name, share in found.adjustment.estimated.items()},
        "events": [_event(one, found.horizon) for one in found.events],
        "regression_to_mean": _expected(found),
        "steroids": {**found.steroids.as_json(), "sentence": found.steroids.sentence()},
        "without_steroids": found.without_steroids.as_json(),
        "landmarks": {f"{day:g}": _landmark(one) for day, one in found.landmarks.items()},
        "interactions": [one.as_json() for one in found.interactions],
        "e_value": _e_value(found.rescue.adjusted),
        "naive": _naive(found.naive, found.rescue.unadjusted),
    }


def _event(one: Happened, horizon: float) -> dict[str, Any]:
    happened = masked_within(one.happened, one.asked)
    told: dict[str, Any] = {"name": one.event.name, "label": one.event.label, "definition": one.event.definition}
    told |= {"asked": masked(one.asked), "happened": happened}
    if not isinstance(happened, str):
        told["median_day"] = None if one.median_day is None else round(one.median_day)
        told["incidence"] = _incidence(one, horizon)
    return told | {"unadjusted": one.unadjusted.as_json(), "adjusted": one.adjusted.as_json()}


def _incidence(one: Happened, horizon: float) -> dict[str, list[Any]]:
    """The shares in whom it happened and who died first, every four weeks and on the horizon."""
    days = [*np.arange(GRID, horizon, GRID).tolist(), horizon]
    told: dict[str, list[Any]] = {"days": days}
    for name, curve in (("happened", one.incidence.happened), ("died", one.incidence.died)):
        low, high = curve.band(days)
        told |= {name: _shares(curve.share.at(days)), f"{name}_low": _shares(low), f"{name}_high": _shares(high)}
    return told


def _shares(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]


def _expected(found: Analysed) -> dict[str, Any]:
    if isinstance(found.expected, Refused):
        return found.expected.as_json()
    two, one = (_share(event) for event in found.events[:2])
    told = {name: round(getattr(found.expected, name), 3) for name in ("noise", "reliability", "two_draws", "one_draw")}
    return {**told, "observed_two_draws": two, "observed_one_draw": one}


def _share(one: Happened) -> float | None:
    return None if small(one.happened) or small(one.asked - one.happened) else round(one.happened / max(one.asked, 1), 3)


def _landmark(one: Landmarked | Refused) -> dict[str, Any]:
    if isinstance(one, Refused):
        return one.as_json()
    left = {"died": one.died_before, "lost": one.lost_before, "not yet entered": one.not_yet_entered}
    sizes = masked_parts([group.patients for group in one.groups])
    return {
        "alive": masked(one.alive),
        "before": masked_by_name(left),
        "recovered_later": masked_within(one.later, one.groups[1].patients),
        "groups": [_group(group, size, one.horizon) for group, size in zip(one.groups, sizes, strict=True)],
        "log_rank_p": float(f"{one.log_rank:.4g}"),
        "unadjusted": one.unadjusted.as_json(),
        "adjusted": one.adjusted.as_json(),
        "restricted_mean": _mean(one.means),
    }


def _group(one: Group, size: int | str, horizon: float) -> dict[str, Any]:
    """The curve every four weeks while ten are followed; those still at risk to the nearest ten, as days of the index date."""
    length = horizon - one.start
    last = float(np.sort(one.curve.follow_up.times)[-SMALLEST])
    days = [day for day in np.arange(0.0, length + GRID, GRID).tolist() if day <= min(last, length)]
    low, high = one.curve.band(days)
    ticks = np.arange(0.0, length, AT_RISK).tolist()
    median = one.curve.median()
    return {
        "name": one.name,
        "patients": size,
        "deaths": masked_within(one.deaths, one.patients),
        "median": None if median[0] is None or median[0] > last else [None if day is None else round(day) for day in median],
        "days": [one.start + day for day in days],
        "alive": _shares(one.curve.alive.at(days)),
        "low": _shares(low),
        "high": _shares(high),
        "at_risk": {f"{one.start + day:g}": in_tens(count) for day, count in zip(ticks, one.curve.at_risk(ticks), strict=True)},
    }


def in_tens(count: int) -> int | str:
    """A count beside others that differ from it by few, to the nearest ten, so that nobody between two of them can be counted."""
    return masked(count) if small(count) else round(count, -1)


def _mean(found: Mean | Refused) -> dict[str, Any]:
    if isinstance(found, Refused):
        return found.as_json()
    low, high = found.interval
    numbers = {"recovered": found.first.days, "not_recovered": found.second.days, "difference": found.difference.days}
    return {name: round(value, 1) for name, value in {**numbers, "low": low, "high": high}.items()}


def _e_value(found: HazardRatio | Refused) -> dict[str, Any]:
    if isinstance(found, Refused):
        return found.as_json()
    made = e_value(found.value, found.low, found.high)
    return {"estimate": round(made.estimate, 2), "limit": round(made.limit, 2)}


def _naive(found: Naive | Refused, honest: HazardRatio | Refused) -> dict[str, Any]:
    if isinstance(found, Refused):
        return found.as_json()
    sizes = masked_parts([group.patients for group in found.groups])
    lot = found.by_lot
    horizon = max(float(group.curve.follow_up.times.max()) for group in found.groups)
    told: dict[str, Any] = {
        "unadjusted": found.unadjusted.as_json(),
        "adjusted": found.adjusted.as_json(),
        "by_lot": lot.as_json() if isinstance(lot, Refused) else round(lot, 3),
        "immortal_days": round(found.immortal_days),
        "groups": [_group(group, size, horizon) for group, size in zip(found.groups, sizes, strict=True)],
    }
    if isinstance(found.unadjusted, HazardRatio) and isinstance(honest, HazardRatio):
        told["times_the_time_dependent"] = round(found.unadjusted.value / honest.value, 3)
    return told
