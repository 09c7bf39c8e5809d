"""An evaluation as it may leave the hospital: counts of fewer than ten patients hidden, none of them to be had by subtraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from training.small_cells import SMALLEST, masked, masked_parts, masked_sentence, masked_within, small

_COUNTS = ("deaths", "survivors", "censored_before")
_WITHHELD = {"value": None, "low": None, "high": None, "why": "fewer than 10 of those flagged died, or fewer than 10 did not"}


def masked_evaluation(document: Mapping[str, Any], patients: int) -> dict[str, Any]:
    """`evaluation.json` with its counts hidden where they are small; `patients` is how many the whole cohort has.

    What is already a word stays what it is, so that masking twice changes nothing.
    """
    told = dict(document)
    evaluations = document["evaluations"]
    whole = max(evaluations.values(), key=lambda one: one["n"] if isinstance(one["n"], int) else 0, default=None)
    told["evaluations"] = {name: _evaluation(one, whole, patients) for name, one in evaluations.items()}
    told["splits"] = {name: _split(one, patients) for name, one in document.get("splits", {}).items()}
    return told


def _split(one: Mapping[str, Any], patients: int) -> Mapping[str, Any]:
    return _evaluation(one, None, patients) if "horizons" in one else _sentences(one)


def _evaluation(one: Mapping[str, Any], whole: Mapping[str, Any] | None, patients: int) -> dict[str, Any]:
    peers = {} if whole is None or whole is one else whole["horizons"]
    return dict(one) | {
        "n": _within(one["n"], patients),
        "horizons": {day: _horizon(found, peers.get(day), one["n"]) for day, found in one["horizons"].items()},
        "refused": _sentences(one["refused"]),
    }


def _sentences(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: masked_sentence(text) if isinstance(text, str) else text for name, text in given.items()}


def _horizon(part: Mapping[str, Any], whole: Mapping[str, Any] | None, n: int | str) -> dict[str, Any]:
    """Counts of a population at one horizon, of which neither one nor what it lacks of everybody's is small."""
    counts = [part[name] for name in _COUNTS]
    if not all(isinstance(count, int) for count in counts):
        return dict(part)
    shown: dict[str, Any] = dict(zip(_COUNTS, masked_parts(counts), strict=True))
    for name in _COUNTS if whole is not None else ():
        within = _within(part[name], whole[name]) if whole is not None else shown[name]
        shown[name] = within if isinstance(within, str) else shown[name]
    hidden = any(isinstance(count, str) for count in shown.values())
    if "flagging" in part:
        shown["flagging"] = [_flagged(one, n if isinstance(n, int) else sum(counts)) for one in part["flagging"]]
    return dict(part) | shown | (_coarse(part, n if isinstance(n, int) else sum(counts)) if hidden else {})


def _coarse(part: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Shares beside a hidden count, so that times `n` they tell no more than the nearest ten: with all digits they give it away.

    Net benefit of treating all is the share who died, put differently at each threshold: it is told of the coarse share. The
    Brier score keeps two digits, because with the IPA it gives the share who died as well.
    """

    def share(value: float) -> float:
        return round(round(value * n / SMALLEST) * SMALLEST / n, 4)

    told: dict[str, Any] = {"min_g": share(part["min_g"])} if "min_g" in part else {}
    told |= {"naive": {name: share(value) for name, value in part["naive"].items()}} if part.get("naive") else {}
    told |= {"brier": _numbers(part["brier"], lambda value: round(value, 2))} if "brier" in part else {}
    decisions = part.get("net_benefit", ())
    return told | ({"net_benefit": [_net_benefit(one, share) for one in decisions]} if decisions else {})


def _flagged(one: Mapping[str, Any], n: int) -> dict[str, Any]:
    """What flagging finds, withheld where fewer than ten of those flagged died, or fewer than ten did not."""
    ppv = one["ppv"].get("value")
    if ppv is None:
        return dict(one)
    died = one["flagged"] * n * ppv
    if not (small(died) or small(one["flagged"] * n - died)):
        return dict(one)
    return dict(one) | dict.fromkeys(("ppv", "sensitivity", "number_needed_to_evaluate"), _WITHHELD)


def _net_benefit(one: Mapping[str, Any], share: Callable[[float], float]) -> dict[str, Any]:
    threshold = float(one["threshold"])
    odds = threshold / (1 - threshold)

    def coarse(value: float) -> float:
        died = share((value + odds) / (1 + odds))
        return round(died - (1 - died) * odds, 4)

    told = _numbers(one["treat_all"], coarse)
    as_all = one["model"].get("value") == one["treat_all"].get("value")  # everybody flagged: the same number once more
    return dict(one) | {"treat_all": told} | ({"model": told} if as_all else {})


def _numbers(cell: Mapping[str, Any], told: Callable[[float], float]) -> dict[str, Any]:
    return {name: told(value) if isinstance(value, float) else value for name, value in cell.items()}


def _within(count: int | str, whole: int | str) -> int | str:
    if isinstance(count, str):
        return count
    return masked_within(count, whole) if isinstance(whole, int) else masked(count)
