"""How strong something unmeasured would have to be to make an association out of nothing: the E-value.

An unmeasured fitness that goes with recovery and with survival, each at least as strongly as the E-value says, could explain all
of the association; a weaker one could not by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class EValue:
    """The E-value of a hazard ratio, and of the end of its interval that lies nearer to 1 (1 where it spans 1)."""

    estimate: float
    limit: float


def e_value(ratio: float, low: float, high: float, *, common: bool = True) -> EValue:
    """The E-value of a hazard ratio and of its interval; `common`: most patients die, so that it is turned into a risk ratio.

    Raises ValueError for a ratio outside its interval, or not above 0.

    >>> round(e_value(0.5, 0.4, 0.6, common=False).estimate, 2)
    3.41

    References
    ----------
    VanderWeele, Ding. Ann Intern Med 2017;167:268-274. doi:10.7326/M16-2607
    """
    if not 0 < low <= ratio <= high:
        raise ValueError(f"ratio {ratio:g}, interval {low:g} to {high:g}: allowed is a ratio above 0 within its interval")
    nearer = 1.0 if low <= 1 <= high else high if ratio < 1 else low
    return EValue(*(_of(_risk_ratio(one) if common else one) for one in (ratio, nearer)))


def _risk_ratio(hazard_ratio: float) -> float:
    """The risk ratio that goes with a hazard ratio where the outcome is common (above 15 %), VanderWeele and Ding 2017."""
    return float((1 - 0.5 ** math.sqrt(hazard_ratio)) / (1 - 0.5 ** math.sqrt(1 / hazard_ratio)))


def _of(risk_ratio: float) -> float:
    away = max(risk_ratio, 1 / risk_ratio)
    return float(away + math.sqrt(away * (away - 1)))
