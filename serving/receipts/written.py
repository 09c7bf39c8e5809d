"""An answer written down: compact JSON in UTF-8, each part that many answers share written once and remembered.

The same bytes go to the caller and into the receipt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Any

import orjson

from serving.answer import Answer


def written(answer: Answer) -> bytes:
    """What `dumped` makes of `answer.as_json()`; ValueError for a number that is not finite."""
    document: dict[str, Any] = answer.as_json(_remembered)
    explanation = document["explanation"]
    # apart, since nearly all numbers are here: where nothing is unknown they need not be looked at one by one
    for whole, part in ((explanation, "horizons"), (document, "risks"), (document, "estimates")):
        whole[part] = orjson.Fragment(dumped(whole[part]))
    _require_finite([one.value for one in answer.inputs])
    explanation["inputs"] = orjson.Fragment(orjson.dumps(explanation["inputs"]))
    return dumped(document)


def dumped(document: object) -> bytes:
    """Compact JSON in UTF-8, as the service answers; ValueError for a number that is not finite."""
    said = orjson.dumps(document)
    if b"null" in said:  # so it writes None, and what is no number or endless too
        _require_finite((document,))
    return said


@lru_cache(maxsize=4096)
def _remembered(tell: Callable[..., dict[str, object]], *of: Hashable) -> orjson.Fragment:
    return orjson.Fragment(dumped(tell(*of)))


def _require_finite(values: Iterable[object]) -> None:
    for one in values:
        kind = type(one)
        if kind is float:
            if not math.isfinite(one):  # type: ignore[arg-type]  # a float, as was just seen
                raise ValueError(f"Out of range float values are not JSON compliant: {one}")
        elif kind is dict:
            _require_finite(one.values())  # type: ignore[attr-defined]  # a dict, as was just seen
        elif kind is list or kind is tuple:
            _require_finite(one)  # type: ignore[arg-type]  # a list or a tuple, as was just seen
