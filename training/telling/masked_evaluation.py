"""An evaluation as it may leave the hospital: counts of fewer than ten patients hidden, none of them to be had by subtraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.small_cells import masked, masked_parts, masked_sentence, masked_within

_COUNTS = ("deaths", "survivors", "censored_before")


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
        "horizons": {day: _horizon(found, peers.get(day)) for day, found in one["horizons"].items()},
        "refused": _sentences(one["refused"]),
    }


def _sentences(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: masked_sentence(text) if isinstance(text, str) else text for name, text in given.items()}


def _horizon(part: Mapping[str, Any], whole: Mapping[str, Any] | None) -> dict[str, Any]:
    """Counts of a population at one horizon, of which neither one nor what it lacks of everybody's is small."""
    counts = [part[name] for name in _COUNTS]
    if not all(isinstance(count, int) for count in counts):
        return dict(part)
    shown = dict(zip(_COUNTS, masked_parts(counts), strict=True))
    for name in _COUNTS if whole is not None else ():
        within = _within(part[name], whole[name]) if whole is not None else shown[name]
        shown[name] = within if isinstance(within, str) else shown[name]
    hidden = any(isinstance(count, str) for count in shown.values())
    return dict(part) | shown | (_coarse(part) if hidden else {})


def _coarse(part: Mapping[str, Any]) -> dict[str, Any]:
    """Shares beside a hidden count to two digits: with all of theirs they would give it away."""
    told: dict[str, Any] = {"min_g": round(part["min_g"], 2)} if "min_g" in part else {}
    return told | ({"naive": {name: round(share, 2) for name, share in part["naive"].items()}} if part.get("naive") else {})


def _within(count: int | str, whole: int | str) -> int | str:
    if isinstance(count, str):
        return count
    return masked_within(count, whole) if isinstance(whole, int) else masked(count)
