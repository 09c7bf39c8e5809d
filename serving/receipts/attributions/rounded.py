"""Numbers as they are told: with their intervals, in the unit a reader knows, and never a count of one to nine patients."""

from __future__ import annotations

import math

from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.table import SMALLEST

FEW = f"fewer than {SMALLEST}"
_LOGARITHMS = {"ln": math.e, "log10": 10.0}


def count(patients: int) -> str:
    """So many patients.

    >>> count(0), count(9), count(12345)
    ('0', 'fewer than 10', '12,345')
    """
    return FEW if 0 < patients < SMALLEST else f"{patients:,}"


def rounded(figure: Figure, form: str, times: float = 1.0) -> str:
    """The number with its interval in brackets, each multiplied and written in this form.

    >>> rounded(Figure(0.1234, -0.0001, 0.2), "{:+.1f}", 100)
    '+12.3 (0.0 to +20.0)'
    """
    value, low, high = (_unsigned_zero(form.format(times * one)) for one in (figure.value, figure.low, figure.high))
    return f"{value} ({low} to {high})"


def _unsigned_zero(number: str) -> str:
    """Nothing is neither more nor less: -0.0 and +0.0 are 0.0."""
    return number if any(digit in number for digit in "123456789") else number.lstrip("+-")


def percent(figure: Figure) -> str:
    """A share with its interval.

    >>> percent(Figure(0.25, 0.2, 0.3))
    '25.0 % (20.0 to 30.0)'
    """
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def shown(value: float, scale: str) -> float:
    """A value on the model's scale in the unit a reader knows.

    >>> shown(2.0, "log10"), shown(2.0, "identity")
    (100.0, 2.0)
    """
    return _LOGARITHMS[scale] ** value if scale in _LOGARITHMS else value


def is_logarithm(scale: str) -> bool:
    """Whether a difference on the scale is a ratio in the unit a reader knows."""
    return scale in _LOGARITHMS
