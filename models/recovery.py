"""When lymphocytes that were low have come back: at or above a cut-off on two draws a week apart, dated at the second.

The second draw, because a day on which something became known is the first on which anything may be counted from it: dating
a recovery at the first of two draws would promise a patient the days between them. One draw alone is the sensitivity
analysis: of counts that scatter about a low one, some lie above any cut-off by chance.
"""

from __future__ import annotations

from collections.abc import Iterable

CUT_OFF = 1.0  # 10*9/L, the lower limit of most laboratories; below it lymphopenia of CTCAE v5 grade 1 (0.8) or 2
APART = 7.0  # days between two draws that count as two


def recovered_on(draws: Iterable[tuple[float, float]], cut_off: float = CUT_OFF, apart: float = APART) -> float | None:
    """The day on which ALC counts as recovered, or None: of draws (day, 10*9/L) in the order of their days.

    The first draw at or above `cut_off` that lies at least `apart` days after another such draw, with none below between them;
    with `apart` 0 the first such draw. Whoever it is asked of was below the cut-off before the first of these draws.

    >>> recovered_on([(10, 1.1), (14, 1.2), (21, 0.9), (28, 1.0), (35, 1.3)])
    35
    """
    since: float | None = None
    for day, alc in draws:
        if alc < cut_off:
            since = None
            continue
        since = day if since is None else since
        if day - since >= apart:
            return day
    return None
