"""Numbers as people read them: as many digits as count."""

from __future__ import annotations


def measured(number: float) -> str:
    """A measured value to three digits, and without an exponent where it is large."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
