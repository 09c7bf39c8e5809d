"""What changed since an earlier score, as a receipt tells it: which score, what each clinical group did to the risk, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Row = tuple[str, ...]


def which(change: Mapping[str, Any]) -> tuple[str, ...]:
    """Which receipt it was compared with, and what is said of the change at every horizon."""
    earlier, model = change["earlier"], change["earlier"]["model"]
    named = f"Compared with receipt {earlier['receipt']} of {earlier['time']} (UTC), as of {earlier['as_of']}"
    by = f"digest {earlier['digest']}; its model: {model['name']}, {model['digest']}"
    missed = (f"{days} days: not compared; {why}" for days, why in change["not_compared"].items())
    told = (f"{days} days: {one['text']}" for days, one in change["horizons"].items())
    return (named, by, change["about"], *told, *missed)


def parts(change: Mapping[str, Any]) -> Iterator[Row]:
    """Percentage points by clinical group: a row for the patient's part and one for the model's, a column for each horizon."""
    horizons = list(change["horizons"].values())
    yield ("", *(f"{days} days" for days in change["horizons"]))
    yield ("risk then", *(_percent(one["from"]) for one in horizons))
    for part, of in (("patient", "the patient"), ("model", "the model")):
        groups = dict.fromkeys(group for one in horizons for group in one[part])
        yield from ((f"{of}: {group}", *(_points(one[part].get(group, 0.0)) for one in horizons)) for group in groups)
    yield ("risk now", *(_percent(one["to"]) for one in horizons))


def _percent(risk: float) -> str:
    return f"{100 * risk:.1f} %"


def _points(points: float) -> str:
    return f"{round(points, 1) + 0.0:+.1f}"  # no -0.0
