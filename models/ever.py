"""Why nobody may learn from whether something "ever" happened: who lives longer has had more days for it to happen.

Whoever died in the second week could not have recovered in the fourth. A column that says "ever recovered" therefore knows who
lived, and lowers the hazard by two thirds where recovery does nothing at all (method.md section 9). What happened by a day is
known on that day: a landmark, or the analysis `lymphorisk rescue`, may ask for it.
"""

from __future__ import annotations

import re

ALLOWED = (
    "a covariate known on the index date; what happened after it is asked by `lymphorisk rescue`, or by a landmark study as "
    "what had happened by that day"
)
LIKELY = "an \"ever\" covariate: only those who live long enough can have it, so it tells who lived (immortal time)"
_WORD_ENDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_EVER = re.compile(r"(^|_)ever(_|$)")
_LATER = re.compile(r"(^|_)(rescued?|recover(ed|y|s)|revers(ed|al)|normali[sz]ed|responders?|responded)(_|$)")
# what somebody has "ever" done may be a matter of life before the index date, and a recovery one from an earlier line
_HABITS = re.compile(r"(^|_)(smok\w*|tobacco|cigar\w*|alcohol|drink\w*|drank|pregnan\w*|married|drug_use|asbestos|exposed)(_|$)")
_BEFORE = re.compile(r"(^|_)(prior|previous|before|baseline|earlier|history|landmark|last_line|first_line)(_|$)")


def known_only_later(name: str) -> bool:
    """Whether a covariate of this name says that something happened at any time after the index date.

    >>> [known_only_later(name) for name in ("ever_rescued", "alcRecovered", "ALC>=1 ever", "responder")]
    [True, True, True, True]
    >>> [known_only_later(name) for name in ("ever_smoked", "recovered_from_prior_line", "severity", "reverse_mutation")]
    [False, False, False, False]
    """
    words = _WORD_ENDS.sub("_", name).lower()
    if _EVER.search(words):
        return _HABITS.search(words) is None and _BEFORE.search(words) is None
    return _LATER.search(words) is not None and _BEFORE.search(words) is None
